"""isKL: an exponential family in Minkowski space, exactly, with as many time-like axes as space-like ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.embed.families import ExponentialFamily
from infogeo.embed.inpca import Embedding
from infogeo.embed.stress import explained_stress
from infogeo.pairwise.matrix import PairwiseMatrix

Array = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
NAME = "symmetric Kullback-Leibler"


@dataclass(frozen=True, eq=False)
class IsklEmbedding:
    """P models of an exponential family in the coordinates of isKL, in the square root of nats.

    S_i = (eta_i / lam_i + lam_i <t_i>) / 2 is space-like, T_i = (eta_i / lam_i - lam_i <t_i>) / 2 is time-like, both
    after the means over the fitted models are taken from eta and <t>. Between any two models
    D = sum_i (dS_i)^2 - sum_i (dT_i)^2 is their symmetric Kullback-Leibler divergence.

    Attributes:
        points: one row per model.
        space: S [P, n_s].
        time: T [P, n_t].
        space_pairs: which pair (eta_i, <t_i>) each column of `space` comes from [n_s].
        time_pairs: the same for `time` [n_t].
        boosts: lam [n]; NaN for a pair without an axis.
        natural_mean: the mean of eta over the fitted models [n].
        expected_mean: the mean of <t> over the fitted models [n].
    """

    points: Points
    space: Array
    time: Array
    space_pairs: NDArray[np.intp]
    time_pairs: NDArray[np.intp]
    boosts: Array
    natural_mean: Array
    expected_mean: Array

    @property
    def coords(self) -> Array:
        """[S, T], [P, n_s + n_t]."""
        return np.concatenate([self.space, self.time], axis=1)

    @property
    def signature(self) -> NDArray[np.int64]:
        """+1 for each column of S, then -1 for each of T [n_s + n_t]."""
        return np.repeat([1, -1], [self.space.shape[1], self.time.shape[1]])

    def divergences(self, to: IsklEmbedding | None = None) -> PairwiseMatrix:
        """D_jk = |S_j - S_k|^2 - |T_j - T_k|^2: [P, P], or [P, Q] to the models of `to`, in nats.

        Args:
            to: models in the same coordinates, from `place`.

        Raises:
            InputError: a divergence below zero: these are not parameters and expectations of one family.
        """
        from scipy.spatial.distance import cdist  # importing it takes a while

        other = self if to is None else to
        values = cdist(self.space, other.space, "sqeuclidean") - cdist(self.time, other.time, "sqeuclidean")
        matrix = PairwiseMatrix.from_array(values, self.points, None if to is None else to.points)
        return replace(matrix, divergence=NAME, fisher_factor=1.0)

    def place(self, family: ExponentialFamily) -> IsklEmbedding:
        """New members of the family in the same coordinates: these boosts, this centre; the embedding stays as it is.

        Divergences between new and fitted models are exact, but for pairs that have no axis here.

        Args:
            family: Q models with the same n statistics (for Gaussians: from the same reference).

        Raises:
            InputError: another number of statistics.
        """
        if family.natural.shape[1] != len(self.boosts):
            raise InputError(f"family: {family.natural.shape[1]} statistics, but {len(self.boosts)} are embedded")
        space, time = _light_cone(family.natural - self.natural_mean, family.expected - self.expected_mean, self.boosts)
        return replace(self, points=_points_of(family), space=space[:, self.space_pairs], time=time[:, self.time_pairs])

    def principal(self, n_components: int = 10) -> Embedding:
        """The principal axes: W = X G X' = U Lambda U' with X = [S, T] and G = diag(signature), without the matrix D.

        With X = Q R, W has the eigenpairs (lambda, Q v) of the small R G R' [m, m], m = n_s + n_t; with more axes than
        models W itself is the small one. They are those of `inpca(divergences())`, in its order and with its signs,
        and axes with |eigenvalue| <= P eps |first| are left out as there. Backward stable: a QR decomposition and
        not X'X, which would square the condition.

        Args:
            n_components: K, how many axes to return at most.

        Raises:
            InputError: all models coincide, or n_components is below one.

        Source: Teoh et al., Phys. Rev. Research 2 (2020) 033221.
        """
        if n_components < 1:
            raise InputError(f"n_components: {n_components}; give at least 1")
        (x, _), signs, size = _centred(self.coords), self.signature, len(self.points)
        basis, r = np.linalg.qr(x) if x.shape[1] < size else (np.eye(size), x)
        values, vectors = np.linalg.eigh((r * signs) @ r.T)
        norm = float(np.linalg.norm(values))
        if norm == 0.0:
            raise InputError("family: all divergences are zero, the models coincide; a map needs models that differ")
        order = np.argsort(-np.abs(values), kind="stable")[:n_components]
        order = order[np.abs(values[order]) > size * EPS * np.abs(values).max()]
        values, vectors = values[order], basis @ vectors[:, order]
        largest = np.abs(vectors).argmax(axis=0)
        vectors = vectors * np.sign(vectors[largest, np.arange(len(values))])
        residuals = (x * signs) @ (x.T @ vectors) - vectors * values
        diagonal = np.square(x) @ signs  # W_jj, from which D_jk = W_jj + W_kk - 2 W_jk
        return Embedding(
            points=self.points,
            coords=vectors * np.sqrt(np.abs(values)),
            eigenvalues=values,
            signature=np.sign(values).astype(np.int64),
            explained_stress=explained_stress(values, norm),
            column_means=diagonal + diagonal.mean(),
            norm=norm,
            residual=float(np.linalg.norm(residuals, axis=0).max()),
            converged=True,
            divergence=NAME,
        )

    def project(self, family: ExponentialFamily, principal: Embedding) -> Array:
        """New members on the principal axes [Q, K]: Z G X' U / (signature sqrt|Lambda|), Z their [S, T].

        The same as `principal.project` of their divergences to the fitted models, without the matrix [Q, P].

        Args:
            family: Q models, see `place`.
            principal: what `principal` returned.

        Raises:
            InputError: another number of statistics, or principal axes of other models or of weighted ones.
        """
        if len(principal.points) != len(self.points):
            raise InputError(f"principal: {len(principal.points)} points, but {len(self.points)} models are embedded")
        if principal.weights is not None:
            raise InputError("principal: its models have weights; give what `principal()` returned")
        x, centre = _centred(self.coords)
        components = (x * self.signature).T @ (principal.coords / principal.eigenvalues)
        return (self.place(family).coords - centre) @ components


def iskl(family: ExponentialFamily) -> IsklEmbedding:
    """isKL coordinates of P models: S, T = (eta / lam +- lam <t>) / 2, with D = |dS|^2 - |dT|^2 exactly.

    A boost lam_i > 0 leaves D as it is. lam_i = (Var eta_i / Var <t_i>)^(1/4) makes Cov(S_i, T_i) = 0.

    What is rounding is no axis. A pair whose eta_i or <t_i> is the same for all models, to 8 eps of its size, adds
    nothing to their divergences and has none. An axis is left out where all its entries are below 8 eps of the largest
    |eta_i / lam_i| + |lam_i <t_i>|, which the parameters were rounded to, plus P eps of the larger of S_i and T_i, for
    the rounding of lam_i. So least squares has no time-like axis.

    Args:
        family: P models with n statistics each.

    Raises:
        InputError: fewer than two models.

    Source: Teoh et al., Phys. Rev. Research 2 (2020) 033221.
    """
    check_record("family", family, ExponentialFamily)
    if len(family) < 2:
        raise InputError(f"family: {len(family)} model; an embedding needs at least 2")
    natural, natural_mean = _centred(family.natural)
    expected, expected_mean = _centred(family.expected)
    varies = _varies(natural, family.natural) & _varies(expected, family.expected)
    boosts = np.full(len(varies), np.nan)
    boosts[varies] = np.sqrt(_spread(natural[:, varies])) / np.sqrt(_spread(expected[:, varies]))
    space, time = _light_cone(natural, expected, boosts)
    extents = np.abs(space).max(axis=0), np.abs(time).max(axis=0)
    size = (np.abs(family.natural / boosts) + np.abs(boosts * family.expected)).max(axis=0)
    least = EPS * (8 * size + len(family) * np.maximum(*extents))
    space_pairs, time_pairs = (np.flatnonzero(extent > least) for extent in extents)  # never where lam is NaN
    return IsklEmbedding(
        points=_points_of(family),
        space=space[:, space_pairs],
        time=time[:, time_pairs],
        space_pairs=space_pairs,
        time_pairs=time_pairs,
        boosts=boosts,
        natural_mean=natural_mean,
        expected_mean=expected_mean,
    )


def _light_cone(natural: Array, expected: Array, boosts: Array) -> tuple[Array, Array]:
    """S and T [P, n] of centred parameters."""
    a, b = natural / boosts, expected * boosts
    return (a + b) / 2, (a - b) / 2


def _centred(table: Array) -> tuple[Array, Array]:
    """A table [P, n] less its column means, and these; the second round takes what the first rounded away."""
    mean = table.mean(axis=0)
    mean = mean + (table - mean).mean(axis=0)
    return table - mean, mean


def _varies(centred: Array, table: Array) -> NDArray[np.bool_]:
    """Whether a column [n] is more than one number and its rounding."""
    return np.abs(centred).max(axis=0) > 8 * EPS * np.abs(table).max(axis=0)


def _spread(centred: Array) -> Array:
    """The standard deviation of each column [n], without overflow or underflow."""
    peak = np.abs(centred).max(axis=0)
    return peak * np.sqrt(np.mean(np.square(centred / peak), axis=0))


def _points_of(family: ExponentialFamily) -> Points:
    count = len(family)
    return family.points or Points.of_runs([f"point-{i}" for i in range(count)], [[0]] * count)
