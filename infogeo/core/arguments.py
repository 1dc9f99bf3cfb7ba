"""What an argument must be: a record, a method, a whole number; each error says how to make one."""

from __future__ import annotations

from typing import Any

import numpy as np

from infogeo.core.errors import InputError

MAKERS = {
    "Points": "Points.of_runs(names, steps) makes them",
    "Probe": "infogeo.Probe(inputs, labels=labels) makes one",
    "RecordingOptions": "infogeo.RecordingOptions(half=True) makes some",
    "CoarseGraining": "infogeo.leading_classes(predictions, keep=100) makes one",
    "Predictions": "infogeo.load(paths) or Predictions.from_arrays({run: array}) makes them",
    "PairwiseMatrix": "PairwiseMatrix.from_array(values) makes one",
    "SampleGroups": "divergence_by_groups(predictions, divergence) makes them",
    "ExponentialFamily": "gaussian_family(mean, variance) makes one, and so do others of this kind",
    "Embedding": "infogeo.inpca(matrix) makes one",
    "Projection": "infogeo.place(map, new, fitted, divergence) makes one",
    "EmbeddingErrors": "infogeo.embedding_errors(groups) makes them",
    "NullComparison": "infogeo.explained_stress_null(predictions, divergence) makes one",
    "Residuals": "infogeo.residuals(matrix, embedding) makes them",
    "DimensionStudy": "infogeo.dimension_study(matrix) makes one",
    "Comparison": "infogeo.compare_runs(predictions, factors, divergence) makes one",
}
"""How each record is made, for messages."""
DIVERGENCES = "Bhattacharyya(), Hellinger(), SymmetricKL(), Renyi(0.3), JensenShannon(), FisherRao() or Euclidean()"
NULLS = "WithinClassShuffle(), StepShuffle(), DirichletModels() or GeodesicNull()"


def check_record(argument: str, value: object, record: type, optional: bool = False) -> None:
    """A record of one class, or None where it is optional.

    Raises:
        InputError: something else.
    """
    if isinstance(value, record) or (optional and value is None):
        return
    name = record.__name__
    part = f"; give its .{argument}" if isinstance(getattr(value, argument, None), record) else ""
    many = "" if name.endswith("s") else "an " if name[0] in "AEIO" else "a "
    raise InputError(f"{argument}: {told(value)}{part or f'; give {many}{name}: {MAKERS[name]}'}")


def check_divergence(value: object) -> None:
    """A divergence.

    Raises:
        InputError: its name, its class, or something else.
    """
    _check_method("divergence", value, "finish", DIVERGENCES)


def check_null(value: object) -> None:
    """A null model.

    Raises:
        InputError: its name, its class, or something else.
    """
    _check_method("null", value, "replicate", NULLS)


def check_whole(argument: str, value: Any, least: int = 1) -> None:
    """A whole number, not below the least.

    Raises:
        InputError: something else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{argument}: {told(value)}; give a whole number from {least} on")
    if value < least:
        raise InputError(f"{argument}: {value}; give at least {least}")


def told(value: object) -> str:
    """In words, what a value is that was not expected."""
    if value is None:
        return "is missing"
    if isinstance(value, type):
        return f"is the class {value.__name__} itself, without ()"
    if isinstance(value, str):
        return f"is the text '{value}'"
    if isinstance(value, (int, float)):
        return f"is {value}"
    if isinstance(value, np.ndarray):
        return f"is an array of shape {value.shape}"
    return f"is of the type {type(value).__name__}"


def _check_method(argument: str, value: object, does: str, examples: str) -> None:
    if isinstance(value, type) or not hasattr(value, does):
        raise InputError(f"{argument}: {told(value)}; give one of {examples}")
