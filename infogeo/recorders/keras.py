"""Keras 3: a callback that records what the model predicts while it is fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.optional import require
from infogeo.recorders.batches import batches, mapped
from infogeo.recorders.probes import asked
from infogeo.store.recorder import Recorder

keras: Any = require("keras", extra="keras")


def predictions(model: Any, inputs: Any, batch_size: int = 1024) -> NDArray[np.float32]:
    """What a Keras model predicts on inputs: [N, C], its output as it is, in float32.

    The model is called with `training=False`, whatever the backend; nothing of the training changes.

    Args:
        model: a `keras.Model`.
        inputs: [N, ...]; a tuple of such for several inputs, or {input: such}.
        batch_size: samples that are asked at a time.
    """
    if hasattr(model, "jax_state_sync"):  # while JAX fits, the weights are elsewhere
        model.jax_state_sync()
    found = []
    for batch in batches(inputs, batch_size):
        output = model(mapped(keras.ops.convert_to_tensor, batch), training=False)
        found.append(keras.ops.convert_to_numpy(output))
    return np.concatenate(found).astype(np.float32, copy=False)


class RecorderCallback(keras.callbacks.Callback):
    """Records before the first batch and after every one that is due; steps count updates over all calls of `fit`.

        recorder = infogeo.Recorder("runs.zarr", run="net-1", probe=probe, schedule=infogeo.LogSpaced())
        with recorder:
            model.fit(x, y, callbacks=[RecorderCallback(recorder, probe_x)])

    The recorder stays open: `fit` may be called again.

    Args:
        recorder: where to.
        inputs: of the probe, as for `predictions`; {probe name: inputs} where there are several.
        batch_size: samples that are asked at a time.
    """

    def __init__(self, recorder: Recorder, inputs: Any, batch_size: int = 1024) -> None:
        super().__init__()
        self._recorder, self._inputs, self._batch_size = recorder, inputs, batch_size
        self._steps = recorder.last_step or 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first batch of a fit."""
        self._log()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After each update of the weights."""
        self._steps += 1
        self._log()

    def _log(self) -> None:
        if self._recorder.due(self._steps):
            self._recorder.log(self._steps, lambda: asked(self._recorder, self._inputs, self._ask))

    def _ask(self, inputs: Any) -> NDArray[np.float32]:
        return predictions(self.model, inputs, self._batch_size)
