"""Pictures of dimensions: against scale, progress, runs and samples, and every estimate with its interval."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.arguments import told
from infogeo.core.errors import InputError
from infogeo.pairwise.matrix import GIVEN
from infogeo.plots import palette
from infogeo.plots.axes import escaped, log_axis
from infogeo.plots.shares import ENOUGH, LEVEL
from infogeo.plots.style import figure

if TYPE_CHECKING:  # estimators load more of SciPy than a map needs
    from infogeo.dimension.estimate import DimensionEstimate
    from infogeo.dimension.records import DimensionCurve, DimensionNull, DimensionStudy

Array = NDArray[np.float64]

ALL_POINTS = "all points"
"""The curve that looks at all neighbours, those of the same run as well."""
ACROSS = "across runs"
MISLEADING = " (misleading for runs)"
TITLES = {"progress": "progress", "runs": "number of runs", "samples": "number of probe samples"}
VARIABLES = ("scale", *TITLES)
LOG = ("scale", "runs", "samples")
"""Variables on a log axis."""
MOST_TICKS = 8
"""Numbers of runs or samples that an axis names, each where it was looked."""
NEARLY = 1.5
"""Times: how far the distances of a null and of the data may be apart in one picture."""
CLOSE, TICKS = 4.0, 4
"""Largest over smallest distance from which on an axis names decades; below it has about so many ticks."""
STRETCHED = 8.0
"""Largest over smallest dimension from which on their axis is a log axis."""
BEYOND = 1.4
"""Bands are cut at so much of the largest dimension drawn."""
LAST = 1001
"""The rank in a legend after those that have none."""
PART = "the part held against the null"
GRID = 60
"""Distances at which a band over replicates is drawn."""
ABOVE = {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"}
FIXED_LOOKS = {
    ACROSS: (palette.OKABE_ITO[0], "solid", "circle"),
    ALL_POINTS: (palette.OKABE_ITO[1], "dash", "diamond-open"),
}
OTHER_LOOKS = (
    (palette.OKABE_ITO[2], "dot", "square"),
    (palette.OKABE_ITO[3], "dashdot", "triangle-up"),
    (palette.OKABE_ITO[4], "longdash", "x"),
)


def dimension_curves(study: DimensionStudy, variable: str = "scale") -> go.Figure:
    """The dimension against one variable: a line per curve, with the band of its 95 % intervals.

    Against scale, the axis is the distance sqrt(divergence), on a log scale; the grey band holds the replicates of the
    null (all of them where they are fewer than 40, else their central 95 %), and the dashed grey line is their median.
    Where a part of the data was compared with it, the curve of that part is dotted: hold that one against the null.
    A null whose distances are all far from those of the data is left out; its numbers stay in the study.
    The curve of all points is dashed where points follow each other in runs: at small scales it sees the runs alone.
    A dashed line is the value for infinitely many, where a curve has one.

    Args:
        study: from `dimension_study`.
        variable: "scale", "progress", "runs" or "samples".

    Raises:
        InputError: there is no such variable, or the study has no curve against it.
    """
    check_study(study)
    if variable not in VARIABLES:
        raise InputError(f"variable: {told(variable)}; give one of {', '.join(VARIABLES)}")
    curves = [curve for curve in study.curves if curve.variable == variable and np.isfinite(curve.values).any()]
    if not curves:
        there = ", ".join(variables(study)) or "no curve at all"
        raise InputError(f"variable: this study has no dimension against {variable}; it has {there}")
    looks = _looks(study, curves)
    null = drawn_null(study) if variable == "scale" else None
    traces = [] if null is None else _null_traces(null)
    for curve, (colour, _, _) in zip(curves, looks, strict=True):
        traces += _band(curve, colour)
    traces += [_line(study, curve, *look) for curve, look in zip(curves, looks, strict=True)]
    traces += [] if null is None else _part(null, curves)
    for curve, (colour, _, _) in zip(curves, looks, strict=True):
        traces += _limit(curve, colour)
    drawn = [*curves, *([] if null is None else [*null.curves, null.data])]
    return figure(
        traces,
        xaxis=_axis(study, variable, drawn),
        yaxis={"title": {"text": "dimension"}, **_range(drawn)},
        legend=ABOVE,
        margin={"t": 24},
    )


def check_study(study: object) -> None:
    """A study of dimensions.

    Raises:
        InputError: something else.
    """
    from infogeo.dimension.records import DimensionStudy

    if not isinstance(study, DimensionStudy):
        raise InputError(f"study: {told(study)}; give a DimensionStudy: infogeo.dimension_study(matrix) makes one")


def variables(study: DimensionStudy) -> list[str]:
    """The variables against which a study has a curve with a number on it."""
    there = {curve.variable for curve in study.curves if np.isfinite(curve.values).any()}
    return [name for name in VARIABLES if name in there]


def drawn_null(study: DimensionStudy) -> DimensionNull | None:
    """The null beside the dimension against scale; None where its distances are all far from those of the data."""
    if study.null is None:
        return None
    at, *_ = null_band(study.null)
    ours = np.concatenate([study.null.data.at, *(curve.at for curve in study.curves if curve.variable == "scale")])
    return study.null if len(at) and at[0] <= NEARLY * ours.max() and ours.min() <= NEARLY * at[-1] else None


def distance_name(divergence: str) -> str:
    """The distance whose square a divergence stands for, escaped."""
    return "distance √(given divergence)" if divergence == GIVEN else f"distance √({escaped(divergence)})"


def marked(study: DimensionStudy, name: str) -> str:
    """The name of a curve or kind; that of all points says what is wrong with it where there are runs."""
    return f"{name}{MISLEADING}" if name == ALL_POINTS and study.across is not None else name


def null_band(null: DimensionNull) -> tuple[Array, Array, Array, Array]:
    """Distances [J] and there the lower end, median and upper end [J] of the dimension over replicates.

    Each replicate is read between its own distances, straight in log distance. All replicates are in the band where
    they are fewer than 40, else their central 95 %; there is none where less than half of them reach.
    """
    known = [(np.log(c.at[ok]), c.values[ok]) for c in null.curves for ok in [np.isfinite(c.values)] if ok.any()]
    nothing = np.zeros(0)
    if not known:
        return nothing, nothing, nothing, nothing
    places = [x for x, _ in known]
    same = all(len(x) == len(places[0]) and np.allclose(x, places[0]) for x in places)
    grid = places[0] if same else np.linspace(min(x[0] for x in places), max(x[-1] for x in places), GRID)
    values = np.stack([np.interp(grid, x, y, left=np.nan, right=np.nan) for x, y in known])
    enough = 2 * np.isfinite(values).sum(axis=0) >= len(known)
    if not enough.any():
        return nothing, nothing, nothing, nothing
    tail = 0.0 if len(known) < ENOUGH else (1 - LEVEL) / 2
    bottom, middle, top = np.nanquantile(values[:, enough], [tail, 0.5, 1 - tail], axis=0)
    return np.exp(grid[enough]), bottom, middle, top


def _looks(study: DimensionStudy, curves: list[DimensionCurve]) -> list[tuple[str, str, str]]:
    """Colour, dash and marker of each curve: those of its name, or the next ones; of a cloud as of runs across."""
    if study.across is None:
        return [FIXED_LOOKS[ACROSS]] * len(curves)
    others = list(dict.fromkeys(curve.name for curve in curves if curve.name not in FIXED_LOOKS))
    free = {name: OTHER_LOOKS[i % len(OTHER_LOOKS)] for i, name in enumerate(others)}
    return [FIXED_LOOKS.get(curve.name) or free[curve.name] for curve in curves]


def _line(study: DimensionStudy, curve: DimensionCurve, colour: str, dash: str, symbol: str) -> Any:
    return go.Scatter(
        x=curve.at,
        y=curve.values,
        mode="lines+markers",
        name=escaped(marked(study, curve.name)),
        text=[_text(curve, at, estimate) for at, estimate in zip(curve.at, curve.estimates, strict=True)],
        line={"color": colour, "width": 2.2, "dash": dash},
        marker={"color": colour, "size": 8, "symbol": symbol, "line": {"width": 1.6, "color": colour}},
        hovertemplate="%{text}<extra></extra>",
    )


def _text(curve: DimensionCurve, at: float, estimate: DimensionEstimate) -> str:
    """What hovering says of a point."""
    where = {"scale": f"distance {at:.3g}", "progress": f"progress {at:.3g}"}
    return (
        f"<b>{escaped(curve.name)}</b><br>{where.get(curve.variable, f'{at:,.0f} {curve.variable}')}<br>"
        f"dimension {interval_text(estimate)}<br>{escaped(estimate.estimator)}"
    )


def interval_text(estimate: DimensionEstimate) -> str:
    """A dimension with its interval: 2.39 (1.61 to 3.56)."""
    low, high = estimate.interval(LEVEL)
    return digits(estimate.value) + ("" if np.isnan(low) else f" ({digits(low)} to {digits(high)})")


def digits(value: float, count: int = 3) -> str:
    """A number with so many digits that matter, never with an exponent where it is large."""
    return f"{value:.0f}" if abs(value) >= 10**count else f"{value:.{count}g}"


def _band(curve: DimensionCurve, colour: str) -> list[Any]:
    """The polygons between the ends of intervals, one for each stretch of places where they are known."""
    at, (low, high) = curve.at, curve.band(LEVEL)
    known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    stretches = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1)
    fill = f"rgba({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))}, 0.16)"
    return [_filled(at[own], low[own], high[own], fill) for own in stretches if len(own) > 1]


def _filled(at: Array, low: Array, high: Array, fill: str, **named: Any) -> Any:
    return go.Scatter(
        x=np.concatenate([at, at[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        fill="toself",
        fillcolor=fill,
        line={"width": 0, "color": "rgba(128, 128, 128, 0)"},
        hoverinfo="skip",
        **(named or {"showlegend": False}),
    )


def _null_traces(null: DimensionNull) -> list[Any]:
    at, low, middle, high = null_band(null)
    if not len(at):
        return []
    count = len(null.curves)
    line = go.Scatter(
        x=at,
        y=middle,
        mode="lines",
        name="null" if count == 1 else "null, median",
        legendrank=LAST,
        line={"color": palette.GREY, "dash": "dash", "width": 1.6},
        hovertemplate="null<br>distance %{x:.3g}<br>dimension %{y:.3g}<extra></extra>",
    )
    if count == 1:
        return [line]
    which = f"all {count}" if count < ENOUGH else f"central 95 % of {count}"
    return [_filled(at, low, high, palette.BAND, name=f"null, {which} replicates", legendrank=LAST), line]


def _part(null: DimensionNull, curves: list[DimensionCurve]) -> list[Any]:
    """The dimension of the part of the data that the null was compared with, where that is not all of them."""
    part = null.data
    for curve in curves:
        if len(curve.at) == len(part.at) and np.allclose([*curve.at, *curve.values], [*part.at, *part.values]):
            return []
    return [
        go.Scatter(
            x=part.at,
            y=part.values,
            mode="lines+markers",
            name=PART,
            text=[_text(replace(part, name=PART), at, e) for at, e in zip(part.at, part.estimates, strict=True)],
            legendrank=LAST,
            line={"color": FIXED_LOOKS[ACROSS][0], "width": 1.8, "dash": "dot"},
            marker={"color": FIXED_LOOKS[ACROSS][0], "size": 7, "symbol": "circle-open"},
            hovertemplate="%{text}<extra></extra>",
        )
    ]


def _limit(curve: DimensionCurve, colour: str) -> list[Any]:
    """The value for infinitely many, across the picture."""
    if curve.limit is None or not np.isfinite(curve.limit[0]):
        return []
    text = limit_text(*curve.limit)
    return [
        go.Scatter(
            x=[curve.at[0], curve.at[-1]],
            y=[curve.limit[0]] * 2,
            mode="lines",
            name=f"for infinitely many: {text}",
            line={"color": colour, "width": 1.8, "dash": "dash"},
            hovertemplate=f"{escaped(curve.name)}, for infinitely many {curve.variable}: {text}<extra></extra>",
        )
    ]


def limit_text(value: float, error: float) -> str:
    """An extrapolated dimension with its standard error: 2.04 ± 0.21."""
    return digits(value) + (f" ± {digits(error, 2)}" if np.isfinite(error) else "")


def _axis(study: DimensionStudy, variable: str, curves: list[DimensionCurve]) -> dict[str, Any]:
    places = np.unique(np.concatenate([curve.at for curve in curves]))
    if variable == "scale":
        return {**_distances(places), "title": {"text": distance_name(study.divergence)}}
    title = {"text": "number of points" if variable == "runs" and study.across is None else TITLES[variable]}
    if variable not in LOG:
        return {"title": title}
    axis = {"type": "log", "title": title}
    if len(places) > MOST_TICKS:
        return {**log_axis(places), **axis}
    return {**axis, "tickmode": "array", "tickvals": places, "ticktext": [f"{place:,.0f}" for place in places]}


def _distances(places: Array) -> dict[str, Any]:
    """A log axis of distances; where these are close together, its ticks are evenly spaced round numbers."""
    low, high = float(places.min()), float(places.max())
    if high > CLOSE * low:
        return log_axis(places)
    rough = max(high - low, 0.01 * high) / TICKS
    step = min((m * 10.0 ** np.floor(np.log10(rough)) for m in (1, 2, 5, 10)), key=lambda s: abs(np.log(s / rough)))
    ticks = step * np.arange(np.floor(low / step), np.ceil(high / step) + 1)
    return {"type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": [f"{tick:.4g}" for tick in ticks]}


def _range(curves: list[DimensionCurve]) -> dict[str, Any]:
    """The axis of dimensions: from zero, or a log axis where they differ much; wide intervals leave it."""
    values = np.concatenate([[*curve.values, *([curve.limit[0]] if curve.limit else [])] for curve in curves])
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return {"rangemode": "tozero"}
    ends = np.concatenate([np.concatenate(curve.band(LEVEL)) for curve in curves])
    ends = np.concatenate([values, ends[np.isfinite(ends)]])
    top = min(float(ends.max()), BEYOND * float(values.max()))
    if values.max() < STRETCHED * values.min():
        return {"range": [0, 1.05 * top]}
    bottom = max(float(ends.min()), float(values.min()) / BEYOND)
    axis = log_axis(np.array([bottom, top]))
    return {**axis, "range": [float(np.log10(bottom / 1.05)), float(np.log10(top * 1.05))]}
