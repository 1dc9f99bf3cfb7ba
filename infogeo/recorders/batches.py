"""Inputs in batches: an array, several of them as a tuple, or by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infogeo.core.arguments import told
from infogeo.core.errors import InputError


def n_inputs(inputs: Any) -> int:
    """N, the number of samples along the first axis.

    Raises:
        InputError: several inputs differ in it, or there is none; or they are no arrays.
    """
    parts = list(inputs.values()) if isinstance(inputs, Mapping) else inputs if isinstance(inputs, tuple) else [inputs]
    for part in parts:
        _check_part(part)
    lengths = {len(part) for part in parts}
    if len(lengths) != 1 or 0 in lengths:
        raise InputError(f"inputs: their parts have {sorted(lengths)} samples; expected the same number, at least one")
    return lengths.pop()


def _check_part(part: Any) -> None:
    """An array, or a list of numbers or of such lists."""
    arrays = "give an array [N, ...], a tuple of arrays for several arguments, or {argument: array}"
    if isinstance(part, list):
        if any(hasattr(row, "shape") for row in part):
            raise InputError(f"inputs: are a list of arrays or tensors; stack them, or {arrays}")
    elif not getattr(part, "shape", ()):
        raise InputError(f"inputs: {told(part)}; {arrays}")


def mapped(function: Callable[[Any], Any], inputs: Any) -> Any:
    """What a function makes of every part of inputs, in the same form."""
    if isinstance(inputs, Mapping):
        return {name: function(part) for name, part in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(function(part) for part in inputs)
    return function(inputs)


def batches(inputs: Any, size: int) -> Iterator[Any]:
    """The inputs, `size` samples at a time.

    Raises:
        InputError: a size below one, or inputs that differ in the number of samples.
    """
    if size < 1:
        raise InputError(f"batch_size: {size}, expected at least 1")
    for start in range(0, n_inputs(inputs), size):
        yield mapped(lambda part, start=start: part[start : start + size], inputs)


def called(model: Callable[..., Any], batch: Any) -> Any:
    """What a model gives for a batch: parts of a tuple are its arguments, those with names go by name."""
    if isinstance(batch, Mapping):
        return model(**batch)
    return model(*batch) if isinstance(batch, tuple) else model(batch)
