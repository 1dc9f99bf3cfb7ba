"""The jitted functions of the package's core: encoding a block of points, and a tile of divergences."""

import functools
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import Any, Generic, ParamSpec, TypeVar

import jax
import jax.numpy as jnp

from infogeo.divergences.base import Divergence, Total
from infogeo.divergences.many import ManyClasses

CPU_OPTIONS = {"xla_cpu_prefer_vector_width": 512}
"""XLA uses half of a wide vector unit unless told; narrower processors split the wide operations."""
DEVIATION_SCALE = 64.0
"""Deviations are kept in float16 times this: up to 1023 nats, in steps of 1e-9 at the smallest and of 5e-4 relative."""
STRIPS = 2
"""A tile on the diagonal is computed in so many strips, each from its own diagonal on: 3/4 of the work."""

Encoded = Any
"""Predictions of a block of points: `encoded`, an array [N, F, P], of few classes, `ManyClasses` of more."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class _Jitted(Generic[Arguments, Result]):
    """A jitted function whose options depend on the platform, which is not looked for before it is called.

    Its first arguments, so many as are `static`, are compiled in.
    """

    def __init__(self, function: Callable[Arguments, Result], static: int = 1) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._static = tuple(range(static))

    @cached_property
    def compiled(self) -> Any:
        """What `jax.jit` makes of it."""
        options = CPU_OPTIONS if jax.default_backend() == "cpu" else None
        return jax.jit(self._function, static_argnums=self._static, compiler_options=options)

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return self.compiled(*args, **kwargs)


@_Jitted
def encoded(divergence: Divergence, log_p: jax.Array) -> jax.Array:
    """What `tile` eats [N, F, P], from log-probabilities [P, N, C] of few classes."""
    return divergence.encode(log_p)


@_Jitted
def tile(divergence: Divergence, total: Total, a: Encoded, b: Encoded) -> Total:
    """The total [P, Q] of K after the samples of two blocks of points."""
    of: Any = divergence.block_of_many if isinstance(a, ManyClasses) else divergence.block
    return of(total, a, b)


@_Jitted
def diagonal_tile(divergence: Divergence, total: Total, a: Encoded) -> Total:
    """The same for a block with itself, on and above the diagonal; what lies below is not to be read."""
    of: Any = divergence.block_of_many if isinstance(a, ManyClasses) else divergence.block
    size = jax.tree.leaves(total)[0].shape[0]
    height = -(-size // STRIPS)
    for top in range(0, size, height):
        rows, columns = slice(top, min(top + height, size)), slice(top, size)
        here = jax.tree.map(lambda x, rows=rows, columns=columns: x[rows, columns], total)
        strip = of(here, _points(a, rows.start, rows.stop), _points(a, columns.start, columns.stop))
        total = jax.tree.map(lambda x, y, rows=rows, columns=columns: x.at[rows, columns].set(y), total, strip)
    return total


@_Jitted
def finished(divergence: Divergence, total: Total) -> tuple[jax.Array, jax.Array]:
    """What K is made of on the host, see `Divergence.finish`."""
    return divergence.finish(total)


@functools.partial(_Jitted, static=2)
def deviations(
    divergence: Divergence,
    diagonal: bool,
    totals: tuple[Total, ...],
    own: tuple[jax.Array, jax.Array],
    sizes: jax.Array,
    d: jax.Array,
) -> jax.Array:
    """(d_r - d) DEVIATION_SCALE [R, P, Q] in float16, where d_r = (K_r(p, q) - K_r(p, p) / 2 - K_r(q, q) / 2) / n_r.

    Args:
        divergence: which divergence.
        diagonal: whether rows and columns are the same points; then what lies below the diagonal is not read.
        totals: before the first group of samples and after each of them; K_r is the difference of two.
        own: K_r(p, p) [R, P] and K_r(q, q) [R, Q].
        sizes: n_r [R].
        d: the divergences by all samples [P, Q].
    """
    a, b = own
    sums = enumerate(sums_of_groups(divergence, totals))
    made = [(k - a[r][:, None] / 2 - b[r] / 2) / sizes[r] - d for r, k in sums]
    if diagonal:
        upper = [jnp.triu(x, 1) for x in made]
        made = [x + x.T for x in upper]
    return jnp.stack([(x * jnp.float32(DEVIATION_SCALE)).astype(jnp.float16) for x in made])


@_Jitted
def diagonals_of_groups(divergence: Divergence, totals: tuple[Total, ...]) -> jax.Array:
    """K_r(p, p) [R, P] of a block of points with itself."""
    diagonals = tuple(jax.tree.map(jnp.diagonal, total) for total in totals)
    return jnp.stack(sums_of_groups(divergence, diagonals))


def sums_of_groups(divergence: Divergence, totals: tuple[Total, ...]) -> list[jax.Array]:
    """K_r in float32 from the totals before and after each group: of two large numbers no digit is lost that counts."""
    ends = [divergence.finish(total) for total in totals]
    return [
        (large - large_before) + (small - small_before).astype(jnp.float32) * jnp.float32(divergence.unit)
        for (large_before, small_before), (large, small) in pairwise(ends)
    ]


def _points(encoded: Encoded, start: int, stop: int) -> Any:
    return encoded.take(start, stop) if isinstance(encoded, ManyClasses) else encoded[..., start:stop]
