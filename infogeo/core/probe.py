"""Probe: the samples on which models are asked, and how to know them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.arrays import as_numpy
from infogeo.core.errors import InputError
from infogeo.core.labels import LabelSpace


@dataclass(frozen=True, eq=False)
class Probe:
    """The samples on which models are asked: the same, in the same order, for all that are to be compared.

    Stores whose probes are known to differ are never compared. What is given is what can be checked: nothing, and two
    stores are trusted to be about the same samples; `inputs`, and they must agree in every bit; `ids`, and they must
    agree by name, in whatever precision or layout a framework wants its inputs.

    Attributes:
        inputs: what models see, N of them along the first axis: an array or tensor, texts, or {name: array} of
            several. Only its hash is kept (128-bit BLAKE2b of type, shape and bytes).
        ids: names or numbers of the samples [N], each once; they are kept, so that stores can be aligned by them.
        labels: the true class of each sample [N], numbers or names.
        classes: the names of the C classes, in order; by default '0', '1', ...
        name: for people, for example "digits/test".
        n_samples: N; told by any of the above.
        samples: the hash of `inputs`, or of `ids` where these are given; None where neither is. Give it only where
            it is known from before.

    Raises:
        InputError: inputs, ids and labels disagree in N, an id is there twice, or a label is no class.
    """

    inputs: Any = field(default=None, repr=False)
    ids: ArrayLike | None = field(default=None, repr=False)
    labels: ArrayLike | None = field(default=None, repr=False)
    classes: Sequence[str] | None = None
    name: str = ""
    n_samples: int | None = None
    samples: str | None = None

    def __post_init__(self) -> None:
        lengths = {} if self.n_samples is None else {"n_samples": int(self.n_samples)}
        samples = self.samples
        if self.inputs is not None:
            samples, lengths["inputs"] = _hash_of_inputs(self.inputs)
        if self.ids is not None:
            ids = _checked_ids(self.ids)
            samples, lengths["ids"] = _hash(f"ids {ids.dtype.kind}", *map(str, ids.tolist())), len(ids)
            object.__setattr__(self, "ids", ids)
        if self.labels is not None:
            labels = as_numpy(self.labels)
            if labels.ndim != 1:
                raise InputError(f"labels: shape {labels.shape}, expected (N,): one label per sample of the probe")
            lengths["labels"] = len(labels)
            object.__setattr__(self, "labels", labels)
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {n}" for name, n in lengths.items())
            raise InputError(f"probe: its parts differ in the number of samples: {told}")
        if self.classes is not None:
            space = LabelSpace(tuple(str(name) for name in self.classes))
            object.__setattr__(self, "classes", space.names)
            if self.labels is not None:
                space.encode(self.labels, lengths["labels"])
        object.__setattr__(self, "inputs", None)
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "n_samples", next(iter(lengths.values()), None))


def check_same_samples(one: Probe | None, other: Probe | None, first: str, second: str) -> None:
    """Both are about the same samples, as far as both say so.

    Raises:
        InputError: they are known to differ.
    """
    if one is None or other is None:
        return
    if one.name and other.name and one.name != other.name:
        raise InputError(f"{second}: its probe set '{other.name}' is not '{one.name}' of {first}; use one of them")
    if one.samples and other.samples and one.samples != other.samples:
        both = one.ids is not None and other.ids is not None
        mend = (
            "load both with align=True (in Python) to keep those that they share" if both else "they cannot be compared"
        )
        raise InputError(f"{second}: its probe samples are not those of {first} (their hashes differ); {mend}")


def _hash_of_inputs(inputs: Any) -> tuple[str, int]:
    """A hash of inputs, and how many samples they are."""
    if isinstance(inputs, Mapping):
        parts = [(str(name), *_hash_of_inputs(inputs[name])) for name in sorted(inputs, key=str)]
        lengths = {length for _, _, length in parts}
        if len(lengths) != 1:
            raise InputError(f"inputs: their parts differ in the number of samples: {sorted(lengths)}")
        return _hash("mapping", *(text for name, found, _ in parts for text in (name, found))), lengths.pop()
    if isinstance(inputs, (list, tuple)) and inputs and all(isinstance(text, str) for text in inputs):
        return _hash("texts", *inputs), len(inputs)
    array = as_numpy(inputs)
    if array.dtype.kind == "O" or array.ndim == 0:
        raise InputError("inputs: expected an array, a list of texts, or a dictionary of these; or give ids instead")
    if array.dtype.kind in "US":
        return _hash("texts", *map(str, array.ravel().tolist())), len(array)
    array = np.ascontiguousarray(array)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    found = blake2b(f"{little.dtype.str} {little.shape}".encode(), digest_size=16)
    found.update(little.reshape(-1).view(np.uint8).data if little.size else b"")
    return found.hexdigest(), len(array)


def _hash(*texts: str) -> str:
    """A hash that tells apart where one text ends and the next begins."""
    found = blake2b(digest_size=16)
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        found.update(len(content).to_bytes(8, "little") + content)
    return found.hexdigest()


def _checked_ids(given: ArrayLike) -> NDArray[Any]:
    ids = np.asarray(given)
    if ids.ndim != 1 or ids.dtype.kind not in "iuU":
        raise InputError(f"ids: {ids.dtype} of shape {ids.shape}, expected whole numbers or texts, one per sample")
    if len(np.unique(ids)) < len(ids):
        raise InputError("ids: some sample is there twice; give every sample an id of its own")
    return ids.astype(np.int64) if ids.dtype.kind in "iu" else ids
