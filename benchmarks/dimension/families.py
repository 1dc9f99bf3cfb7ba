"""Models of a known number of dimensions, as predictions: clouds of points, and runs that flow.

A family has d free parameters z and gives log-probabilities [P, N, C]; where the Jacobian of the roots sqrt(p) by z
has rank d, as tests/benchmarks/test_dimension_families.py checks, its Fisher information is regular and the models
are a d-dimensional manifold in every divergence of infogeo. How hard it is for an estimator is another matter: the
parameters fill a cube or a simplex, which have borders, more of them the more dimensions, and N samples decide how
different the lengths of the manifold in different directions are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

import infogeo
from infogeo.pairwise import PairwiseMatrix

Array = NDArray[np.float64]

SPREAD = 1.0
"""The standard deviation of logits over a cloud: predictions are neither all the same nor certain."""
LENGTH = 1.0
"""How far runs move along their shared direction, in sides of the cube."""
PART = 0.95
"""The share 1 - e^-t of their flow that runs are followed for: the end itself is reached by none."""


@dataclass(frozen=True)
class Model:
    """One member of a family of families: what was random about it is drawn.

    Attributes:
        log_probs: from parameters [P, d] to log-probabilities [P, N, C].
        sample: (generator, P) to parameters [P, d] of a cloud.
    """

    log_probs: Callable[[Array], Array]
    sample: Callable[[np.random.Generator, int], Array]


def softmax(rng: np.random.Generator, d: int, n_samples: int, n_classes: int = 4) -> Model:
    """Logits A z with A random [N C, d] and z uniform in a cube: an exponential family with d natural parameters."""
    directions = rng.normal(size=(d, n_samples * n_classes)) * SPREAD * np.sqrt(12 / d)

    def log_probs(z: Array) -> Array:
        return log_softmax((z @ directions).reshape(len(z), n_samples, n_classes))

    return Model(log_probs, lambda rng, n: rng.uniform(-0.5, 0.5, (n, d)))


def mixture(rng: np.random.Generator, d: int, n_samples: int, n_classes: int = 4) -> Model:
    """d + 1 fixed distributions per sample, drawn from a Dirichlet(1), with weights uniform on the simplex."""
    fixed = rng.dirichlet(np.ones(n_classes), size=(d + 1, n_samples)).reshape(d + 1, -1)

    def log_probs(z: Array) -> Array:
        weights = np.concatenate([z, 1 - z.sum(axis=1, keepdims=True)], axis=1)
        return np.log(weights @ fixed).reshape(len(z), n_samples, n_classes)

    return Model(log_probs, lambda rng, n: rng.dirichlet(np.ones(d + 1), n)[:, :d])


def logistic(rng: np.random.Generator, d: int, n_samples: int) -> Model:
    """Logistic regressions with d weights, uniform in a cube, on N inputs of the standard normal distribution."""
    inputs = rng.normal(size=(d, n_samples)) * SPREAD * np.sqrt(12 / d)

    def log_probs(z: Array) -> Array:
        x = z @ inputs
        return -np.logaddexp(0, np.stack([x, -x], axis=-1))

    return Model(log_probs, lambda rng, n: rng.uniform(-0.5, 0.5, (n, d)))


FAMILIES: dict[str, Callable[[np.random.Generator, int, int], Model]] = {
    "softmax": softmax,
    "mixture": mixture,
    "logistic": logistic,
}
FLOWS = ("parallel", "own targets")


def cloud(family: str, rng: np.random.Generator, d: int, n_points: int, n_samples: int) -> infogeo.Predictions:
    """P models of a family with d dimensions, each a run of its own."""
    model = FAMILIES[family](rng, d, n_samples)
    log_probs = model.log_probs(model.sample(rng, n_points))
    return infogeo.Predictions.from_arrays({f"point-{i}": p for i, p in enumerate(log_probs)}, "log-probabilities")


def flow_parameters(flow: str, rng: np.random.Generator, d: int, runs: int, checkpoints: int) -> tuple[Array, Array]:
    """Natural parameters [R, T, d + 1] of R runs, and their progress s = 1 - e^-t [R, T].

    In an exponential family the natural gradient flow of KL(p_z || p_z*), from the model to its target, is a straight
    line in natural parameters (Fujiwara and Amari, Physica D 80 (1995) 317):

        z(t) = z0 + (z* - z0) (1 - e^-t).

    Coordinate 0 is 0 at the start and LENGTH at the target of all runs: they all move along e_0, at one pace. The
    other d are u0 at the start, uniform in a cube, and u* at the target: the same (`parallel`), or drawn anew
    (`own targets`). At equal progress s the models are {(s LENGTH, u)} with u = u0 + s (u* - u0) of a smooth density
    in d dimensions: there are d dimensions across runs. The paths that pass a point within r are those whose
    d-dimensional crossing with a plane of equal progress lies in an ellipsoid of size r, of volume r^d: again d for
    the nearest points of other paths. And as progress varies too, all models together have d + 1 dimensions.
    """
    start = rng.uniform(-0.5, 0.5, (runs, 1, d))
    target = start if flow == "parallel" else rng.uniform(-0.5, 0.5, (runs, 1, d))
    progress = PART * (np.arange(checkpoints) + rng.uniform(size=(runs, checkpoints))) / checkpoints
    s = progress[:, :, None]
    return np.concatenate([LENGTH * s, start + s * (target - start)], axis=2), progress


def trajectories(
    flow: str, rng: np.random.Generator, d: int, runs: int, checkpoints: int, n_samples: int
) -> infogeo.Predictions:
    """R runs of T checkpoints in a softmax family of d + 1 dimensions, d of them across runs; column `progress`."""
    model = softmax(rng, d + 1, n_samples)
    parameters, progress = flow_parameters(flow, rng, d, runs, checkpoints)
    log_probs = model.log_probs(parameters.reshape(runs * checkpoints, d + 1))
    log_probs = log_probs.reshape(runs, checkpoints, *log_probs.shape[1:])
    given = infogeo.Predictions.from_arrays({f"run-{i}": p for i, p in enumerate(log_probs)}, "log-probabilities")
    return replace(given, points=given.points.with_columns(progress=progress.ravel()))


def divergences(predictions: infogeo.Predictions) -> PairwiseMatrix:
    """Bhattacharyya divergences; distances are their roots."""
    return infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya())


def log_softmax(x: Array) -> Array:
    """x less the logarithm of the sum of exp x over the last axis."""
    return x - np.asarray(logsumexp(x, axis=-1, keepdims=True))
