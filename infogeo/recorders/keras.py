"""Keras 3: a callback that records what the model predicts while it is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.optional import require
from infogeo.recorders.batches import batches, mapped
from infogeo.recorders.probes import asked, check_open
from infogeo.store.recorder import Recorder


def _keras() -> Any:
    try:
        return require("keras", extra="keras")
    except ImportError as error:
        if (getattr(error.__cause__, "name", None) or "").partition(".")[0] == "tensorflow":
            raise ImportError(
                "Keras runs on TensorFlow unless told otherwise, and TensorFlow is not installed: set "
                "KERAS_BACKEND=jax or KERAS_BACKEND=torch in the environment before Python starts, or pip install it"
            ) from error
        raise


keras: Any = _keras()


def predictions(model: Any, inputs: Any, batch_size: int = 1024) -> NDArray[np.float32]:
    """What a Keras model predicts on inputs: [N, C], its output as it is, in float32.

    The model is called with `training=False`, whatever the backend; nothing of the training changes.

    Args:
        model: a `keras.Model`.
        inputs: [N, ...]; a tuple of such for several inputs, or {input: such}.
        batch_size: samples that are asked at a time.

    Raises:
        InputError: the output is not [B, C].
    """
    _synchronise(model)
    found = []
    for batch in batches(inputs, batch_size):
        output = model(mapped(keras.ops.convert_to_tensor, batch), training=False)
        if isinstance(output, list | tuple | Mapping):
            raise InputError(f"model: has {len(output)} outputs, expected one [N, C]; make a keras.Model of that one")
        found.append(keras.ops.convert_to_numpy(output))
    values = np.concatenate(found)
    if values.ndim != 2:
        raise InputError(f"model: gives {values.shape}, expected [N, C]; make a keras.Model whose output that is")
    return values.astype(np.float32, copy=False)


class RecorderCallback(keras.callbacks.Callback):
    """Records before the first batch and after every one that is due; the step is the optimiser's own count of updates.

        recorder = infogeo.Recorder("runs.zarr", run="net-1", probe=probe, schedule=infogeo.LogSpaced())
        with recorder:
            model.fit(x, y, callbacks=[RecorderCallback(recorder, probe_x)])

    The recorder stays open: `fit` may be called again, with this callback or a new one, and a model that was loaded
    goes on at its step. Where Keras takes several steps at once (`steps_per_execution`) and one of them is due, what
    is recorded is the step after the last of them.

    Args:
        recorder: where to.
        inputs: of the probe, as for `predictions`; {probe name: inputs} where there are several.
        batch_size: samples that are asked at a time.
    """

    def __init__(self, recorder: Recorder, inputs: Any, batch_size: int = 1024) -> None:
        super().__init__()
        self._recorder, self._inputs, self._batch_size = recorder, inputs, batch_size
        self._step = self._most = 0  # the step when it was last looked at, and what it may be now

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first batch of a fit."""
        check_open(self._recorder)
        count = self._updates()
        if count < self._step:
            raise InputError(
                f"model: its optimizer counts from {count} again, after {self._step} updates (compile makes a new "
                "one); compile once, or record what comes now as a run of its own"
            )
        self._step = self._most = count
        self._log(after=None)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After each update of the weights, or several."""
        before = self._most
        self._most += self.model.steps_per_execution
        if self._recorder.due(self._most, after=before):  # looking costs a step of a small network
            last, self._step = self._step, self._updates()
            self._most = self._step
            self._log(after=last)

    def _updates(self) -> int:
        """How often the weights were updated."""
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is None:
            raise InputError("model: has no optimizer that counts its updates; call recorder.log in your own loop")
        _synchronise(self.model)
        return int(optimizer.iterations)

    def _log(self, after: int | None) -> None:
        if self._recorder.due(self._step, after):
            self._recorder.log(self._step, lambda: asked(self._recorder, self._inputs, self._ask), after)

    def _ask(self, inputs: Any) -> NDArray[np.float32]:
        return predictions(self.model, inputs, self._batch_size)


def _synchronise(model: Any) -> None:
    """Bring weights and counts into the model: while JAX fits, they are elsewhere."""
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()
