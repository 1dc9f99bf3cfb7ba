"""The jitted functions of the package's core: encoding a block of points, and a tile of divergences."""

from functools import partial

import jax
import jax.numpy as jnp

from infogeo.divergences.base import Divergence

CPU_OPTIONS = {"xla_cpu_prefer_vector_width": 512}
"""XLA uses half of a wide vector unit unless told; narrower processors split the wide operations."""
STRIPS = 4
"""A tile on the diagonal is computed in so many strips, each from its own diagonal on: 5/8 of the work."""

jitted = partial(jax.jit, static_argnums=0, compiler_options=CPU_OPTIONS if jax.default_backend() == "cpu" else None)


@jitted
def encoded(divergence: Divergence, log_p: jax.Array) -> jax.Array:
    """What `tile` eats [N, F, P], from log-probabilities [P, N, C]."""
    return divergence.encode(log_p)


@jitted
def tile(divergence: Divergence, a: jax.Array, b: jax.Array) -> jax.Array:
    """K [P, Q]: the sum over samples between two blocks of encoded points [N, F, P] and [N, F, Q]."""
    return divergence.block(a, b)


@jitted
def diagonal_tile(divergence: Divergence, a: jax.Array) -> jax.Array:
    """The upper triangle of K [P, P] of a block with itself, diagonal included; what lies below is not to be read."""
    size = a.shape[-1]
    height = -(-size // STRIPS)
    strips = [divergence.block(a[..., top : top + height], a[..., top:]) for top in range(0, size, height)]
    return jnp.concatenate([jnp.pad(strip, ((0, 0), (size - strip.shape[1], 0))) for strip in strips])
