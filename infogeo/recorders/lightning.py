"""Lightning: a callback that records what the model predicts while the trainer fits it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infogeo.core.optional import require
from infogeo.recorders.probes import asked, check_open
from infogeo.recorders.torch import predictions
from infogeo.store.recorder import Recorder

Callback: Any = require("lightning.pytorch", extra="lightning").Callback


class RecorderCallback(Callback):
    """Records at `global_step` 0 and after every optimiser step that is due; on the process of rank zero alone.

        recorder = infogeo.Recorder("runs.zarr", run="net-1", probe=probe, schedule=infogeo.LogSpaced())
        lightning.Trainer(callbacks=[RecorderCallback(recorder, x)]).fit(model, batches)

    The recorder is closed when the fit ends, so another fit needs another recorder. After an exception its run is left
    unfinished, and goes on in a new recorder with `resume`.

    Args:
        recorder: where to.
        inputs: of the probe, as for `recorders.torch.predictions`; {probe name: inputs} where there are several.
        batch_size: samples that are asked at a time.
        forward: see `recorders.torch.predictions`.
    """

    def __init__(
        self,
        recorder: Recorder,
        inputs: Any,
        batch_size: int = 1024,
        forward: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        super().__init__()
        self._recorder, self._inputs, self._batch_size, self._forward = recorder, inputs, batch_size, forward

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Before the first batch."""
        if trainer.is_global_zero:
            check_open(self._recorder)
        self._log(trainer, pl_module)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """After each batch; the step counts the updates of the weights."""
        self._log(trainer, pl_module)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """The run is finished."""
        if trainer.is_global_zero:
            self._recorder.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """The run is not."""
        if trainer.is_global_zero:
            self._recorder.__exit__(type(exception), exception, None)

    def _log(self, trainer: Any, model: Any) -> None:
        if trainer.is_global_zero and self._recorder.due(trainer.global_step):
            ask = self._ask(model)
            self._recorder.log(trainer.global_step, lambda: asked(self._recorder, self._inputs, ask))

    def _ask(self, model: Any) -> Callable[[Any], Any]:
        return lambda inputs: predictions(model, inputs, self._batch_size, self._forward)
