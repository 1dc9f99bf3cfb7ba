"""`infogeo convert`: predictions in any format that is read, as a store, checked by reading it back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infogeo.cli import options
from infogeo.cli.console import Messages, answers_for_errors, existing, readable

if TYPE_CHECKING:
    from infogeo.core.predictions import Predictions


@answers_for_errors
def convert(
    inputs: Annotated[list[Path], typer.Argument(help=options.INPUTS, metavar="INPUT...")],
    to: Annotated[Path, typer.Option("--to", help="Store to make, by custom NAME.zarr.", metavar="STORE")],
    labels: options.Labels = None,
    meta: options.Meta = None,
    steps: options.Steps = None,
    kind: options.As = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier store at --to.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Put predictions of any format into one store.

    A store holds normalised log-probabilities with runs, steps, metadata and labels, and a fingerprint of every
    checkpoint. It is read back and compared before it takes its place; what was changed on the way is said.

    Example: infogeo convert runs/ old.h5 --labels labels.npy --meta runs.csv --to all.zarr
    """
    from infogeo.core.output import check_free, written_beside
    from infogeo.store import load, write_store
    from infogeo.store.inputs import inputs_of
    from infogeo.store.layout import is_store

    messages = Messages(quiet)
    check_free(to, overwrite, is_store)
    beside = {path.resolve() for path in (labels, meta, steps) if path is not None}
    given = [path for root in existing(inputs) for path in inputs_of(root, beside).paths]
    before = _bytes_of(given)
    with messages.progress("reading") as progress:
        predictions = load(inputs, labels=labels, meta=meta, steps=steps, kind=kind, progress=progress)
    with written_beside(to, overwrite, is_store) as target:
        asked = write_store(target, predictions)
        with messages.progress("reading back") as progress:
            _check_same(predictions, asked, load(target, progress=progress, memory=0), to)
        after = _bytes_of([target])
    runs, p, n = len(predictions.points.runs), predictions.n_points, predictions.n_samples
    counted = f"{runs} run{'s' * (runs != 1)}, {p} checkpoint{'s' * (p != 1)}, {n} sample{'s' * (n != 1)}"
    messages.say(f"{counted}, {predictions.n_classes} classes")
    for line in (*predictions.notes, *_changes(predictions)):
        messages.say(line)
    messages.say(f"{readable(before)} before, {readable(after)} as a store; read back, every checkpoint is the same")
    print(to)


def _changes(predictions: Predictions) -> list[str]:
    """In words, what was done to the numbers."""
    share = predictions.floored / (predictions.n_points * predictions.n_samples * predictions.n_classes)
    return [
        f"rows normalised: the largest correction of a sum was {predictions.correction:.1e}"
        if predictions.correction > 0
        else "no row needed to be normalised",
        f"entries raised to e^-174: {predictions.floored} ({share:.2%} of all)",
    ]


def _check_same(given: Predictions, asked: dict[tuple[str, int], str], found: Predictions, to: Path) -> None:
    """Raise for the first thing that a store gives back otherwise than it was given.

    Args:
        given: what was read.
        asked: the fingerprints of the numbers that were to be written: not those of a source in float16.
        found: what the store gives back.
        to: its place.
    """
    import numpy as np

    from infogeo.core.coarse import same_merging
    from infogeo.core.errors import InputError

    def labels_of(predictions: Predictions) -> list[int] | None:
        return None if predictions.labels is None else np.asarray(predictions.labels).tolist()

    same = {
        "runs and steps": set(asked) == set(_checkpoints(found)),
        "numbers": asked == _checkpoints(found),
        "classes": given.label_space == found.label_space,
        "merged classes": same_merging(given.coarse_graining, found.coarse_graining),
        "labels": labels_of(given) == labels_of(found),
        "sample ids": _samples(given) == _samples(found),
        "metadata": _metadata(given) == _metadata(found),
    }
    for what, is_same in same.items():
        if not is_same:
            raise InputError(
                f"{to}: what was written reads back with other {what}; nothing was kept; is the disk in order? "
                "try another place"
            )


def _checkpoints(predictions: Predictions) -> dict[tuple[str, int], str]:
    """The fingerprint of every checkpoint, by run and step."""
    points = predictions.points
    return dict(
        zip(zip(points["run"].tolist(), points["step"].tolist(), strict=True), predictions.fingerprints, strict=True)
    )


def _samples(predictions: Predictions) -> tuple[str, str] | None:
    """The name and the hash of the probe, where something is known of it."""
    probe = predictions.probe
    return (probe.name, probe.samples or "") if probe is not None and (probe.name or probe.samples) else None


def _metadata(predictions: Predictions) -> dict[str, dict[str, str]]:
    """What is known of every run, spelt so that a missing number is equal to itself."""
    points = predictions.points
    first = {run: points.of_run(run)[0] for run in points.runs}
    return {run: {name: repr(points[name][row].item()) for name in points.metadata} for run, row in first.items()}


def _bytes_of(paths: Iterable[Path]) -> int:
    """What files and everything in directories take on disk."""
    files = (file for path in paths for file in ([path] if path.is_file() else path.rglob("*")))
    return sum(file.stat().st_size for file in files if file.is_file())
