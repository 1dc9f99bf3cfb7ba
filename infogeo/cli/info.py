"""`infogeo info`: what is in stores, files and folders of predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infogeo.cli import options
from infogeo.cli.console import Messages, answers_for_errors, existing, readable

SHOWN = 40
"""Runs that the table lists before it only counts."""


@answers_for_errors
def info(
    inputs: Annotated[list[Path], typer.Argument(help="Stores, .npy or .npz files, or folders.", metavar="INPUT...")],
    labels: options.Labels = None,
    meta: options.Meta = None,
    steps: options.Steps = None,
    kind: options.As = None,
) -> None:
    """Say what predictions hold, and check them.

    Runs, checkpoints, samples, classes, metadata, and whether the numbers are sound: everything is read.

    Example: infogeo info runs/ --labels labels.npy
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from infogeo.store import load

    with Messages().progress("reading") as progress:
        predictions = load(existing(inputs), labels=labels, meta=meta, steps=steps, kind=kind, progress=progress)
    points, console = predictions.points, Console(highlight=False)
    p, n, c = predictions.n_points, predictions.n_samples, predictions.n_classes
    print(f"{len(points.runs)} runs, {p} checkpoints, {n} samples, {c} classes ({readable(4 * p * n * c)} as float32)")
    print(f"labels: {'known' if predictions.labels is not None else 'not known; give --labels'}")
    for note in predictions.notes:
        print(note)
    print(f"entries below the floor of e^-174: {predictions.floored}")
    print(f"largest correction of a row's sum: {predictions.correction:.1e}")
    table = Table(box=None, pad_edge=False)
    scores = predictions.scores() if predictions.labels is not None else None
    for name in ("run", "checkpoints", "steps", *(["last accuracy"] if scores else []), *points.metadata):
        table.add_column(name, overflow="fold")
    for run in points.runs[:SHOWN]:
        rows = points.of_run(run)
        first, last = points["step"][rows[0]], points["step"][rows[-1]]
        accuracy = [f"{scores[0][rows[-1]]:.3f}"] if scores else []
        values = [str(points[name][rows[0]]) for name in points.metadata]
        table.add_row(*(escape(v) for v in (run, str(len(rows)), f"{first} to {last}", *accuracy, *values)))
    console.print(table)
    if len(points.runs) > SHOWN:
        print(f"... and {len(points.runs) - SHOWN} more runs")
