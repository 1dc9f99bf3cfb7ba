"""One self-contained page about a comparison of runs: the answer first, then the pictures and the tests behind it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from infogeo.core.errors import InputError
from infogeo.core.output import written_beside
from infogeo.embed.inpca import Embedding
from infogeo.report.comparison_data import comparison_data
from infogeo.report.comparison_words import ComparisonSummary, summarise_comparison
from infogeo.report.page import _check_path, _digest, _text, safe_json
from infogeo.report.payload import plain
from infogeo.trajectories.comparison import Comparison

SCRIPTS = ("data.js", "look.js", "figures.js", "controls.js", "table.js", "journey.js", "comparison.js")


def write_comparison(
    path: str | os.PathLike[str],
    comparison: Comparison,
    embedding: Embedding | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a comparison as one HTML file that loads nothing from elsewhere; return its path.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Args:
        path: an .html file in a folder that exists.
        comparison: of R runs.
        embedding: a map of all their checkpoints, on which a slider moves the runs along progress.
        provenance: where the numbers came from, nested JSON values.
        overwrite: replace a file that is there.

    Raises:
        InputError: the path is no .html file, its folder is missing or it exists; or the embedding lacks a checkpoint.
    """
    target = Path(path)
    _check_path(target, overwrite)
    rows = None if embedding is None else _rows(comparison, embedding)
    data = comparison_data(comparison, embedding, rows)
    text = comparison_page(summarise_comparison(comparison), data, provenance)
    with written_beside(target, overwrite, Path.is_file) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
    return target


def comparison_page(summary: ComparisonSummary, data: Mapping[str, Any], provenance: Mapping[str, Any] | None) -> str:
    """The HTML text of the page; what it shares with the page of a map comes from the same files."""
    folder = files("infogeo.report")
    script = "(() => {\n'use strict';\n" + "\n".join(_text(folder, name) for name in SCRIPTS) + "\n})();\n"
    plotly = get_plotlyjs().replace("\r\n", "\n").replace("\r", "\n")
    macros = _text(folder, "template.html").partition("<!DOCTYPE html>")[0]
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(macros + _text(folder, "comparison.html"))
    return template.render(
        summary=summary,
        data=Markup(safe_json(data)),
        has=data["has"],
        provenance=None if provenance is None else plain(provenance),
        style=Markup(_text(folder, "style.css")),
        plotly=Markup(plotly),
        script=Markup(script),
        hashes=[_digest(plotly), _digest(script)],
    )


def _rows(comparison: Comparison, embedding: Embedding) -> list[int]:
    """The row of the embedding of each of the P checkpoints compared."""
    keys = zip(embedding.points["run"].tolist(), embedding.points["step"].tolist(), strict=True)
    row_of = {key: row for row, key in enumerate(keys)}
    points = comparison.progress.points
    wanted = [*zip(points["run"].tolist(), points["step"].tolist(), strict=True)]
    missing = [key for key in wanted if key not in row_of]
    if missing:
        run, step = missing[0]
        raise InputError(
            f"embedding: lacks {len(missing)} of {len(wanted)} checkpoints compared, first step {step} of run '{run}'; "
            "embed the predictions that were compared"
        )
    return [row_of[key] for key in wanted]
