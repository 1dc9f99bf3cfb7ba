"""Arrays of other libraries as NumPy arrays, without loading those libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_numpy(values: Any) -> NDArray[Any]:
    """A NumPy array of what a framework gives: a tensor on any device, of any precision, with or without gradient.

    Numbers of a type that NumPy has not, such as bfloat16, become float32, which holds them exactly.
    """
    if hasattr(values, "detach"):  # PyTorch
        values = values.detach().cpu()
        if "bfloat16" in str(values.dtype):
            values = values.float()
    array = np.asarray(values)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array
