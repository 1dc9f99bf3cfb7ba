"""The jitted functions of the package's core: encoding a block of points, and a tile of divergences."""

import functools
from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, ParamSpec, TypeVar

import jax
import jax.numpy as jnp

from infogeo.divergences.base import Divergence
from infogeo.divergences.many import ManyClasses

CPU_OPTIONS = {"xla_cpu_prefer_vector_width": 512}
"""XLA uses half of a wide vector unit unless told; narrower processors split the wide operations."""
STRIPS = 2
"""A tile on the diagonal is computed in so many strips, each from its own diagonal on: 3/4 of the work."""

Encoded = Any
"""Predictions of a block of points: `encoded`, an array [N, F, P], of few classes, `ManyClasses` of more."""
Total = tuple[jax.Array, jax.Array]
"""A sum in twice the precision of float32, as a number and its remainder, on any device."""

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
    """The total [P, Q] plus K, the sum over samples between two blocks of points."""
    return _added(total, _block(divergence, a, b))


@_Jitted
def diagonal_tile(divergence: Divergence, total: Total, a: Encoded) -> Total:
    """The same for a block with itself, on and above the diagonal; what lies below is not to be read."""
    size = total[0].shape[0]
    height = -(-size // STRIPS)
    strips = [
        _block(divergence, _points(a, top, min(top + height, size)), _points(a, top, size))
        for top in range(0, size, height)
    ]
    return _added(total, jnp.concatenate([jnp.pad(s, ((0, 0), (size - s.shape[1], 0))) for s in strips]))


def _block(divergence: Divergence, a: Encoded, b: Encoded) -> jax.Array:
    of: Any = divergence.block_of_many if isinstance(a, ManyClasses) else divergence.block
    return of(a, b)


def _points(encoded: Encoded, start: int, stop: int) -> Any:
    return encoded.take(start, stop) if isinstance(encoded, ManyClasses) else encoded[..., start:stop]


def _added(total: Total, part: jax.Array) -> Total:
    """Without loss: the rounding of the sum goes to the remainder (Knuth's two-sum)."""
    large, small = total
    raised = large + part
    seen = raised - large
    return raised, small + ((large - (raised - seen)) + (part - seen))
