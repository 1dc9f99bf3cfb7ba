"""`infogeo project`: new predictions on a map that exists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infogeo.cli import options
from infogeo.cli.console import Messages, Progress, answers_for_errors, existing

if TYPE_CHECKING:
    from infogeo.core.coarse import CoarseGraining
    from infogeo.core.kinds import Kind
    from infogeo.core.points import Points
    from infogeo.core.predictions import Predictions


@answers_for_errors
def project(
    directory: Annotated[Path, typer.Argument(help="A map that `infogeo embed` made.", metavar="DIR")],
    inputs: Annotated[list[Path], typer.Argument(help="New predictions on the same probe set.", metavar="INPUT...")],
    meta: options.Meta = None,
    steps: options.Steps = None,
    kind: options.As = None,
    fitted: Annotated[
        list[Path] | None,
        typer.Option(help="Where the predictions of the map are now, if they have moved.", metavar="INPUT"),
    ] = None,
    memory: options.Memory = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    out: Annotated[Path, typer.Option(help="Directory to make.", metavar="DIR")] = Path("infogeo-projection"),
) -> None:
    """Place new checkpoints on a map without moving it.

    Needs the predictions that the map was made from: divergences to them are what places a point.
    Writes projection.csv, report.html (the map with the new points) and provenance.json.

    Example: infogeo project map new-runs/ --out placed
    """
    from infogeo import report
    from infogeo.cli.console import as_bytes
    from infogeo.cli.mapdir import (
        is_projection,
        provenance_of_environment,
        provenance_of_merging,
        provenance_of_predictions,
        read_map,
        read_merging,
        write_coordinates,
        write_provenance,
    )
    from infogeo.core.checks import check_same_probe
    from infogeo.core.coarse import same_merging
    from infogeo.core.errors import InputError
    from infogeo.core.output import check_free, written_beside
    from infogeo.core.probe import check_same_samples
    from infogeo.embed import Projection, residuals
    from infogeo.pairwise import pairwise_divergence
    from infogeo.pairwise.storage import load_matrix

    began, messages = monotonic(), Messages(quiet)
    check_free(out, overwrite, is_projection)
    embedding, references, provenance = read_map(directory)
    matrix = load_matrix(directory / "divergence.zarr")
    if embedding.warning:
        messages.say(embedding.warning)
    with messages.progress("reading") as progress:
        old = _fitted(directory, provenance, fitted, progress)
    with messages.progress("reading") as progress:
        new = _new(existing(inputs), provenance, meta, steps, kind, progress)
    check_same_probe({str(directory): _probe(old), str(inputs[0]): _probe(new)})
    check_same_samples(old.probe, new.probe, str(directory), str(inputs[0]))
    divergence = _divergence(directory, embedding.divergence)
    coarse = read_merging(directory, provenance, old)
    classes = f"; {coarse.n_kept} of {len(coarse.classes)} classes, and the rest" if coarse else ""
    messages.say(f"plan: {new.n_points} new points on a map of {old.n_points}{classes}")
    seen, at = (_merged(predictions, coarse, messages) for predictions in (new, old))
    if not same_merging(seen.coarse_graining, at.coarse_graining):
        raise InputError(f"{inputs[0]}: has other classes merged than {directory}; give the predictions before merging")
    with messages.progress("divergences") as progress:
        rows = pairwise_divergence(seen, divergence, to=at, progress=progress, memory=as_bytes(memory))
    placed = Projection(_scored(new, old), embedding.project(rows))
    messages.say(residuals(rows, embedding).sentence())
    record = {
        **provenance_of_environment(monotonic() - began),
        "map": {"directory": str(directory.resolve()), "fingerprint": provenance["fingerprint"]},
        **provenance_of_predictions(new, {"predictions": [str(p.resolve()) for p in inputs]}),
        **provenance_of_merging(seen),
        "divergence": provenance["divergence"],
    }
    with written_beside(out, overwrite, is_projection) as target:
        target.mkdir()
        write_coordinates(target / "projection.csv", placed)
        report.write(
            target / "report.html",
            embedding,
            matrix=matrix,
            references=references,
            projected=placed,
            rows=rows,
            provenance=record,
        )
        write_provenance(target, record)
    print(out / "report.html")


def _fitted(directory: Path, provenance: dict[str, Any], moved: list[Path] | None, progress: Progress) -> Predictions:
    """The predictions that the map was made from, checked by their fingerprint."""
    from infogeo.cli.mapdir import provenance_of_predictions
    from infogeo.core.errors import InputError
    from infogeo.store import load

    made_from = provenance.get("inputs", {})
    if "predictions" not in made_from:
        raise InputError(
            f"{directory}: was made from a matrix, so there are no predictions to compare new ones with; make a map of "
            "predictions, or in Python place rows of divergences with Embedding.project"
        )
    paths = moved or [Path(p) for p in made_from["predictions"]]
    missing = [p for p in paths if not p.exists()]
    if missing:
        raise InputError(f"{directory}: was made from {missing[0]}, which is not there; say where with --fitted")
    labels, steps = (made_from[k] and Path(made_from[k]) for k in ("labels", "steps"))
    old = load(
        paths,
        labels=labels if labels and labels.exists() else None,
        steps=steps if steps and steps.exists() else None,
        kind=made_from["as"],
        progress=progress,
    )
    found = provenance_of_predictions(old, {})
    if found["fingerprint"] != provenance["fingerprint"]:
        raise InputError(
            f"{paths[0]}: has changed since {directory} was made, or its runs are named otherwise; make the map again"
        )
    if found["fingerprint of labels"] != provenance["fingerprint of labels"]:
        raise InputError(f"{labels}: is missing or has changed since {directory} was made; make the map again")
    return old


def _new(
    inputs: list[Path],
    provenance: dict[str, Any],
    meta: Path | None,
    steps: Path | None,
    kind: Kind | None,
    progress: Progress,
) -> Predictions:
    """The new predictions, at the steps of the map's runs where none are given and those fit."""
    from infogeo.core.errors import InputError
    from infogeo.store import load

    of_map = provenance.get("inputs", {}).get("steps")
    if steps is None and of_map and Path(of_map).exists():
        try:
            return load(inputs, meta=meta, steps=of_map, kind=kind, progress=progress)
        except InputError as error:
            if not str(error).startswith("steps:"):  # of runs of another length
                raise
    return load(inputs, meta=meta, steps=steps, kind=kind, progress=progress)


