"""`infogeo embed`: from saved predictions, or a matrix, to a map."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infogeo.cli import options
from infogeo.cli.console import Messages, answers_for_errors, as_bytes, existing, readable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from infogeo.cli.mapdir import MapContents
    from infogeo.core.kinds import Kind
    from infogeo.core.predictions import Predictions
    from infogeo.divergences.base import Divergence
    from infogeo.embed import Embedding
    from infogeo.nulls import NullComparison

REPLICATES = 5
"""Shuffled data sets for the null; each costs as much as the map itself."""


@dataclass(frozen=True)
class MapTask:
    """What to make of predictions."""

    divergence: Divergence
    components: int = 10
    null: bool = False
    memory: int | None = None
    seed: int = 0


@answers_for_errors
def embed(
    inputs: Annotated[
        list[Path] | None, typer.Argument(help="Stores, .npy or .npz files, or folders of these.", metavar="INPUT...")
    ] = None,
    matrix: Annotated[
        Path | None,
        typer.Option(help="A divergence matrix [P, P] instead of predictions: .npy, .npz or .csv.", metavar="FILE"),
    ] = None,
    labels: options.Labels = None,
    meta: options.Meta = None,
    steps: options.Steps = None,
    kind: options.As = None,
    divergence: Annotated[
        options.DivergenceName, typer.Option(help="Which divergence, in nats, averaged over samples.")
    ] = options.DivergenceName.bhattacharyya,
    components: Annotated[int, typer.Option(help="Axes to compute.", min=1, metavar="K")] = 10,
    null: Annotated[
        bool, typer.Option("--null", help="Also the explained stress of within-class shuffles (needs labels).")
    ] = False,
    memory: options.Memory = None,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    out: Annotated[Path, typer.Option(help="Directory to make.", metavar="DIR")] = Path("infogeo-map"),
) -> None:
    """Make a map of training from saved predictions.

    Arrays [T, N, C] are runs of T checkpoints on N samples with C classes; arrays [N, C] are single checkpoints,
    whose step and run come from the file's name (probs_epoch10.npy is step 10 of probs). Probabilities,
    log-probabilities and logits are told apart.

    Writes embedding.csv, spectrum.csv, divergence.zarr, report.html and provenance.json.

    Example: infogeo embed runs/ --labels labels.npy --meta runs.csv --null --out map
    """
    from infogeo.cli.mapdir import is_map, write_map
    from infogeo.core.errors import InputError
    from infogeo.core.output import check_free, written_beside

    if (matrix is None) == (not inputs):
        raise InputError("input: give either predictions (stores, files, folders) or --matrix FILE")
    check_free(out, overwrite, is_map)
    messages, began = Messages(quiet), monotonic()
    if matrix is not None:
        if labels or steps or kind or memory or null:
            raise InputError("--matrix: goes with --meta, --components and --out alone; the rest is about predictions")
        contents = _map_of_matrix(matrix, meta, components, began)
        for line in _findings(contents.embedding, None):
            messages.say(line)
    else:
        predictions = _read(messages, existing(inputs or []), labels, meta, steps, kind)
        recorded = {
            "predictions": [str(p.resolve()) for p in inputs or []],
            "labels": labels and str(labels.resolve()),
            "meta": meta and str(meta.resolve()),
            "steps": steps and str(steps.resolve()),
            "as": kind and str(kind),
        }
        task = MapTask(options.divergence_of(divergence), components, null, as_bytes(memory), seed)
        contents = make_map(predictions, task, recorded, messages, began)
    with written_beside(out, overwrite, is_map) as target:
        write_map(target, contents)
    print(out / "report.html")


def make_map(
    predictions: Predictions, task: MapTask, inputs: dict[str, Any], messages: Messages, began: float
) -> MapContents:
    """Plan, divergences, embedding, references and null of predictions, with the provenance of all that.

    Args:
        predictions: what to map.
        task: how.
        inputs: where the predictions come from, for the provenance and for `infogeo project`.
        messages: where to tell the plan and the progress.
        began: the clock when the command began.
    """
    from dataclasses import replace

    from infogeo.cli.mapdir import (
        MapContents,
        provenance_of_environment,
        provenance_of_map,
        provenance_of_predictions,
    )
    from infogeo.core.errors import InputError
    from infogeo.embed import embed_predictions
    from infogeo.pairwise import plan_pairwise

    if predictions.n_points < 2:
        raise InputError("input: holds one checkpoint in all; a map needs at least two")
    if task.null and predictions.labels is None:
        raise InputError("--null: shuffles samples within their class; give --labels")
    if task.null and len(predictions.points.runs) < 2:
        raise InputError("--null: compares runs, and there is only one")
    taken = [name for name in predictions.points.metadata if re.fullmatch(r"accuracy|loss|x\d+", name)]
    if taken:
        raise InputError(f"meta: infogeo writes a column '{taken[0]}' itself; give yours another name")
    plan = plan_pairwise(predictions, task.divergence, memory=task.memory)
    rounds = 1 + (REPLICATES if task.null else 0)
    messages.say(
        f"plan: {plan.n_points} points, {plan.n_samples} samples, {plan.n_classes} classes; "
        f"{len(plan.tiles) * rounds} tiles, {readable(plan.memory_bytes)} of memory, "
        f"about {plan.seconds * rounds:.0f} s"
    )
    with messages.progress("divergences") as progress:
        made = embed_predictions(predictions, task.divergence, task.components, progress, task.memory)
    embedding = made.embedding
    if predictions.labels is not None:
        accuracy, loss = predictions.scores()
        embedding = replace(embedding, points=predictions.points.with_columns(accuracy=accuracy, loss=loss))
    null = _null(predictions, task, embedding.explained_stress, messages) if task.null else None
    for line in _findings(embedding, null and null.sentence()):
        messages.say(line)
    provenance = {
        **provenance_of_environment(monotonic() - began),
        **provenance_of_predictions(predictions, inputs),
        **provenance_of_map(made.matrix, embedding),
        "seed": task.seed,
    }
    matrix = replace(made.matrix, points=embedding.points)
    return MapContents(embedding, matrix, made.references, null, provenance)


def _null(predictions: Predictions, task: MapTask, stress: NDArray[np.float64], messages: Messages) -> NullComparison:
    from infogeo.nulls import explained_stress_null

    with messages.progress("null") as progress:
        return explained_stress_null(
            predictions,
            task.divergence,
            stress,
            replicates=REPLICATES,
            seed=task.seed,
            memory=task.memory,
            progress=progress,
        )


def _read(
    messages: Messages,
    inputs: list[Path],
    labels: Path | None,
    meta: Path | None,
    steps: Path | None,
    kind: Kind | None,
) -> Predictions:
    from infogeo.store import load

    with messages.progress("reading") as progress:
        predictions = load(inputs, labels=labels, meta=meta, steps=steps, kind=kind, progress=progress)
    for note in predictions.notes:
        messages.say(note)
    if predictions.correction > 0:
        messages.say(f"rows normalised; the largest correction of a sum was {predictions.correction:.1e}")
    if predictions.floored:
        messages.say(f"{predictions.floored} probabilities below e^-174 were raised to it")
    return predictions


def _map_of_matrix(file: Path, meta: Path | None, components: int, began: float) -> MapContents:
    from infogeo.cli.mapdir import MapContents, provenance_of_environment, provenance_of_map
    from infogeo.embed import inpca
    from infogeo.pairwise import PairwiseMatrix
    from infogeo.store.tables import points_of_rows, read_matrix, read_table

    values = read_matrix(file)
    points = None if meta is None else points_of_rows(read_table(meta), len(values))
    matrix = PairwiseMatrix.from_array(values, points)
    embedding = inpca(matrix, components)
    provenance = {
        **provenance_of_environment(monotonic() - began),
        "inputs": {"matrix": str(file.resolve())},
        "points (P)": len(matrix.points),
        **provenance_of_map(matrix, embedding),
    }
    return MapContents(embedding, matrix, None, None, provenance)


def _findings(embedding: Embedding, null: str | None) -> list[str]:
    shown = ", ".join(f"{100 * s:.1f} %" for s in embedding.explained_stress.tolist()[:3])
    lines = [f"explained stress of 1, 2 and 3 axes: {shown}", null, embedding.warning]
    return [line for line in lines if line]
