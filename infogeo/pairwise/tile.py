"""The one jitted function of the package's core."""

from functools import partial

import jax

from infogeo.divergences.base import Divergence


@partial(jax.jit, static_argnums=0)
def tile(divergence: Divergence, a: jax.Array, b: jax.Array) -> jax.Array:
    """K [P, Q]: the sum over samples between two blocks of encoded points [P, N, F] and [Q, N, F]."""
    return divergence.block(a, b)
