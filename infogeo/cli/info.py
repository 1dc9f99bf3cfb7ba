"""`infogeo info`: what is in stores, files and folders of predictions, and is it sound."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infogeo.cli import options
from infogeo.cli.console import Messages, answers_for_errors, existing, readable

if TYPE_CHECKING:
    from infogeo.core.predictions import Predictions
    from infogeo.store.inspection import StoreReport

SHOWN = 40
"""Runs that the table lists before it only counts."""


@answers_for_errors
def info(
    inputs: Annotated[list[Path], typer.Argument(help="Stores, files or folders of predictions.", metavar="INPUT...")],
    labels: options.Labels = None,
    meta: options.Meta = None,
    steps: options.Steps = None,
    kind: options.As = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every checkpoint of a store and compare it with its fingerprint.")
    ] = False,
) -> None:
    """Say what predictions hold, and whether they are sound.

    Of a store: its probe, and for each run the steps, metadata, size, and whether it is finished, being recorded, or
    stopped and can go on; also while it is written. With --verify every number is checked: the exit code is 1 where
    any is damaged. Of files, and of stores with --labels or --meta: everything is read, and checked on the way.

    Example: infogeo info runs.zarr --verify
    """
    from infogeo.store.layout import is_store

    found = existing(inputs)
    inside = [
        [root] if is_store(root) else sorted(path.parent for path in root.glob("*/zarr.json") if is_store(path.parent))
        for root in found
    ]
    if all(inside) and not (labels or meta or steps or kind):
        _tell_of_stores([path for stores in inside for path in stores], verify)
        return
    if verify:
        from infogeo.core.errors import InputError

        raise InputError("--verify: is for stores alone, whose checkpoints have fingerprints; files are always checked")
    _tell_of_predictions(found, labels, meta, steps, kind)


def _tell_of_stores(stores: list[Path], verify: bool) -> None:
    from infogeo.core.words import one_line
    from infogeo.store.inspection import inspect_store, verify_store

    messages, damaged = Messages(), 0
    for number, path in enumerate(stores):
        report = inspect_store(path)
        print("\n" * (number > 0) + _facts(report))
        _print_table(
            ["run", "checkpoints", "steps", "size", "state", *_columns(report)],
            (
                [
                    run.run,
                    str(len(run.steps)),
                    f"{run.steps[0]} to {run.steps[-1]}" if run.steps else "",
                    readable(run.n_bytes),
                    (run.damage and f"damaged: {run.damage}") or _state(run),
                    *(str((run.metadata or {}).get(name, "")) for name in _columns(report)),
                ]
                for run in report.runs
            ),
        )
        damaged += sum(bool(run.damage) for run in report.runs)
        if verify:
            with messages.progress("verifying") as progress:
                found = verify_store(path, progress)
            total = sum(len(run.steps) for run in report.runs)
            print(f"verified: {total - len(found)} of {total} checkpoints are as they were written")
            bare = sum(run.state == "finished, no checksum" for run in report.runs)
            if bare:
                print(f"not covered: steps and labels of {bare} finished runs, which have no checksum")
            for damage in found[:SHOWN]:
                print(f"damaged: run '{one_line(damage.run)}', step {damage.step}: {damage.reason}")
            damaged += len(found)
    if damaged:
        raise typer.Exit(1)


def _facts(report: StoreReport) -> str:
    """What the runs of a store share, in a few lines."""
    root, probe = report.root, report.root.probe
    n, c = root.shape
    coarse = root.coarse_graining
    classes = f"{c} classes" if coarse is None else f"{coarse.n_kept} of {len(coarse.classes)} classes kept"
    checkpoints, size = sum(len(run.steps) for run in report.runs), sum(run.n_bytes for run in report.runs)
    samples = "not told apart"
    if probe.samples:
        samples = f"hash {probe.samples[:12]} of their {'inputs' if probe.ids is None else 'ids'}"
    return (
        f"{report.path}: {_counted(len(report.runs), checkpoints)}, {n} samples, {classes} "
        f"({readable(size)})\nprobe: {probe.name or 'without a name'}; samples: {samples}; "
        f"labels: {'not known' if root.labels is None else 'known'}"
    )


def _counted(runs: int, checkpoints: int) -> str:
    return f"{runs} run{'s' * (runs != 1)}, {checkpoints} checkpoint{'s' * (checkpoints != 1)}"


def _columns(report: StoreReport) -> list[str]:
    return list(dict.fromkeys(name for run in report.runs for name in run.metadata or {}))


def _state(run: Any) -> str:
    gaps = f", {len(run.gaps)} skipped" if run.gaps else ""
    half = ", float16" if run.precision == "float16" else ""
    return f"{run.state}{half}{gaps}"


def _print_table(columns: list[str], rows: Iterable[list[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from infogeo.core.words import one_line

    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(escape(one_line(name)), overflow="fold")
    every = list(rows)
    for row in every[:SHOWN]:
        table.add_row(*(escape(one_line(entry)) for entry in row))
    Console(highlight=False).print(table)
    if len(every) > SHOWN:
        print(f"... and {len(every) - SHOWN} more runs")


def _tell_of_predictions(
    inputs: list[Path], labels: Path | None, meta: Path | None, steps: Path | None, kind: Any
) -> None:
    from infogeo.store import load

    with Messages().progress("reading") as progress:
        predictions = load(inputs, labels=labels, meta=meta, steps=steps, kind=kind, progress=progress)
    p, n, c = predictions.n_points, predictions.n_samples, predictions.n_classes
    points = predictions.points
    print(f"{_counted(len(points.runs), p)}, {n} samples, {c} classes ({readable(4 * p * n * c)} as float32)")
    print(f"labels: {'known' if predictions.labels is not None else 'not known; give --labels'}")
    for note in predictions.notes:
        print(note)
    print(f"entries below the floor of e^-174: {predictions.floored}")
    print(f"largest correction of a row's sum: {predictions.correction:.1e}")
    scores = predictions.scores() if predictions.labels is not None else None
    _print_table(
        ["run", "checkpoints", "steps", *(["last accuracy"] if scores else []), *points.metadata],
        _rows_of_runs(predictions, None if scores is None else scores[0]),
    )


def _rows_of_runs(predictions: Predictions, accuracy: Any) -> Iterable[list[str]]:
    points = predictions.points
    for run in points.runs:
        rows = points.of_run(run)
        first, last = points["step"][rows[0]], points["step"][rows[-1]]
        reached = [] if accuracy is None else [f"{accuracy[rows[-1]]:.3f}"]
        values = [str(points[name][rows[0]]) for name in points.metadata]
        yield [run, str(len(rows)), f"{first} to {last}", *reached, *values]
