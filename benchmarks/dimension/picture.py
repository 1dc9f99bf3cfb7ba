"""One picture: estimates against the true dimension, with the band that holds 95 % of them."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.dimension.coverage import SAMPLES, Row
from benchmarks.dimension.ranges import kind_of, pooled
from infogeo.plots import palette

SHOWN = ("extrapolated", "TwoNN", "local PCA 20", "correlation", "MLE 20")
"""Visible at first; the others by a click on the legend."""


def draw(rows: list[Row], path: Path) -> None:
    """Write the picture: clouds of each P, then runs of each R, a panel each."""
    panels = sorted({(kind_of(row), row["size"]) for row in rows if row["samples"] == SAMPLES})
    titles = [f"{size} points" if kind == "clouds" else f"{size} runs" for kind, size in panels]
    columns = max(sum(kind == each for kind, _ in panels) for each in ("clouds", "runs"))
    figure = make_subplots(2, columns, subplot_titles=_padded(panels, titles, columns), vertical_spacing=0.12)
    names = list(dict.fromkeys([*SHOWN, *(row["estimator"].split(",")[0] for row in rows)]))
    colours = dict(zip(names, palette.qualitative(len(names)), strict=True))
    place = {"clouds": 0, "runs": 0}
    shown: set[str] = set()
    for kind, size in panels:
        place[kind] += 1
        at = {"row": 1 if kind == "clouds" else 2, "col": place[kind]}
        for name in names:
            full = name if kind == "clouds" or name == "correlation" else f"{name}, other runs"
            found = pooled(rows, kind, size, full)
            if found:
                _add(figure, found, name, colours[name], at, name not in shown)
                shown.add(name)
        ends = [row["truth"] for row in rows if kind_of(row) == kind]
        line = {"color": "#444", "width": 1, "dash": "dash"}
        identity = go.Scatter(x=[0, max(ends)], y=[0, max(ends)], mode="lines", line=line, hoverinfo="skip")
        figure.add_trace(identity.update(showlegend=False), **at)
        figure.update_xaxes(title_text="true dimension" if kind == "clouds" else "true dimension across (total)", **at)
        if place[kind] == 1:
            figure.update_yaxes(title_text="estimate", **at)
    figure.update_layout(
        template="simple_white",
        height=900,
        title="Estimates of dimension: mean over families, and the widest 95 % band of any; dashed: the truth",
        legend={"title": "click to show or hide"},
    )
    figure.write_html(path, include_plotlyjs="cdn")


def _add(figure: go.Figure, found: list[Row], name: str, colour: str, at: dict[str, int], first: bool) -> None:
    truths = [row["truth"] for row in found]
    visible = True if name in SHOWN else "legendonly"
    edges = [row["high"] for row in found] + [row["low"] for row in reversed(found)]
    band = go.Scatter(
        x=truths + truths[::-1], y=edges, fill="toself", fillcolor=colour, opacity=0.12, line={"width": 0},
        legendgroup=name, showlegend=False, hoverinfo="skip", visible=visible, mode="lines",
    )  # fmt: skip
    line = go.Scatter(
        x=truths, y=[row["mean"] for row in found], mode="lines+markers", line={"color": colour}, name=name,
        legendgroup=name, showlegend=first, visible=visible,
        customdata=[[row["low"], row["high"], 100 * row["coverage"]] for row in found],
        hovertemplate="true %{x}, mean %{y:.2f}<br>95 % in %{customdata[0]:.2f} to %{customdata[1]:.2f}<br>"
        "coverage %{customdata[2]:.0f} %",
    )  # fmt: skip
    figure.add_trace(band, **at)
    figure.add_trace(line, **at)


def _padded(panels: list[tuple[str, int]], titles: list[str], columns: int) -> list[str]:
    """Titles by row, with none where a row has fewer panels."""
    found: list[str] = []
    for kind in ("clouds", "runs"):
        own = [title for (each, _), title in zip(panels, titles, strict=True) if each == kind]
        found += own + [""] * (columns - len(own))
    return found
