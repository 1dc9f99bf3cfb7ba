"""One self-contained page about a comparison of runs: the answer first, then the pictures and the tests behind it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infogeo.core.arguments import check_record
from infogeo.core.errors import InputError
from infogeo.core.output import written_beside
from infogeo.embed.inpca import Embedding
from infogeo.report.comparison_data import comparison_data
from infogeo.report.comparison_words import summarise_comparison
from infogeo.report.page import check_html_path, document
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
    target = check_html_path(path, overwrite)
    check_record("comparison", comparison, Comparison)
    check_record("embedding", embedding, Embedding, optional=True)
    rows = None if embedding is None else _rows(comparison, embedding)
    data = comparison_data(comparison, embedding, rows)
    text = document("comparison.html", SCRIPTS, summarise_comparison(comparison), data, provenance)
    with written_beside(target, overwrite, Path.is_file) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
    return target


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
