"""The jackknife: what an estimate would have been without some of the data, and what that says about its error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

Array = NDArray[np.float64]


class Jackknife(NamedTuple):
    """An estimate with its error.

    Attributes:
        corrected: the estimate less its bias, as far as that falls as 1 / N.
        standard_error: of the estimate.
    """

    corrected: Array
    standard_error: Array


def jackknife(estimate: ArrayLike, left_out: ArrayLike, sizes: ArrayLike) -> Jackknife:
    """Delete-m_j jackknife of an estimate x of N samples in R groups of sizes m_r, from x_(r), made without group r.

    With h_r = N / m_r: corrected x_J = R x - sum_r (1 - 1 / h_r) x_(r), pseudo-values h_r x - (h_r - 1) x_(r), and
    variance (1 / R) sum_r (pseudo_r - x_J)^2 / (h_r - 1). It has R - 1 degrees of freedom.

    Args:
        estimate: x, of any shape.
        left_out: x_(r) [R, ...].
        sizes: m_r [R].

    Source: Busing, Meijer and van der Leeden, Statistics and Computing 9 (1999) 3, eqs. 6-8.
    """
    x, without = np.asarray(estimate, dtype=np.float64), np.asarray(left_out, dtype=np.float64)
    m = np.asarray(sizes, dtype=np.float64).reshape(-1, *[1] * x.ndim)
    h = m.sum() / m
    corrected = len(without) * x - np.sum((1 - 1 / h) * without, axis=0)
    pseudo = h * x - (h - 1) * without
    return Jackknife(corrected, np.sqrt(np.mean((pseudo - corrected) ** 2 / (h - 1), axis=0)))


def t_factor(level: float, degrees: int) -> float:
    """How many standard errors to either side of an estimate its interval of this level takes (Student's t)."""
    return float(stdtrit(degrees, (1 + level) / 2))
