"""What was measured, as Markdown for people, and as JSON and CSV with everything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dimension.coverage import SAMPLES
from benchmarks.dimension.ranges import kind_of, place, pooled

Row = dict[str, Any]
TITLES = {
    "clouds": "Clouds of P models of d dimensions",
    "runs": "Runs of models: d dimensions across them, and d + 1 in all for the correlation dimension",
}


def told(value: Any) -> str:
    """Three digits of a number, a dash for what is not there."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "-"
    if isinstance(value, (float, np.floating)):
        return f"{value:.3g}"
    return str(value).replace("|", "/")


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *([told(entry) for entry in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def in_full(rows: list[Row]) -> str:
    """Every column of rows that have the same ones or fewer."""
    head = list(dict.fromkeys(name for row in rows for name in row))
    return table(head, ([row.get(name) for name in head] for row in rows))


def recommended_table(ranges: list[Row]) -> str:
    """Per kind: estimators by sizes, entries `covers / bias within 10 %`, ranges of the true dimension."""
    parts = []
    for kind, title in TITLES.items():
        own = [row for row in ranges if row["kind"] == kind]
        columns = sorted({(row["samples"] != SAMPLES, row["size"], row["samples"]) for row in own})
        letter = "P" if kind == "clouds" else "R"
        head = ["estimator", *(f"{letter} = {size}, N = {samples}" for _, size, samples in columns)]
        body = []
        for name in dict.fromkeys(row["estimator"] for row in own):
            entries = {
                (row["size"], row["samples"]): f"{_span(row['covers'])} / {_span(row['bias within 10 %'])}"
                for row in own
                if row["estimator"] == name
            }
            body.append([name, *(entries.get((size, samples)) for _, size, samples in columns)])
        largest = max((row["largest tried"] for row in own), default=0)
        parts.append(f"### {title}; up to {largest} were tried\n\n{table(head, body)}")
    return "\n\n".join(parts)


def bias_table(rows: list[Row], kind: str, size: int) -> str:
    """Estimators by true dimension at one size: the mean estimate over families, and its coverage."""
    own = [row for row in rows if kind_of(row) == kind and row["size"] == size and row["samples"] == SAMPLES]
    names = sorted({row["estimator"] for row in own}, key=place)
    truths = sorted({row["truth"] for row in own})
    body = []
    for name in names:
        found = {
            at["truth"]: f"{at['mean']:.2f} ({100 * at['coverage']:.0f} %)" for at in pooled(rows, kind, size, name)
        }
        body.append([name, *(found.get(truth) for truth in truths)])
    return table(["estimator", *(f"d = {truth}" for truth in truths)], body)


def error_table(rows: list[Row], kind: str, size: int) -> str:
    """Whether standard errors are right: the mean SE over the spread of estimates, by true dimension."""
    own = [row for row in rows if kind_of(row) == kind and row["size"] == size and row["samples"] == SAMPLES]
    truths = sorted({row["truth"] for row in own})
    body = []
    for name in sorted({row["estimator"] for row in own}, key=place):
        entries = []
        for truth in truths:
            cells = [row for row in own if row["estimator"] == name and row["truth"] == truth]
            ratios = [row["mean SE"] / row["sd"] for row in cells if row["sd"] > 0]
            entries.append(float(np.mean(ratios)) if ratios else None)
        seconds = float(np.median([row["seconds"] for row in own if row["estimator"] == name]))
        body.append([name, *entries, seconds])
    return table(["estimator", *(f"d = {truth}" for truth in truths), "seconds"], body)


def beside(rows: list[Row], index: str, size: int) -> str:
    """Estimators by manifold at one number of points; ours in bold where the interval holds the truth."""
    own = [row for row in rows if row["points"] == size]
    manifolds = list(dict.fromkeys(row[index] for row in own))
    truth = {row[index]: row["truth"] for row in own}
    body: list[list[Any]] = [["*truth*", *(truth[name] for name in manifolds)]]
    for estimator in dict.fromkeys(row["estimator"] for row in own):
        entries = {row[index]: _entry(row) for row in own if row["estimator"] == estimator}
        body.append([estimator, *(entries.get(name) for name in manifolds)])
    return table(["estimator", *manifolds], body)


def _span(ends: tuple[int, int]) -> str:
    first, last = ends
    if not last:
        return "none"
    return str(first) if first == last else f"{first}-{last}"


def _entry(row: Row) -> str:
    if isinstance(row["value"], str):
        return "fails"
    return f"**{told(row['value'])}**" if row.get("covers") else told(row["value"])


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Everything; lists of rows as {"columns": [...], "rows": [[...], ...]}, a row per line; NaN is null."""
    parts = []
    for name, value in content.items():
        if isinstance(value, list):
            head = list(dict.fromkeys(key for row in value for key in row))
            lines = ",\n      ".join(json.dumps(_plain([row.get(key) for key in head])) for row in value)
            text = f'{{\n    "columns": {json.dumps(head)},\n    "rows": [\n      {lines}\n    ]\n  }}'
        else:
            text = json.dumps(_plain(value))
        parts.append(f"  {json.dumps(name)}: {text}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, (float, np.floating)):
        return _short(float(value)) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _short(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value
