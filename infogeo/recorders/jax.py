"""JAX: what a function predicts on a probe set; for plain JAX, flax, equinox and whatever else gives a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.recorders.batches import batches, called, mapped, n_inputs


def predictions(function: Callable[..., Any], inputs: Any, batch_size: int = 1024) -> NDArray[np.float32]:
    """What a function predicts on inputs: [N, C], its output as it is, in float32.

        recorder.log(step, lambda: predictions(lambda x: apply(params, x), x))  # apply jitted, and deterministic

    All batches have one size, so a jitted function is compiled once; the last batch is filled up with its last sample.

    Args:
        function: of one batch of inputs; jit it for speed, and switch off dropout (flax: `deterministic=True`;
            equinox: `inference=True`).
        inputs: [N, ...]; a tuple of such for several arguments, or {argument: such}.
        batch_size: samples that are asked at a time.

    Raises:
        InputError: the output is not [B, C].
    """
    n_samples = n_inputs(inputs)
    size = min(batch_size, n_samples)
    found = []
    for batch in batches(inputs, size):
        whole = mapped(lambda part: _filled(np.asarray(part), size), batch)
        found.append(np.asarray(called(function, whole), dtype=np.float32))
    if found[0].ndim != 2 or len(found[0]) != size:
        raise InputError(f"function: gives {found[0].shape} for {size} inputs, expected [{size}, C]")
    return np.concatenate(found)[:n_samples]


def _filled(part: NDArray[Any], size: int) -> NDArray[Any]:
    return np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)]) if len(part) < size else part
