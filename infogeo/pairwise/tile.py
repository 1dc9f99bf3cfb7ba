"""The jitted functions of the package's core: encoding a block of points, and a tile of divergences."""

from functools import partial

import jax
import jax.numpy as jnp

from infogeo.divergences.base import Divergence

CPU_OPTIONS = {"xla_cpu_prefer_vector_width": 512}
"""XLA uses half of a wide vector unit unless told; narrower processors split the wide operations."""
STRIPS = 4
"""A tile on the diagonal is computed in so many strips, each from its own diagonal on: 5/8 of the work."""

Total = tuple[jax.Array, jax.Array]
"""A sum in twice the precision of float32, as a number and its remainder, on any device."""

jitted = partial(jax.jit, static_argnums=0, compiler_options=CPU_OPTIONS if jax.default_backend() == "cpu" else None)


@jitted
def encoded(divergence: Divergence, log_p: jax.Array) -> jax.Array:
    """What `tile` eats [N, F, P], from log-probabilities [P, N, C]."""
    return divergence.encode(log_p)


@jitted
def tile(divergence: Divergence, total: Total, a: jax.Array, b: jax.Array) -> Total:
    """The total [P, Q] plus K, the sum over samples between two blocks of encoded points [N, F, P] and [N, F, Q]."""
    return _added(total, divergence.block(a, b))


@jitted
def diagonal_tile(divergence: Divergence, total: Total, a: jax.Array) -> Total:
    """The same for a block with itself, on and above the diagonal; what lies below is not to be read."""
    size = a.shape[-1]
    height = -(-size // STRIPS)
    strips = [divergence.block(a[..., top : top + height], a[..., top:]) for top in range(0, size, height)]
    return _added(total, jnp.concatenate([jnp.pad(s, ((0, 0), (size - s.shape[1], 0))) for s in strips]))


def _added(total: Total, part: jax.Array) -> Total:
    """Without loss: the rounding of the sum goes to the remainder (Knuth's two-sum)."""
    large, small = total
    raised = large + part
    seen = raised - large
    return raised, small + ((large - (raised - seen)) + (part - seen))
