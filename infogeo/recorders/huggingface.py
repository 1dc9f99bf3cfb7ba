"""Hugging Face: a callback that records what the model predicts while the `Trainer` trains it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infogeo.core.optional import require
from infogeo.recorders.probes import asked, check_open
from infogeo.recorders.torch import predictions
from infogeo.store.recorder import Recorder

TrainerCallback: Any = require("transformers", extra="huggingface").TrainerCallback


class RecorderCallback(TrainerCallback):
    """Records at step 0 and after every optimiser step that is due; on the process of rank zero alone.

        with infogeo.Recorder("runs.zarr", run="net-1", probe=probe, schedule=infogeo.LogSpaced()) as recorder:
            Trainer(..., callbacks=[RecorderCallback(recorder, {"input_ids": ids, "attention_mask": mask})]).train()

    The recorder is closed when the training ends, so another training needs another recorder. The Trainer tells no
    callback of an exception: it is the `with` that then leaves the run unfinished, to go on in a new recorder with
    `resume`. Without it, call `recorder.close(finished=False)` first.

    Args:
        recorder: where to.
        inputs: of the probe, {argument of the model: [N, ...]}; {probe name: such} where there are several.
        batch_size: samples that are asked at a time.
        forward: see `recorders.torch.predictions`; for example `lambda model, batch: model(**batch).logits[:, -1]`,
            the next token after each text.
    """

    def __init__(
        self,
        recorder: Recorder,
        inputs: Any,
        batch_size: int = 64,
        forward: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        self._recorder, self._inputs, self._batch_size, self._forward = recorder, inputs, batch_size, forward

    def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Before the first batch."""
        if state.is_world_process_zero:
            check_open(self._recorder)
        self._log(state, rest["model"])

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """After each update of the weights."""
        self._log(state, rest["model"])

    def on_train_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """The run is finished."""
        if state.is_world_process_zero:
            self._recorder.close()

    def _log(self, state: Any, model: Any) -> None:
        if state.is_world_process_zero and self._recorder.due(state.global_step):
            self._recorder.log(state.global_step, lambda: asked(self._recorder, self._inputs, self._ask(model)))

    def _ask(self, model: Any) -> Callable[[Any], Any]:
        return lambda inputs: predictions(model, inputs, self._batch_size, self._forward)
