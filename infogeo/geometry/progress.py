"""Progress along a geodesic: which of its points is nearest to a prediction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from infogeo.geometry.geodesic import TINY_ANGLE, Geodesic

PRECISION = 1e-7
"""The search ends with a step below this: two units of progress in float32; a Newton step errs by its square."""
MOST_STEPS = 60
"""Every second step is at least a bisection, and log2(1 / PRECISION) is 23."""
UNROLLED = 18
"""Up to so many classes the sums over them are written out, which the compiler keeps in registers."""
NEAR, FAR = 0.5, 0.5
"""An angle between ends below which differences are taken; an overlap with the start below which they are not."""
TINY = 1e-30
"""Below every squared sine that float32 sees."""


class Plane(NamedTuple):
    """The plane of a geodesic in each sample, float32, as the search takes it.

    Attributes:
        log_start: log p [N, C].
        start: sqrt(p) [N, C], of unit length.
        across: the direction in which the geodesic leaves [N, C], of unit length.
        end: sqrt(q) [N, C], of unit length.
        angles: G [N], or [1] where all are equal.
    """

    log_start: Any
    start: Any
    across: Any
    end: Any
    angles: Any

    @classmethod
    def of(cls, geodesic: Geodesic) -> Plane:
        """The plane of a geodesic; samples that do not move are given a tiny angle, so that they have no slope."""
        angles = np.maximum(geodesic.angles, TINY_ANGLE)
        if np.ptp(angles) <= 1e-15 * angles[0]:
            angles = angles[:1]
        parts = geodesic.log_p, geodesic.start, geodesic.across, geodesic.end, angles
        return cls(*(jnp.asarray(part.astype(np.float32)) for part in parts))


class Place(NamedTuple):
    """Where predictions lie beside a geodesic [B, N].

    Attributes:
        u, w: sqrt(x) = u start + w across + what is off, all orthogonal.
        v: sum_c sqrt(x q), the cosine of the angle to the end.
        sq_off: the squared length of what is off.
    """

    u: jax.Array
    w: jax.Array
    v: jax.Array
    sq_off: jax.Array

    def seen_from(self, t: jax.Array, plane: Plane) -> tuple[jax.Array, jax.Array]:
        """Of the angle between prediction and geodesic at t [B]: its cosine, and the part of its sine that t changes.

        sine^2 = sq_off + part^2, and d cosine / dt = G part.
        """
        angle, whole = t[:, None] * plane.angles, jnp.sin(plane.angles)
        left = plane.angles - angle
        cosine = self.u * (jnp.sin(left) / whole) + self.v * (jnp.sin(angle) / whole)  # of terms that are not negative
        return cosine, self.w * jnp.cos(angle) - self.u * jnp.sin(angle)


class GeodesicProgress(Protocol):
    """A definition of progress: what is minimised over t, convex on [0, 1] since predictions are not negative."""

    unit: ClassVar[str]
    """Of the distance to the geodesic."""

    def slopes(self, place: Place, plane: Plane, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The first and the second derivative by t [B] of what is minimised."""
        ...

    def distance(self, cosine: NDArray[np.float32], sq_sine: NDArray[np.float32]) -> NDArray[np.float64]:
        """What is minimised, the mean over samples [B], from the angles [B, N] to the nearest point; on the host."""
        ...


