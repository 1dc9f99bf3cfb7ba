"""How much of a divergence matrix the first axes explain."""

import numpy as np
from numpy.typing import NDArray

SHOWN = 3
"""Axes whose stress is told where a record is printed."""


def stress_line(stress: NDArray[np.float64], errors: NDArray[np.float64] | None = None) -> str:
    """The explained stress of the first axes in words, with its standard errors where they are known."""
    shares = [f"{100 * s:.1f} %" for s in stress[:SHOWN]]
    if errors is not None:
        shares = [f"{100 * s:.1f} ± {100 * e:.1f} %" for s, e in zip(stress[:SHOWN], errors, strict=False)]
    axes = "one axis" if len(shares) == 1 else f"1 to {len(shares)} axes"
    return f"explained stress of {axes}: {', '.join(shares)}"


def explained_stress(eigenvalues: NDArray[np.float64], norm: float) -> NDArray[np.float64]:
    """chi_k = 1 - ||W - W_k||_F / ||W||_F = 1 - sqrt(1 - sum_{i<=k} lambda_i^2 / ||W||_F^2), for k = 1..K.

    Args:
        eigenvalues: lambda [K] of W, or of A on a map with weights, by descending |value|.
        norm: ||W||_F, or ||A||_F, computed from the matrix itself: no full spectrum is needed.

    Source: Mao et al., PNAS 121 (2024) e2310002121.
    """
    unexplained = 1 - np.cumsum(np.square(eigenvalues)) / norm**2
    return 1 - np.sqrt(np.maximum(unexplained, 0.0))
