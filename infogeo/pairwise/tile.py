"""The jitted functions of the package's core: encoding a block of points, and a tile of divergences."""

import functools
from collections.abc import Callable
from functools import cached_property
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
    """A jitted function whose options depend on the platform, which is not looked for before it is called."""

    def __init__(self, function: Callable[Arguments, Result]) -> None:
        functools.update_wrapper(self, function)
        self._function = function

    @cached_property
    def compiled(self) -> Any:
        """What `jax.jit` makes of it."""
        options = CPU_OPTIONS if jax.default_backend() == "cpu" else None
        return jax.jit(self._function, static_argnums=0, compiler_options=options)

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


@_Jitted
def with_group(divergence: Divergence, total: Total, group: Total) -> tuple[Total, jax.Array]:
    """The total with the samples of a group, and K [P, Q] of the group alone in float32."""
    large, small = divergence.finish(group)
    return divergence.joined(total, group), large + small * jnp.float32(divergence.unit)


@_Jitted
def deviations(
    diagonal: bool, sums: tuple[jax.Array, ...], own: tuple[jax.Array, jax.Array], sizes: jax.Array, d: jax.Array
) -> jax.Array:
    """(d_r - d) DEVIATION_SCALE [R, P, Q] in float16, where d_r = (K_r(p, q) - K_r(p, p) / 2 - K_r(q, q) / 2) / n_r.

    Args:
        diagonal: whether rows and columns are the same points; then what lies below the diagonal is not read.
        sums: K_r [P, Q] of each group r.
        own: K_r(p, p) [R, P] and K_r(q, q) [R, Q].
        sizes: n_r [R].
        d: the divergences by all samples [P, Q].
    """
    a, b = own
    made = [(k - a[r][:, None] / 2 - b[r] / 2) / sizes[r] - d for r, k in enumerate(sums)]
    if diagonal:
        upper = [jnp.triu(x, 1) for x in made]
        made = [x + x.T for x in upper]
    return jnp.stack([(x * jnp.float32(DEVIATION_SCALE)).astype(jnp.float16) for x in made])


def _points(encoded: Encoded, start: int, stop: int) -> Any:
    return encoded.take(start, stop) if isinstance(encoded, ManyClasses) else encoded[..., start:stop]
