""".pt and .pth of PyTorch: a tensor, or dictionaries and lists of tensors; other pickles are refused, not run."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import ml_dtypes

from infogeo.core.errors import InputError
from infogeo.core.optional import require
from infogeo.store.formats.arrays import FAILURES, NamedArray, member, unreadable

SAFE = (2, 6)
"""Before this version of PyTorch a file could run code even with weights_only=True (CVE-2025-32434)."""


def read_torch(path: Path, name: str) -> Iterator[NamedArray]:
    """The tensors of a file by their keys, those of lists by their numbers; mapped where the file allows it.

    Raises:
        InputError: truncated, it needs pickle, it holds something that is no tensor, or PyTorch is too old.
    """
    torch = require("torch", extra="torch")
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < SAFE:
        raise InputError(
            f"{path}: PyTorch {torch.__version__} may run code that a file brings; update it to 2.6 or newer"
        )
    try:
        mapped = zipfile.is_zipfile(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unusual pickles, which are refused below in our own words
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: holds more than tensors, or is damaged; it needs pickle, which can run code and is never opened; "
            "save plain tensors: torch.save({'run': log_probs}, path)"
        ) from error
    except FAILURES as error:
        raise unreadable(path, error) from error
    found = list(_tensors(torch, path, content, ""))
    if not found:
        raise InputError(f"{path}: holds no tensor; save tensors [T, N, C] (one run of T checkpoints) or [N, C]")
    for key, tensor in found:
        yield NamedArray(member(name, key, len(found)), _array(torch, path, key, tensor))


def _tensors(torch: ModuleType, path: Path, content: Any, key: str) -> Iterator[tuple[str, Any]]:
    """All tensors in dictionaries and lists, with the way to them."""
    if isinstance(content, torch.Tensor):
        yield key, content
        return
    if not isinstance(content, (Mapping, list, tuple)):
        raise InputError(
            f"{path}, '{key}': is of type {type(content).__name__}, expected a tensor; save nothing but predictions"
        )
    items = content.items() if isinstance(content, Mapping) else enumerate(content)
    for part, inner in items:
        yield from _tensors(torch, path, inner, f"{key}/{part}" if key else str(part))


def _array(torch: ModuleType, path: Path, key: str, tensor: Any) -> Any:
    """The numbers of a tensor, as they lie in memory or in the file."""
    try:
        plain = tensor.detach()
        if plain.dtype == torch.bfloat16:  # which NumPy alone does not know
            return plain.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
        return plain.numpy()
    except (RuntimeError, TypeError) as error:
        raise InputError(
            f"{path}, '{key}': is a tensor of {tensor.dtype}, {tensor.layout}, expected plain floats or integers"
        ) from error
