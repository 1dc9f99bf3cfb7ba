"""What the page of a comparison says in words, single numbers and tables."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from infogeo.core.words import percent
from infogeo.plots.axes import scale_text
from infogeo.report.words import Table, bound
from infogeo.trajectories.comparison import Comparison


@dataclass(frozen=True)
class ComparisonSummary:
    """The words of the page.

    Attributes:
        title: of the page.
        answer: which factors separate the trajectories.
        lead: what was compared, for a stranger.
        block: within whose levels runs were compared, in a sentence; empty without a block.
        averaged: over which pairs of runs the divergence between two configurations is a mean.
        notes: what was left out, and why.
        tiles: the numbers at the top, (number, what it counts).
        tests: one row per factor.
        verdicts: each test in a sentence.
        paces: each factor in a sentence; empty where runs share no steps.
        protocol: what was held out for the importance; empty without it.
        runs: one row per run.
        facts: how the numbers were made, (name, value).
    """

    title: str
    answer: str
    lead: str
    block: str
    averaged: str
    notes: tuple[str, ...]
    tiles: tuple[tuple[str, str], ...]
    tests: Table
    verdicts: tuple[str, ...]
    paces: tuple[str, ...]
    protocol: str
    runs: Table
    facts: tuple[tuple[str, str], ...]


def summarise_comparison(comparison: Comparison) -> ComparisonSummary:
    """The summary of a comparison of R runs."""
    points, grid = comparison.progress.points, comparison.grid
    runs, samples = len(points.runs), comparison.matrix.n_samples
    configurations = len(comparison.configurations.points)
    tiles = [
        (f"{runs:,}", "runs"),
        (f"{len(points):,}", "checkpoints"),
        (f"{configurations:,}", "configurations"),
        (f"{grid[0]:.2f}–{grid[-1]:.2f}", "progress compared"),
    ]
    found, block = comparison.importance, comparison.block
    if block is not None:
        tiles.append((percent(block.r_squared), f"of the spread is {block.column}, set apart"))
    if found is not None:
        leading = int(np.argmax(found.importance))
        tiles.append((f"{found.importance[leading]:.2f}", f"importance of {found.factors[leading]}, held out"))
    on = f" on {samples:,} probe samples" if samples else ""
    return ComparisonSummary(
        title=f"How {runs:,} runs compare",
        answer=bound(comparison.sentence()),
        lead=(
            "Every run is followed along a geodesic, from ignorance, where all classes are equally likely, to truth, "
            f"unless the notes name another end. {runs:,} runs in "
            f"{configurations:,} configurations are compared where they have come equally far: the divergence between "
            f"two runs is the mean {comparison.matrix.divergence} divergence of their predictions{on} over the values "
            "of progress that all of them pass."
        ),
        block="" if block is None else bound(block.sentence()),
        averaged="means over their runs" if block is None else f"means over pairs of runs that agree in {block.column}",
        notes=tuple(map(bound, comparison.notes)),
        tiles=tuple((bound(number), word) for number, word in tiles),
        tests=_tests(comparison),
        verdicts=tuple(bound(test.sentence()) for test in comparison.tests),
        paces=tuple(bound(pace.sentence()) for pace in comparison.paces),
        protocol="" if found is None else f"{_capital(found.protocol)}.",
        runs=_runs_table(comparison),
        facts=_facts(comparison),
    )


def _tests(comparison: Comparison) -> Table:
    heads = (
        ("factor", False),
        ("% of spread", True),
        ("pseudo-F", True),
        ("p", True),
        ("smallest p", True),
        ("permutations", True),
        ("groups", True),
        ("exchanged within", False),
    )
    rows = tuple(
        (
            test.factor,
            _number(100 * test.r_squared, 3),
            _number(test.pseudo_f, 3),
            f"{test.p_value:.2g}",
            f"{test.smallest_p:.2g}",
            str(test.permutations),
            str(test.n_groups),
            (", ".join(test.strata) or "all runs") + (" (whole configurations)" if test.whole else ""),
        )
        for test in comparison.tests
    )
    return Table(heads, rows)


def _runs_table(comparison: Comparison) -> Table:
    shapes, progress = comparison.shapes, comparison.progress
    row_of = {run: row for row, run in enumerate(shapes.runs["run"].tolist())}
    factors = [name for name in comparison.factors if name != "run"]
    numeric = [progress.points[name].dtype.kind in "iuf" for name in factors]
    measured = (
        "checkpoints",
        "length",
        "coarse length",
        "tortuosity",
        "time near ignorance",
        "time near truth",
        "final progress",
        "largest distance",
    )
    heads = (("run", False), *zip(factors, numeric, strict=True), *((name, True) for name in measured))
    rows = []
    for run in progress.points.runs:
        own, r = progress.points.of_run(run), row_of[run]
        rows.append(
            (
                run,
                *(_value(progress.points[name][own[0]]) for name in factors),
                str(len(own)),
                _number(shapes.length[r], 4),
                _number(shapes.coarse_length[r], 4),
                _number(shapes.tortuosity[r], 4),
                _share(shapes.near_ignorance[r]),
                _share(shapes.near_truth[r]),
                f"{progress.values[own[-1]]:.3f}",
                _number(progress.distance[own].max(), 3),
            )
        )
    return Table(tuple(heads), tuple(rows))


def _facts(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    matrix, definition = comparison.matrix, comparison.progress.definition
    block = comparison.block
    facts = [
        ("Factors", ", ".join(comparison.factors)),
        ("Block", f"{block.column}, {block.n_levels} levels" if block else "none"),
        ("Divergence", f"{matrix.divergence}, in nats, mean over samples"),
        ("Scale", scale_text(matrix.fisher_factor)),
        ("Probe samples N", f"{matrix.n_samples:,}" if matrix.n_samples else "not known"),
        ("Progress", f"{type(definition).__name__}, nearest point of the geodesic by {definition.unit}"),
        ("Values of progress", f"{len(comparison.grid)}, from {comparison.grid[0]:.2f} to {comparison.grid[-1]:.2f}"),
        ("Lengths", "in the Fisher metric; from one certainty to another it is π"),
        ("Tree", "complete linkage of the divergences between configurations"),
    ]
    if comparison.importance is not None:
        facts.append(("Importance", f"{comparison.importance.protocol}; seed {comparison.importance.seed}"))
    return tuple(facts)


def _value(value: object) -> str:
    if isinstance(value, (float, np.floating)):
        return f"{value:g}" if isfinite(value) else "–"
    return str(value)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}g}" if isfinite(value) else "–" if np.isnan(value) else "∞"


def _share(value: float) -> str:
    return f"{100 * value:.1f}\u00a0%" if isfinite(value) else "–"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
