"""One self-contained page about dimensions: the answer first, then pictures of what it depends on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infogeo.core.output import written_beside
from infogeo.plots import palette
from infogeo.plots.dimension import check_study, dimension_curves, variables
from infogeo.plots.dimension_estimates import dimension_estimates, shown_estimates
from infogeo.plots.style import INK
from infogeo.report.dimension_words import summarise_dimension
from infogeo.report.page import check_html_path, document
from infogeo.report.payload import figure_data

if TYPE_CHECKING:
    from infogeo.dimension.records import DimensionStudy

SCRIPTS = ("look.js", "controls.js", "table.js", "dimension.js")


def write_dimension(
    path: str | os.PathLike[str],
    study: DimensionStudy,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a study of dimensions as one HTML file that loads nothing from elsewhere; return its path.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Args:
        path: an .html file in a folder that exists.
        study: from `dimension_study`.
        provenance: where the numbers came from, nested JSON values.
        overwrite: replace a file that is there.

    Raises:
        InputError: the path is no .html file, its folder is missing or it exists.
    """
    target = check_html_path(path, overwrite)
    check_study(study)
    text = document("dimension.html", SCRIPTS, summarise_dimension(study), dimension_data(study), provenance)
    with written_beside(target, overwrite, Path.is_file) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
    return target


def dimension_data(study: DimensionStudy) -> dict[str, Any]:
    """Everything that the script of the page draws: the figures that there are, and how they look on dark paper."""
    figures = {name: dimension_curves(study, name) for name in variables(study)}
    if shown_estimates(study):
        figures["estimates"] = dimension_estimates(study)
    return {
        "ink": INK,
        "on_dark": palette.ON_DARK,
        "figures": {name: figure_data(made) for name, made in figures.items()},
        "has": {name: name in figures for name in ("scale", "progress", "runs", "samples", "estimates")},
    }
