"""LabelSpace: the ordered names of the classes that a model predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.errors import InputError


@dataclass(frozen=True)
class LabelSpace:
    """C ordered, distinct class names; class c of a prediction is `names[c]`.

    Raises:
        InputError: fewer than two classes, or a name twice.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(str(name) for name in self.names))
        if len(self.names) < 2:
            raise InputError(f"classes: a prediction needs at least two classes, there are {len(self.names)}")
        if len(set(self.names)) != len(self.names):
            raise InputError("classes: class names must be distinct")

    @classmethod
    def of_size(cls, n_classes: int) -> LabelSpace:
        """The label space whose classes are named '0', '1', ..., 'C-1'."""
        return cls(tuple(str(c) for c in range(n_classes)))

    def __len__(self) -> int:
        return len(self.names)

    def encode(self, labels: ArrayLike | Sequence[Any], n_samples: int) -> NDArray[np.int64]:
        """Class numbers [N] of labels that are class numbers or class names.

        Raises:
            InputError: not one label per sample, or a label that is no class.
        """
        values = np.asarray(labels)
        if values.ndim != 1:
            raise InputError(f"labels: have {values.ndim} dimensions; give one list, a label for each sample")
        if len(values) != n_samples:
            raise InputError(f"labels: {len(values)} of them for {n_samples} samples; give one label for each sample")
        if values.dtype.kind in "fiub" and np.all(values == np.floor(values)):
            numbers = values.astype(np.int64)
            wrong = np.flatnonzero((numbers < 0) | (numbers >= len(self)))
            if self != LabelSpace.of_size(len(self)) and set(map(str, numbers.tolist())) <= set(self.names):
                if not wrong.size:
                    raise InputError(
                        f"labels: may be numbers or names of classes, which are {self._listed()} in this order; "
                        "give names as text (NumPy strings, or .json)"
                    )
                return self.encode(numbers.astype(str), n_samples)
            if wrong.size:
                raise InputError(
                    f"labels: {numbers[wrong[0]]} at sample {wrong[0]} is out of range; "
                    f"classes are 0 to {len(self) - 1}"
                )
            return numbers
        index = {name: c for c, name in enumerate(self.names)}
        names = values.astype(str).tolist()
        for sample, name in enumerate(names):
            if name not in index:
                raise InputError(f"labels: '{name}' at sample {sample} is no class; classes are {self._listed()}")
        return np.asarray([index[name] for name in names], dtype=np.int64)

    def _listed(self) -> str:
        return ", ".join(self.names[:6]) + (", ..." if len(self) > 6 else "")
