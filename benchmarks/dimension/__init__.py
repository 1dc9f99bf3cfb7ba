"""The benchmark of dimension estimators: `python -m benchmarks.dimension`, from the root of the repository."""