def _probe(predictions: Predictions) -> tuple[int, int]:
    """Samples and classes, the latter before any merging."""
    coarse = predictions.coarse_graining
    return predictions.n_samples, predictions.n_classes if coarse is None else len(coarse.classes)


def _merged(predictions: Predictions, coarse: CoarseGraining | None, messages: Messages) -> Predictions:
    """The predictions as the map sees them; labels, which it may know or not, are no matter here."""
    from infogeo.core.merging import merge_classes

    if coarse is None or predictions.coarse_graining is not None:
        return predictions
    with messages.progress("merging classes") as progress:
        return merge_classes(replace(predictions, labels=None), coarse, progress)


def _scored(new: Predictions, old: Predictions) -> Points:
    """The new points with their accuracy and loss, where the map knows labels."""
    if old.labels is None:
        return new.points
    labels = old.labels if old.coarse_graining is None else old.coarse_graining.decode(old.labels)
    accuracy, loss = new.with_labels(labels).scores()
    return new.points.with_columns(accuracy=accuracy, loss=loss)


def _divergence(directory: Path, name: str) -> Any:
    from infogeo.core.errors import InputError

    if (divergence := options.divergence_recorded(name)) is not None:
        return divergence
    raise InputError(f"{directory}: the divergence '{name}' of this map is unknown to this version")
