"""What the page and the command say about dimensions: sentences, single numbers and tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING

import numpy as np

from infogeo.pairwise.matrix import GIVEN
from infogeo.plots.dimension import ALL_POINTS, digits, drawn_null, limit_text, null_band
from infogeo.plots.shares import ENOUGH
from infogeo.report.words import Table, bound

if TYPE_CHECKING:
    from infogeo.dimension.estimate import DimensionEstimate
    from infogeo.dimension.records import DimensionCurve, DimensionStudy

MEANINGS = {
    "Scale": (
        "A dimension belongs to a distance: a ball of wool is a ball from afar and a thread from close by. Each number "
        "here says at which distance it was looked. Distances are square roots of divergences."
    ),
    "Across and in all": (
        "Across runs, every other run counts once, where its path comes closest: in how many independent ways the runs "
        "differ. In all adds the one direction along a run. Neighbours among all points would mostly be the "
        "checkpoints just before and after, and tell of the run alone."
    ),
    "Interval": (
        "Runs are taken for independent, checkpoints of one run are not: more runs make an interval narrower, more "
        "checkpoints hardly do. It does not cover what a change of scale does."
    ),
    "Explained stress": (
        "How many axes a map needs is another question. A bent line has one dimension and takes many axes to draw; a "
        "map on three axes may explain nearly all stress and hide what neighbours differ in."
    ),
}
"""What the numbers mean, for a stranger; the second only where there are runs."""


@dataclass(frozen=True)
class DimensionSummary:
    """The words of the page.

    Attributes:
        title: of the page.
        answer: the dimensions, with their interval and scale.
        lead: what was measured, for a stranger.
        against_null: the dimension beside that under the null; empty without one.
        notes: what limits the estimates, and what was left out.
        members: what is drawn independently, runs or points.
        tiles: the numbers at the top, (number, what it counts).
        meanings: what the numbers mean, (word, in plain words).
        captions: how to read each picture, {variable: text}.
        estimates: one row per estimate.
        facts: how the numbers were made, (name, value).
    """

    title: str
    answer: str
    lead: str
    against_null: str
    notes: tuple[str, ...]
    members: str
    tiles: tuple[tuple[str, str], ...]
    meanings: tuple[tuple[str, str], ...]
    captions: dict[str, str]
    estimates: Table
    facts: tuple[tuple[str, str], ...]


def sentence(study: DimensionStudy) -> str:
    """The dimension across runs and in all, or that of a cloud of points, with its interval and scale."""
    if study.across is None:
        if isnan(study.total.value):
            return f"How many dimensions the points have cannot be told{_because(study.total)}."
        return f"The points have {number(study.total.value)} dimensions{_surroundings(study.total)}."
    if isnan(study.across.value):
        return f"How many dimensions the checkpoints have across runs cannot be told{_because(study.across)}."
    whole = "" if isnan(study.total.value) else f", {number(study.total.value)} in all with the one along the run"
    return (
        f"Across runs the checkpoints have {number(study.across.value)} dimensions{_surroundings(study.across)}{whole}."
    )


def null_sentence(study: DimensionStudy) -> str:
    """The dimension of the study and that under the null, at one distance that both know; empty without one."""
    if study.null is None:
        return ""
    at, low, middle, high = null_band(study.null)
    places, values = _known(study.null.data)
    if not len(at) or not len(places):
        return ""
    first, last = max(places[0], at[0]), min(places[-1], at[-1])
    count, which = len(study.null.curves), "across runs " if study.across else ""
    if first > last:
        return (
            f"With {study.null.model}, neighbours are at distances of {at[0]:.3g} to {at[-1]:.3g}, where the data have "
            f"none; the dimension {which}there is {number(low.min())} to {number(high.max())}."
        )
    looked = study.total if study.across is None else study.across
    where = float(np.clip(looked.scale if isfinite(looked.scale) else first, first, last))
    spot = np.log(where)
    of_data = float(np.interp(spot, np.log(places), values))
    below, typical, above = (float(np.interp(spot, np.log(at), ends)) for ends in (low, middle, high))
    spread = f"in all {count}" if count < ENOUGH else f"in 95 % of {count}"
    replicates = f" ({number(below)} to {number(above)} {spread} replicates)" if count > 1 else ""
    return (
        f"At distance {distance(where)} the dimension {which}is {number(of_data)}; with {study.null.model}, it "
        f"is {number(typical)}{replicates}."
    )


def cautions(study: DimensionStudy) -> tuple[str, ...]:
    """What limits the two dimensions of the answer, and what was left out, a sentence each.

    Why there is no answer is said by the `sentence` already.
    """
    answers = [estimate for estimate in (study.across, study.total) if estimate is not None]
    warnings = [warning for estimate in answers for warning in estimate.warnings[int(isnan(estimate.value)) :]]
    return _once(_as_sentence(text) for text in (*warnings, *study.notes))


def summarise_dimension(study: DimensionStudy) -> DimensionSummary:
    """The summary of a study."""
    points, runs = len(study.points), len(study.points.runs)
    return DimensionSummary(
        title=(
            f"How many dimensions {points:,} points have"
            if study.across is None
            else f"How many dimensions {runs:,} runs have"
        ),
        answer=bound(sentence(study)),
        lead=bound(_lead(study)),
        against_null=bound(null_sentence(study)),
        notes=tuple(map(bound, cautions(study))),
        members=_members(study),
        tiles=_tiles(study),
        meanings=tuple((word, text) for word, text in MEANINGS.items() if study.across or word != "Across and in all"),
        captions={name: bound(text) for name, text in _captions(study).items()},
        estimates=_estimates(study),
        facts=_facts(study),
    )


def number(value: float) -> str:
    """A dimension as a sentence says it: one decimal, two digits where it is small, whole from a hundred on."""
    if not isfinite(value):
        return "–" if isnan(value) else "∞"
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def distance(value: float) -> str:
    """A distance as a sentence says it."""
    return f"{value:.2g}" if isfinite(value) else "–"


def _surroundings(estimate: DimensionEstimate) -> str:
    """In brackets, its interval and its scale; empty where neither is known."""
    low, high = estimate.interval()
    parts = [] if isnan(low) else [f"{number(low)} to {number(high)} at 95 %"]
    parts += [] if isnan(estimate.scale) else [f"at distance {distance(estimate.scale)}"]
    return f" ({', '.join(parts)})" if parts else ""


def _because(estimate: DimensionEstimate) -> str:
    return f": {estimate.warnings[0].rstrip('.')}" if estimate.warnings else ""


def _lead(study: DimensionStudy) -> str:
    on = f" on {study.n_samples:,} probe samples" if study.n_samples else ""
    divergence = "the divergences that were given" if study.divergence == GIVEN else f"{study.divergence} divergences"
    whose = "points" if study.across is None else "checkpoints"
    return (
        f"How fast the number of neighbours grows with distance tells in how many independent directions {whose} "
        f"differ. Distances are the roots of {divergence}{on}, among {_counted(study)}."
    )


def _counted(study: DimensionStudy) -> str:
    """How many points there are; and runs, where these are more than a point each."""
    return f"{len(study.points):,} points" if study.across is None else study.points.counted()


def _members(study: DimensionStudy) -> str:
    return "points" if study.across is None else "runs"


def _tiles(study: DimensionStudy) -> tuple[tuple[str, str], ...]:
    tiles = []
    looked = study.total if study.across is None else study.across
    if isnan(looked.value):
        tiles += _range_over_scales(study)
    elif study.across is not None:
        tiles.append((_with_interval(study.across), "dimensions across runs (95 %)"))
        tiles.append((number(study.total.value), "in all, with the one along the run"))
    else:
        tiles.append((_with_interval(study.total), "dimensions (95 %)"))
    if isfinite(looked.scale) and not isnan(looked.value):
        tiles.append((distance(looked.scale), "distance at which it was looked"))
    if study.across is not None:
        tiles.append((f"{len(study.points.runs):,}", "runs"))
    tiles.append((f"{len(study.points):,}", "points" if study.across is None else "checkpoints"))
    return tuple((bound(figure), word) for figure, word in tiles)


def _range_over_scales(study: DimensionStudy) -> list[tuple[str, str]]:
    """The least and the largest dimension at any distance; none where no distance has one."""
    _, values = _known(next(curve for curve in study.curves if curve.variable == "scale"))
    where = "dimensions, by distance" if study.across is None else "dimensions across runs, by distance"
    return [(f"{number(values.min())}–{number(values.max())}", where)] if len(values) else []


def _with_interval(estimate: DimensionEstimate) -> str:
    low, high = estimate.interval()
    return number(estimate.value) + ("" if isnan(low) else f" ({number(low)}–{number(high)})")


def _captions(study: DimensionStudy) -> dict[str, str]:
    by_variable: dict[str, list[DimensionCurve]] = {}
    for curve in study.curves:
        by_variable.setdefault(curve.variable, []).append(curve)
    scale = (
        "Left is close by, right is far away. Where a line is level, the dimension does not depend on it; "
        "bands are 95 % intervals, and may leave the picture."
    )
    if study.across is not None and any(curve.name == ALL_POINTS for curve in by_variable.get("scale", [])):
        scale += " The dashed line counts neighbours of the same run as well and misleads: close by it sees the run."
    if null := drawn_null(study):
        scale += f" Grey is the null: the same with {null.model}."
    members = _members(study)
    captions = {
        "scale": scale,
        "progress": (
            "The dimension among checkpoints that have come equally far. Where the line falls, runs give up ways to "
            "differ; where it rises, they find new ones."
        ),
        "runs": (
            f"The same with fewer {members} drawn at random: if the line still climbs at its right end, more {members} "
            "would find more dimensions."
        ),
        "samples": (
            "The same from fewer probe samples of every class: while the line still moves at its right end, the number "
            "of samples decides."
        ),
        "estimates": (
            "One row per estimator, with its 95 % interval. They look at different distances, so they need not agree; "
            "rows of one marker ask the same question."
        ),
    }
    if isnan((study.across or study.total).value):
        captions["estimates"] += " As the dimension changes with distance, none of them is the answer."
    for curve in by_variable.get("samples", []):
        if curve.limit is not None and isfinite(curve.limit[0]):
            captions["samples"] += f" The dashed line is what infinitely many would give: {limit_text(*curve.limit)}."
            break
    return captions


def _estimates(study: DimensionStudy) -> Table:
    heads = (
        ("estimator", False),
        ("dimension", True),
        ("95 % interval", False),
        ("std. error", True),
        ("distance", True),
        ("points", True),
        ("left out", False),
        ("notes", False),
    )
    rows = tuple(
        (
            estimate.estimator,
            _digits(estimate.value, 3),
            _interval(estimate),
            _digits(estimate.standard_error, 2),
            _digits(estimate.scale, 3),
            f"{estimate.n_points}" if estimate.n_points else "–",
            _left_out(estimate),
            "; ".join(estimate.warnings),
        )
        for estimate in study.estimates
    )
    return Table(heads, rows)


def _left_out(estimate: DimensionEstimate) -> str:
    parts = [f"{estimate.excluded:,} points"] if estimate.excluded else []
    parts += [f"{estimate.excluded_pairs:,} pairs"] if estimate.excluded_pairs else []
    return ", ".join(parts) or "–"


def _interval(estimate: DimensionEstimate) -> str:
    low, high = estimate.interval()
    return "–" if isnan(low) else f"{digits(low)} to {digits(high)}"


def _facts(study: DimensionStudy) -> tuple[tuple[str, str], ...]:
    unit = "as given, its unit is not known"
    if study.divergence != GIVEN:
        unit = f"{study.divergence}, in nats, mean over samples"
    answer = study.total if study.across is None else study.across
    facts = [
        ("The answer is by", answer.estimator),
        ("Divergence", unit),
        ("Distance", "square root of the divergence"),
        ("Probe samples N", f"{study.n_samples:,}" if study.n_samples else "not known"),
        ("Points", _counted(study)),
        ("Intervals", "value × exp(± t · standard error / value), Student's t, errors by run"),
        ("Null", f"{study.null.model}; {len(study.null.curves)} replicates" if study.null else "none"),
    ]
    return tuple(facts)


def _known(curve: DimensionCurve) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(curve.values)
    return np.asarray(curve.at)[known], curve.values[known]


def _digits(value: float, count: int) -> str:
    return digits(value, count) if isfinite(value) else "–" if isnan(value) else "∞"


def _as_sentence(text: str) -> str:
    text = text.removeprefix("matrix: ").rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