@dataclass(frozen=True)
class ArcProgress:
    """argmin_t of the mean over samples of arccos sum_c sqrt(x_n P^t_n), the angle on the sphere of square roots.

    Source: Mao et al., PNAS 121 (2024) e2310002121, where it is the sum of great-circle distances.
    """

    unit: ClassVar[str] = "mean angle, radians"

    def slopes(self, place: Place, plane: Plane, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        """-G part / sine and G^2 cosine sq_off / sine^3.

        Both are one sum of complex numbers: for two sums XLA would compute the terms twice.
        """
        cosine, part = place.seen_from(t, plane)
        inverse = lax.rsqrt(jnp.maximum(place.sq_off + part**2, TINY))
        second = plane.angles**2 * cosine * place.sq_off * inverse**3
        both = lax.complex(-plane.angles * part * inverse, second).mean(axis=1)
        return both.real, both.imag

    def distance(self, cosine: NDArray[np.float32], sq_sine: NDArray[np.float32]) -> NDArray[np.float64]:
        """The mean angle, from its tangent, which is accurate for small ones too (and slow in XLA)."""
        return np.arctan2(np.sqrt(sq_sine), cosine).mean(axis=1, dtype=np.float64)


@dataclass(frozen=True)
class BhattacharyyaProgress:
    """argmin_t of the Bhattacharyya divergence to the geodesic, the mean over samples of -log sum_c sqrt(x_n P^t_n).

    Late in training it lags behind `ArcProgress`: it minds single samples that are far off.

    Source: Ramesh et al., ICML 2023, arXiv:2210.17011.
    """

    unit: ClassVar[str] = "Bhattacharyya divergence, nats"

    def slopes(self, place: Place, plane: Plane, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        """With the tangent part / cosine: -G tangent, and G^2 (1 + tangent^2)."""
        cosine, part = place.seen_from(t, plane)
        slope = plane.angles * (part / jnp.maximum(cosine, TINY))
        return -slope.mean(axis=1), (plane.angles**2 + slope**2).mean(axis=1)

    def distance(self, cosine: NDArray[np.float32], sq_sine: NDArray[np.float32]) -> NDArray[np.float64]:
        """The divergence in nats, from the sine where that is small."""
        near = -np.log1p(-np.minimum(sq_sine, np.float32(0.5))) / 2
        terms = np.where(sq_sine < 0.5, near, -np.log(np.maximum(cosine, np.float32(TINY))))
        return terms.mean(axis=1, dtype=np.float64)


@partial(jax.jit, static_argnums=(0, 3))
def nearest(
    definition: GeodesicProgress, log_x: jax.Array, plane: Plane, near_ends: bool
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """argmin_t [B] over [0, 1], for log-probabilities [B, N, C]; cosine and squared sine [B, N] of the angles there.

    Newton's method, kept in a bracket: a step that leaves it, or is not half as long as the one before the last, is
    a bisection instead. Where the function has a kink, as for predictions on the geodesic, that alone converges. All B
    searches advance together until the last one ends.
    """
    place = _place(log_x, plane, near_ends=near_ends)

    def advance(state: Any) -> Any:
        here, low, high, last, before, count = state
        first, second = definition.slopes(place, plane, here)
        low, high = jnp.where(first <= 0, here, low), jnp.where(first >= 0, here, high)
        newton = jnp.clip(here - first / second, low, high)
        slow = ~(jnp.abs(newton - here) <= before / 2)  # or not a number
        there = jnp.where(slow, (low + high) / 2, newton)
        return there, low, high, jnp.abs(there - here), last, count + 1

    def goes_on(state: Any) -> jax.Array:
        return (state[3] > PRECISION).any() & (state[5] < MOST_STEPS)

    ones = jnp.ones(len(log_x), dtype=jnp.float32)
    state = _first_guess(place, plane), 0 * ones, ones, ones, ones, 0
    t, *_ = lax.while_loop(goes_on, advance, state)
    cosine, part = place.seen_from(t, plane)
    return t, cosine, place.sq_off + part**2


def _place(log_x: jax.Array, plane: Plane, *, near_ends: bool) -> Place:
    """From sums over classes of sqrt(x), or where ends are near of sqrt(x) - sqrt(p): differences keep accuracy.

    What is far from the start is always seen from sums of products, of which none is negative: these keep theirs.
    """
    classes = jnp.transpose(log_x, (2, 0, 1))
    unroll = len(classes) if len(classes) <= UNROLLED else 1
    zero = jnp.zeros(log_x.shape[:2], dtype=jnp.float32)

    def root(c: Any) -> jax.Array:
        return plane.start[:, c] * jnp.exp((classes[c] - plane.log_start[:, c]) / 2)

    def difference(c: Any) -> jax.Array:
        return plane.start[:, c] * jnp.expm1((classes[c] - plane.log_start[:, c]) / 2)

    seen = difference if near_ends else root

    def products(c: Any, sums: Any) -> Any:
        u, v = sums
        here = root(c)
        return u + here * plane.start[:, c], v + here * plane.end[:, c]

    def inside(c: Any, sums: Any) -> Any:
        along, across = sums
        here = seen(c)
        return along + here * plane.start[:, c], across + here * plane.across[:, c]

    def outside(c: Any, sum_of_squares: Any) -> Any:
        return sum_of_squares + (seen(c) - along * plane.start[:, c] - across * plane.across[:, c]) ** 2

    u, v = lax.fori_loop(0, len(classes), products, (zero, zero), unroll=unroll)
    along, across = lax.fori_loop(0, len(classes), inside, (zero, zero), unroll=unroll)
    sq_off = lax.fori_loop(0, len(classes), outside, zero, unroll=unroll)
    far = (v - u * jnp.cos(plane.angles)) / jnp.sin(plane.angles)
    return Place(u, jnp.where(u < FAR, far, across), v, sq_off)


def _first_guess(place: Place, plane: Plane) -> jax.Array:
    """The angle of the mean prediction in the plane, as a share of the mean G."""
    return jnp.clip(jnp.arctan2(place.w.mean(axis=1), place.u.mean(axis=1)) / plane.angles.mean(), 0.0, 1.0)
