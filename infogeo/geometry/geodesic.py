"""Geodesics on the product of spheres that the square roots of predictions lie on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.checks import LOG_FLOOR
from infogeo.core.errors import InputError

TINY_ANGLE = 1e-8
"""Below this angle the sines of a geodesic are replaced by their limits, which differ by its square."""


@dataclass(frozen=True, eq=False)
class Geodesic:
    """The shortest path between two predictions in the Fisher metric, sample by sample, for t from 0 to 1:

        sqrt(P^t)_n = [sin((1 - t) G_n) sqrt(p_n) + sin(t G_n) sqrt(q_n)] / sin G_n,
        G_n = arccos sum_c sqrt(p_n(c) q_n(c)), from 0 to pi/2.

    One t serves all samples, so each moves at a speed of its own, 2 G_n in the Fisher metric. Made by
    `Geodesic.between`.

    Attributes:
        log_p: where it starts [N, C], natural logarithms, float64.
        log_q: where it ends [N, C].

    Source: Mao et al., PNAS 121 (2024) e2310002121; Amari, Information Geometry and Its Applications (2016), 2.4.
    """

    log_p: NDArray[np.float64]
    log_q: NDArray[np.float64]

    @classmethod
    def between(cls, log_p: ArrayLike, log_q: ArrayLike) -> Geodesic:
        """The geodesic from p (t = 0) to q (t = 1), from log-probabilities [N, C] in nats.

        Raises:
            InputError: the two differ in shape, or are no [N, C].
        """
        p, q = np.asarray(log_p, dtype=np.float64), np.asarray(log_q, dtype=np.float64)
        if p.ndim != 2 or p.shape != q.shape:
            raise InputError(f"geodesic: end points of shapes {p.shape} and {q.shape}, expected twice the same [N, C]")
        return cls(p, q)

    @cached_property
    def start(self) -> NDArray[np.float64]:
        """sqrt(p) [N, C], rows of unit length."""
        return _unit_roots(self.log_p)

    @cached_property
    def end(self) -> NDArray[np.float64]:
        """sqrt(q) [N, C], rows of unit length."""
        return _unit_roots(self.log_q)

    @cached_property
    def angles(self) -> NDArray[np.float64]:
        """G [N] in radians, from the chord: accurate for near predictions too."""
        return 2 * np.arcsin(np.minimum(np.linalg.norm(self.end - self.start, axis=1) / 2, 1.0))

    @cached_property
    def across(self) -> NDArray[np.float64]:
        """The directions in which it leaves [N, C], of unit length: sqrt(q) without its part along sqrt(p)."""
        near = self.angles < TINY_ANGLE
        across = self.end - self.start * np.cos(self.angles)[:, None]
        across /= np.where(near, 1.0, np.sin(self.angles))[:, None]
        across[near] = 0.0
        return across

    @property
    def length(self) -> float:
        """Its Fisher length, sqrt(mean over samples of (2 G_n)^2)."""
        return float(np.sqrt(np.mean((2 * self.angles) ** 2)))

    def roots(self, t: ArrayLike) -> NDArray[np.float64]:
        """sqrt(P^t) [T, N, C] at t [T], rows of unit length."""
        first, second = self._weights(np.atleast_1d(np.asarray(t, dtype=np.float64)))
        return first[..., None] * self.start + second[..., None] * self.end

    def at(self, t: ArrayLike) -> NDArray[np.float32]:
        """log P^t [T, N, C] at t [T], natural logarithms, at the floor of log p or above."""
        with np.errstate(divide="ignore"):
            log_p = 2 * np.log(np.maximum(self.roots(t), 0.0))
        return np.maximum(log_p, LOG_FLOOR).astype(np.float32)

    def velocity(self, t: ArrayLike) -> NDArray[np.float64]:
        """d sqrt(P^t) / dt [T, N, C]: tangent to the spheres, of length G_n. At t = 0 the log map of q at p."""
        times = np.atleast_1d(np.asarray(t, dtype=np.float64))[:, None]
        angles = np.broadcast_to(self.angles, (len(times), len(self.angles)))
        near = angles < TINY_ANGLE
        ratio = np.where(near, 1.0, angles / np.where(near, 1.0, np.sin(angles)))
        first, second = -ratio * np.cos((1 - times) * angles), ratio * np.cos(times * angles)
        return first[..., None] * self.start + second[..., None] * self.end

    def _weights(self, times: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the two ends count [T, N] each."""
        near = self.angles < TINY_ANGLE
        angles, sines = np.where(near, 1.0, self.angles), np.where(near, 1.0, np.sin(self.angles))
        t = times[:, None]
        first, second = np.sin((1 - t) * angles) / sines, np.sin(t * angles) / sines
        return np.where(near, 1 - t, first), np.where(near, t, second)


def log_map(log_p: ArrayLike, log_q: ArrayLike) -> NDArray[np.float64]:
    """The initial velocity [N, C] of the geodesic from p to q: G / sin G (sqrt(q) - cos G sqrt(p)), of length G_n."""
    return Geodesic.between(log_p, log_q).velocity(0.0)[0]


def _unit_roots(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """sqrt(p) [..., C] of log-probabilities, in float64, with rows of unit length."""
    roots = np.exp(log_p / 2)
    roots /= np.sqrt(np.einsum("...c,...c->...", roots, roots))[..., None]
    return roots
