"""The one jitted function of the package's core."""

from functools import partial

import jax

from infogeo.divergences.base import Divergence

CPU_OPTIONS = {"xla_cpu_prefer_vector_width": 512}
"""XLA uses half of a wide vector unit unless told; other platforms ignore it, narrower processors split it."""


@partial(jax.jit, static_argnums=0, compiler_options=CPU_OPTIONS)
def tile(divergence: Divergence, a: jax.Array, b: jax.Array) -> jax.Array:
    """K [P, Q]: the sum over samples between two blocks of encoded points [N, P, F] and [N, Q, F]."""
    return divergence.block(a, b)
