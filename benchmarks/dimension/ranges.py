"""Between how many dimensions an estimator is to be trusted: from the rows of `coverage`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.dimension.coverage import SAMPLES, Row, is_close, is_good
from benchmarks.dimension.estimators import CORRELATION, EXTRAPOLATED, LOCAL, PCA
from benchmarks.dimension.families import FLOWS

ORDER = [EXTRAPOLATED, *LOCAL, *(f"local PCA {k}" for k in PCA), CORRELATION]


def kind_of(row: Row) -> str:
    """Clouds or runs."""
    return "runs" if row["family"] in FLOWS else "clouds"


def recommended(rows: list[Row]) -> list[Row]:
    """Per kind, size, N and estimator: between which true dimensions it covers, and its bias is small.

    An estimator covers at a d if it does in every family (or flow). Of the ranges of measured dimensions without one at
    which it does not, that which reaches highest is taken; (0, 0) if there is none. The dimension of the runs'
    correlation dimension is the total one.
    """
    groups: dict[tuple[str, int, int, str], list[Row]] = {}
    for row in sorted(rows, key=lambda row: place(row["estimator"])):
        groups.setdefault((kind_of(row), row["size"], row["samples"], row["estimator"]), []).append(row)
    return [
        {
            "kind": kind,
            "size": size,
            "samples": samples,
            "estimator": estimator,
            "covers": span(own, is_good),
            "bias within 10 %": span(own, is_close),
            "largest tried": max(row["truth"] for row in own),
        }
        for (kind, size, samples, estimator), own in groups.items()
    ]


def place(estimator: str) -> tuple[bool, int]:
    """Where an estimator comes in a table: by neighbours, then by kind and scale."""
    name, _, among = estimator.partition(", ")
    return among == "equal progress", ORDER.index(name)


def span(rows: list[Row], good: Callable[[Row], bool]) -> tuple[int, int]:
    """The highest range of truths at all of which every row is good."""
    first = last = 0
    for truth in sorted({row["truth"] for row in rows}, reverse=True):
        if all(good(row) for row in rows if row["truth"] == truth):
            first, last = truth, last or truth
        elif last:
            break
    return first, last


def pooled(rows: list[Row], kind: str, size: int, estimator: str) -> list[Row]:
    """Over families, by true dimension: mean, central 95 % and coverage of one estimator at N of `SAMPLES`."""
    chosen = [
        row
        for row in rows
        if kind_of(row) == kind and (row["size"], row["samples"], row["estimator"]) == (size, SAMPLES, estimator)
    ]
    found = []
    for truth in sorted({row["truth"] for row in chosen}):
        own = [row for row in chosen if row["truth"] == truth and row["answers"]]
        if not own:
            continue
        weights = np.array([row["answers"] for row in own])
        columns = {name: np.array([row[name] for row in own]) for name in ("mean", "coverage", "low", "high")}
        found.append(
            {
                "truth": truth,
                "mean": float(np.average(columns["mean"], weights=weights)),
                "coverage": float(np.average(columns["coverage"], weights=weights)),
                "low": float(columns["low"].min()),
                "high": float(columns["high"].max()),
            }
        )
    return found
