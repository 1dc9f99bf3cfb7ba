"""How much of a divergence matrix the first axes explain."""

import numpy as np
from numpy.typing import NDArray


def explained_stress(eigenvalues: NDArray[np.float64], norm: float) -> NDArray[np.float64]:
    """chi_k = 1 - ||W - W_k||_F / ||W||_F = 1 - sqrt(1 - sum_{i<=k} lambda_i^2 / ||W||_F^2), for k = 1..K.

    Args:
        eigenvalues: lambda [K] of W, or of A on a map with weights, by descending |value|.
        norm: ||W||_F, or ||A||_F, computed from the matrix itself: no full spectrum is needed.

    Source: Mao et al., PNAS 121 (2024) e2310002121.
    """
    unexplained = 1 - np.cumsum(np.square(eigenvalues)) / norm**2
    return 1 - np.sqrt(np.maximum(unexplained, 0.0))
