"""PyTorch: what a model predicts on a probe set, from within its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.arrays import as_numpy
from infogeo.core.errors import InputError
from infogeo.core.optional import require
from infogeo.recorders.batches import batches, called, mapped

torch: Any = require("torch", extra="torch")


def predictions(
    model: Any, inputs: Any, batch_size: int = 1024, forward: Callable[[Any, Any], Any] | None = None
) -> NDArray[np.float32]:
    """What a PyTorch model predicts on inputs: [N, C], its output as it is, in float32.

    The model is asked in evaluation mode and without gradients, on the device where its parameters are. Afterwards
    the mode of each of its modules, the state of the random numbers and all gradients are what they were.

        recorder.log(step, lambda: predictions(model, x))

    Args:
        model: a `torch.nn.Module`.
        inputs: [N, ...] on any device; a tuple of such for several arguments, or {argument: such}.
        batch_size: samples that are asked at a time.
        forward: what to do with (model, batch) where calling the model is not all: it gives [B, C]. By default the
            model is called; of an output with `logits` these are taken, of a tuple the first.

    Raises:
        InputError: the output is not [B, C].
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    found = []
    with _evaluating(model, device):
        for batch in batches(inputs, batch_size):
            there = mapped(lambda part: torch.as_tensor(part, device=device), batch)
            found.append(as_numpy(_logits(called(model, there)) if forward is None else forward(model, there)))
    values = np.concatenate(found)
    if values.ndim != 2:
        raise InputError(f"model: gives {values.shape}, expected [N, C]; say with `forward` what to take of its output")
    return values.astype(np.float32, copy=False)


@contextmanager
def _evaluating(model: Any, device: Any) -> Iterator[None]:
    """Evaluation mode without gradients; then everything as it was."""
    modes = [(module, module.training) for module in model.modules()]
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        model.eval()
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training


def _logits(output: Any) -> Any:
    output = output.logits if hasattr(output, "logits") else output
    return output[0] if isinstance(output, tuple) else output
