"""The expected entropy of a symmetric Dirichlet distribution, by integration over the marginal of one class."""

import numpy as np
from scipy.integrate import quad
from scipy.stats import beta


def expected_entropy(a, classes):
    """C times the integral of -p log p over the density of p ~ Beta(a, (C - 1) a)."""
    marginal = beta(a, (classes - 1) * a)
    return classes * quad(lambda p: -p * np.log(p) * marginal.pdf(p), 0, 1, points=[1 / classes], epsabs=1e-10)[0]
