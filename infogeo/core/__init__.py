"""Records and facts that every part shares: NumPy and SciPy only, no JAX."""
