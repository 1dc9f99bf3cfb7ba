"""Which colour and which place in the legend belong to a run or a configuration of a comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

from infogeo.plots.axes import escaped
from infogeo.plots.colouring import Colouring, colouring
from infogeo.plots.curves import _scaled
from infogeo.trajectories.comparison import Comparison


def painted(comparison: Comparison, color: str | None) -> tuple[Colouring, list[str]]:
    """How a column, by default the first factor, colours the P checkpoints, and the colour of each [P]."""
    paint = colouring(comparison.progress.points, color or comparison.factors[0])
    if paint.values is not None and paint.continuous:
        return paint, _scaled(paint.column, paint.values)
    colours = paint.colours()
    return paint, [colours[code] for code in paint.codes]


def first_rows(comparison: Comparison) -> list[int]:
    """For each of the K configurations, a checkpoint that stands for it: the first of its first run."""
    tubes, points = comparison.tubes, comparison.progress.points
    names = tubes.runs["run"]
    return [
        int(points.of_run(str(names[np.flatnonzero(tubes.configuration == k)[0]]))[0]) for k in range(len(tubes.labels))
    ]


def look(paint: Colouring, row: int) -> dict[str, Any]:
    """Name and legend group of what is drawn for a checkpoint."""
    if paint.values is not None and paint.continuous:
        return {"name": f"{paint.values[row]:g}", "legendgroup": "", "showlegend": False}
    code = int(paint.codes[row])
    return {"name": escaped(paint.levels[code]), "legendgroup": str(code)}


def named_once(traces: list[Any]) -> list[Any]:
    """The same traces; of each legend group the first alone is in the legend."""
    seen = set()
    for trace in traces:
        trace.showlegend = trace.showlegend is not False and trace.legendgroup not in seen
        seen.add(trace.legendgroup)
    return traces


def legend(paint: Colouring) -> dict[str, Any]:
    """The legend of a colouring, with the column as its title."""
    return {"title": {"text": escaped(paint.column)}}
