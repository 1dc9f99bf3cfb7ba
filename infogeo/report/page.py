"""One self-contained page: template, style, script, plotly.js and data in a single file."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from infogeo.core.arguments import check_record, told
from infogeo.core.errors import InputError
from infogeo.core.output import check_free, written_beside
from infogeo.embed.inpca import Embedding
from infogeo.embed.references import Projection
from infogeo.embed.uncertainty import EmbeddingErrors
from infogeo.nulls.comparison import NullComparison
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.report.fit import fit_of
from infogeo.report.payload import payload, plain
from infogeo.report.records import MapRecords
from infogeo.report.summary import Summary, summarise

SCRIPTS = ("data.js", "look.js", "figures.js", "controls.js", "table.js", "report.js")


def write(
    path: str | os.PathLike[str],
    embedding: Embedding,
    *,
    matrix: PairwiseMatrix | None = None,
    references: Projection | None = None,
    projected: Projection | None = None,
    rows: PairwiseMatrix | None = None,
    null: NullComparison | None = None,
    errors: EmbeddingErrors | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the report as one HTML file that loads nothing from elsewhere; return its path.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Args:
        path: an .html file in a folder that exists.
        embedding: P points on K axes; columns `accuracy` and `loss` of its points are drawn against the step.
        matrix: the divergences [P, P]; drawn as a heat map of at most 400 points per side. Up to 20,000 points the
            page tells from it which runs do not fit on the first three axes.
        references: `ignorance` and `truth` on the map.
        projected: new points placed on the map [Q, K].
        rows: their divergences [Q, P] to the points of the map, for how well they fit on it.
        null: the explained stress by chance.
        errors: of this embedding; numbers and pictures get their 95 % intervals.
        provenance: where the numbers came from, nested JSON values: shown, and offered as a download.
        overwrite: replace a file that is there.

    Raises:
        InputError: the path is no .html file, its folder is missing or it exists; or the records disagree.
    """
    target = check_html_path(path, overwrite)
    check_record("embedding", embedding, Embedding)
    for name, record, kind in (
        ("matrix", matrix, PairwiseMatrix),
        ("references", references, Projection),
        ("projected", projected, Projection),
        ("rows", rows, PairwiseMatrix),
        ("null", null, NullComparison),
        ("errors", errors, EmbeddingErrors),
    ):
        check_record(name, record, kind, optional=True)
    records = MapRecords(embedding, matrix, references, projected, rows, null, errors)
    fit = fit_of(records)
    summary = summarise(records, fit)
    data = payload(records, fit, provenance)
    text = page(summary, data, provenance)
    with written_beside(target, overwrite, Path.is_file) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
    return target


def page(summary: Summary, data: Mapping[str, Any], provenance: Mapping[str, Any] | None) -> str:
    """The HTML text of the page of a map."""
    return document("template.html", SCRIPTS, summary, data, provenance)


def document(
    template: str,
    scripts: Sequence[str],
    summary: object,
    data: Mapping[str, Any],
    provenance: Mapping[str, Any] | None,
) -> str:
    """The HTML text of a template. Its content-security policy runs our two scripts and loads nothing.

    Args:
        template: a file of this folder, which may use the macros of macros.html.
        scripts: files of this folder, which become one.
        summary: the words of the page.
        data: what the script draws, and under `has` which parts there are.
        provenance: where the numbers came from.
    """
    folder = files("infogeo.report")
    script = "(() => {\n'use strict';\n" + "\n".join(_text(folder, name) for name in scripts) + "\n})();\n"
    plotly = get_plotlyjs().replace("\r\n", "\n").replace("\r", "\n")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_text(folder, "macros.html") + _text(folder, template)).render(
        summary=summary,
        data=Markup(safe_json(data)),
        provenance=None if provenance is None else plain(provenance),
        has=data["has"],
        style=Markup(_text(folder, "style.css")),
        plotly=Markup(plotly),
        script=Markup(script),
        hashes=[_digest(plotly), _digest(script)],
    )


def safe_json(data: Mapping[str, Any]) -> str:
    """JSON that is safe inside <script>: no '<', '>' or '&' stands in it as a letter."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _text(folder: Any, name: str) -> str:
    return folder.joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def check_html_path(given: str | os.PathLike[str], overwrite: bool) -> Path:
    """The place of a page; one where none can be written is refused before any work."""
    if not isinstance(given, (str, os.PathLike)):
        raise InputError(f"path: {told(given)}; give the name of an .html file first, then what to write")
    path = Path(given)
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"path: '{path}' is no .html file; give a name that ends in .html")
    if not path.parent.is_dir():
        raise InputError(f"path: the folder '{path.parent}' does not exist; make it first")
    check_free(path, overwrite, Path.is_file)
    return path
