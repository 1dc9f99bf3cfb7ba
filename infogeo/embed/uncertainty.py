"""How sure a map is: standard errors of eigenvalues, explained stress and coordinates by a jackknife over samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.core.jackknife import jackknife, t_factor
from infogeo.core.linalg import CentredMatrix, leading_eigenpairs
from infogeo.embed.inpca import Embedding, inpca
from infogeo.embed.stress import explained_stress, stress_line
from infogeo.pairwise.groups import SampleGroups

Array = NDArray[np.float64]

SPARE = 10
"""Axes beyond those asked for: a map without a group is looked for among these, and one product with its own matrix."""


@dataclass(frozen=True, eq=False)
class EmbeddingErrors:
    """What the choice of probe samples leaves open in a map of P points on K axes.

    Standard errors are those of Student's t with R - 1 degrees of freedom: `t_factor(level)` of them to either side
    are an interval. They speak for the probe samples alone, not for other seeds or other runs.

    Where they fail: eigenvalues that lie within their errors of a neighbour of the same sign (`close`) repel each other
    in every finite sample, so that the larger is overestimated and the axes turn into each other; and small eigenvalues
    carry a bias that falls as 1 / N, of which `eigenvalue_bias` is an estimate.

    Attributes:
        embedding: the map of all samples.
        eigenvalues: standard errors [K].
        eigenvalue_bias: what the finite number of samples adds to each eigenvalue [K].
        explained_stress: standard errors [K].
        stress_bias: the same for the stress [K].
        coords: standard errors [P, K], after alignment: each map without a group is rotated onto this one, among the
            space-like axes and among the time-like ones.
        n_groups: R.
    """

    embedding: Embedding
    eigenvalues: Array
    eigenvalue_bias: Array
    explained_stress: Array
    stress_bias: Array
    coords: Array
    n_groups: int

    def __repr__(self) -> str:
        line = stress_line(self.embedding.explained_stress, self.explained_stress)
        return (
            f"EmbeddingErrors({self.embedding.points.counted()}, K={self.embedding.n_components} axes, "
            f"R={self.n_groups} groups of samples)\n  {line} (standard errors)"
        )

    def t_factor(self, level: float = 0.95) -> float:
        """Standard errors to either side of an estimate that make an interval of this level."""
        return t_factor(level, self.n_groups - 1)

    @cached_property
    def close(self) -> NDArray[np.bool_]:
        """Whether a neighbour of the same sign lies within two standard errors of the difference to it [K]."""
        close = np.zeros(self.embedding.n_components, dtype=np.bool_)
        for sign in (1, -1):
            own = np.flatnonzero(self.embedding.signature == sign)
            gaps = np.abs(np.diff(self.embedding.eigenvalues[own]))
            near = gaps <= 2 * np.hypot(self.eigenvalues[own[1:]], self.eigenvalues[own[:-1]])
            close[own[1:][near]] = close[own[:-1][near]] = True
        return close

    def eigenvalue_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """The ends of the interval of each eigenvalue [K], about the estimate less its bias."""
        centre, reach = self.embedding.eigenvalues - self.eigenvalue_bias, self.t_factor(level) * self.eigenvalues
        return centre - reach, centre + reach

    def stress_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """The ends of the interval of the explained stress [K], about the estimate less its bias."""
        centre = self.embedding.explained_stress - self.stress_bias
        reach = self.t_factor(level) * self.explained_stress
        return centre - reach, centre + reach


def embedding_errors(groups: SampleGroups, embedding: Embedding | None = None) -> EmbeddingErrors:
    """The errors of a map by the jackknife: it is made again without each group of samples.

    Without group r, W_(r) has eigenvectors near those of W: they are looked for in W_(r) V, where V holds the leading
    K + 10 of W (one step of subspace iteration, then Rayleigh-Ritz), with an error of second order in what leaving
    the group out changes. This takes R products with a matrix [P, P], and one matrix beside. An axis is compared with
    the one of its sign and of its rank among these: in |eigenvalue| axes of either sign change places, freely.

    Args:
        groups: what `divergence_by_groups` returned.
        embedding: the map of `groups.matrix`; by default `inpca` with ten axes. Its weights are kept.

    Raises:
        InputError: the embedding is of other points.
    """
    if not hasattr(groups, "without"):
        check_record("groups", groups, SampleGroups)
    check_record("embedding", embedding, Embedding, optional=True)
    embedding = inpca(groups.matrix) if embedding is None else embedding
    if len(embedding.points) != groups.matrix.shape[0]:
        raise InputError(f"embedding: has {len(embedding.points)} points and the groups {groups.matrix.shape[0]}")
    count = embedding.n_components
    basis = leading_eigenpairs(CentredMatrix(groups.matrix.values, embedding.weights), count + SPARE).vectors
    eigenvalues, stress, coords = [], [], []
    for group in range(groups.n_groups):
        centred = CentredMatrix(groups.without(group), embedding.weights)
        values, vectors = _refined(centred, basis)
        stress.append(explained_stress(values[:count], centred.frobenius_norm()))
        values, vectors = _matched(values, vectors, embedding.signature)
        eigenvalues.append(values)
        axes = centred.at_every_point(values, vectors)
        coords.append(_aligned(axes * np.sqrt(np.abs(values)), embedding))
    found = jackknife(embedding.eigenvalues, np.stack(eigenvalues), groups.sizes)
    found_stress = jackknife(embedding.explained_stress, np.stack(stress), groups.sizes)
    return EmbeddingErrors(
        embedding,
        found.standard_error,
        embedding.eigenvalues - found.corrected,
        found_stress.standard_error,
        embedding.explained_stress - found_stress.corrected,
        jackknife(embedding.coords, np.stack(coords), groups.sizes).standard_error,
        groups.n_groups,
    )


def _refined(centred: CentredMatrix, basis: Array) -> tuple[Array, Array]:
    """Ritz pairs of A in the span of A V, by descending |value|."""
    span, _ = np.linalg.qr(centred.product(basis))
    projected = span.T @ centred.product(span)
    values, vectors = np.linalg.eigh((projected + projected.T) / 2)
    order = np.argsort(-np.abs(values), kind="stable")
    return values[order], span @ vectors[:, order]


def _matched(values: Array, vectors: Array, signature: NDArray[np.int64]) -> tuple[Array, Array]:
    """Of eigenpairs by descending |value|, for each axis of a map that of its sign and of its rank among these."""
    matched, axes = np.zeros(len(signature)), np.zeros((len(vectors), len(signature)))
    for sign in (1, -1):
        own = np.flatnonzero(signature == sign)
        found = np.flatnonzero(np.sign(values) == sign)[: len(own)]  # fewer where an eigenvalue has crossed zero
        matched[own[: len(found)]], axes[:, own[: len(found)]] = values[found], vectors[:, found]
    return matched, axes


def _aligned(coords: Array, embedding: Embedding) -> Array:
    """Coordinates [P, K] rotated and mirrored onto those of a map, axes of either sign among themselves.

    Rotations of space-like axes, and of time-like ones, change no divergence. Source: Schoenemann, Psychometrika 31
    (1966) 1, for each sign; points count by their weights.
    """
    weights = np.ones(len(coords)) if embedding.weights is None else embedding.weights
    aligned = np.zeros_like(embedding.coords)
    for sign in (1, -1):
        own = embedding.signature == sign
        if own.any():
            left, _, right = np.linalg.svd(coords[:, own].T @ (weights[:, None] * embedding.coords[:, own]))
            aligned[:, own] = coords[:, own] @ (left @ right)
    return aligned
