"""`infogeo embed`: from saved predictions, or a matrix, to a map."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infogeo.cli import options
from infogeo.cli.console import Messages, answers_for_errors, as_bytes, existing, readable, was_given

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from infogeo.cli.mapdir import MapContents
    from infogeo.core.kinds import Kind
    from infogeo.core.predictions import Predictions
    from infogeo.divergences.base import Divergence
    from infogeo.embed import Embedding, EmbeddingErrors
    from infogeo.nulls import NullComparison, NullModel
    from infogeo.pairwise import Plan

ABOUT_PREDICTIONS = {
    "labels": "--labels",
    "steps": "--steps",
    "kind": "--as",
    "divergence": "--divergence",
    "alpha": "--alpha",
    "errors": "--errors",
    "keep_classes": "--keep-classes",
    "memory": "--memory",
    "tiles": "--tiles",
}
"""Parameters of `embed` that mean nothing for a matrix, and how the shell spells them."""


@dataclass(frozen=True)
class MapTask:
    """What to make of predictions."""

    divergence: Divergence
    components: int = 10
    null: options.NullName = options.NullName.auto
    weights: str = "points"
    errors: bool = False
    memory: int | None = None
    tiles: Path | None = None
    seed: int = 0
    keep_classes: int | None = None


@answers_for_errors
def embed(
    ctx: typer.Context,
    inputs: Annotated[list[Path] | None, typer.Argument(help=options.INPUTS, metavar="INPUT...")] = None,
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
    alpha: options.Alpha = None,
    components: Annotated[int, typer.Option(help="Axes to compute.", min=1, metavar="K")] = 10,
    weights: Annotated[
        str,
        typer.Option(
            help="What counts the same: points, runs, arc-length, or the values of a metadata COLUMN.",
            metavar="RULE",
        ),
    ] = "points",
    null: Annotated[
        options.NullName,
        typer.Option(
            help="What the explained stress is beside: within-class shuffles (needs labels), shuffled steps, random "
            "predictions of the same confidence (dirichlet), or straight roads (geodesic). By default the first that "
            "applies of within-class and dirichlet."
        ),
    ] = options.NullName.auto,
    errors: Annotated[
        bool,
        typer.Option("--errors", help="Also standard errors of eigenvalues, stress and coordinates, over samples."),
    ] = False,
    keep_classes: Annotated[
        int | None,
        typer.Option(
            help="For many classes, as of language models: keep the K leading ones of each sample and merge the rest "
            "into one, the same for all checkpoints. Divergences can only become smaller.",
            min=1,
            metavar="K",
        ),
    ] = None,
    memory: options.Memory = None,
    tiles: Annotated[
        Path | None,
        typer.Option(
            help="Keep the tiles of the matrix here: a run that was stopped goes on from them, new checkpoints cost "
            "only their own pairs, and a matrix larger than --memory stays there.",
            metavar="DIR",
        ),
    ] = None,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    out: Annotated[Path, typer.Option(help="Directory to make.", metavar="DIR")] = Path("infogeo-map"),
) -> None:
    """Make a map of training from saved predictions.

    Arrays [T, N, C] are runs of T checkpoints on N samples with C classes; arrays [N, C] are single checkpoints,
    whose step and run come from the file's name (probs_epoch10.npy is step 10 of probs). Probabilities,
    log-probabilities and logits are told apart.

    Writes embedding.csv, spectrum.csv, divergence.zarr, report.html and provenance.json, and with --keep-classes
    also kept_classes.npy, so that `infogeo project` merges alike; with --errors also errors.csv.

    Example: infogeo embed runs/ --labels labels.npy --meta runs.csv --errors --out map
    """
    from infogeo.cli.mapdir import is_map, write_map
    from infogeo.core.errors import InputError
    from infogeo.core.output import check_free, written_beside

    if (matrix is None) == (not inputs):
        raise InputError("input: give either predictions (stores, files, folders) or --matrix FILE")
    check_free(out, overwrite, is_map)
    messages, began = Messages(quiet), monotonic()
    if matrix is not None:
        given = [flag for name, flag in ABOUT_PREDICTIONS.items() if was_given(ctx, name)]
        if null not in (options.NullName.auto, options.NullName.none):
            given.append("--null")
        if given:
            raise InputError(
                "--matrix: goes with --meta, --components, --weights and --out alone; the rest is about predictions, "
                f"leave out {', '.join(given)}"
            )
        contents = _map_of_matrix(matrix, meta, components, weights, began)
        for line in _findings(contents.embedding, None):
            messages.say(line)
    else:
        limit = as_bytes(memory)
        predictions = read_predictions(messages, existing(inputs or []), labels, meta, steps, kind, limit)
        recorded = recorded_inputs(inputs or [], labels, meta, steps, kind)
        task = MapTask(
            divergence=options.divergence_of(divergence, alpha),
            components=components,
            null=null,
            weights=weights,
            errors=errors,
            memory=limit,
            tiles=tiles,
            seed=seed,
            keep_classes=keep_classes,
        )
        contents = make_map(predictions, task, recorded, messages, began)
    with written_beside(out, overwrite, is_map) as target:
        write_map(target, contents)
    print(out / "report.html")


def recorded_inputs(
    inputs: list[Path], labels: Path | None, meta: Path | None, steps: Path | None, kind: Kind | None
) -> dict[str, Any]:
    """Where predictions come from, for the provenance and for `infogeo project`."""
    return {
        "predictions": [str(p.resolve()) for p in inputs],
        "labels": labels and str(labels.resolve()),
        "meta": meta and str(meta.resolve()),
        "steps": steps and str(steps.resolve()),
        "as": kind and str(kind),
    }


def make_map(
    predictions: Predictions, task: MapTask, inputs: dict[str, Any], messages: Messages, began: float
) -> MapContents:
    """Merging, plan, divergences, embedding, references and null of predictions, with the provenance of all that.

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
        provenance_of_merging,
        provenance_of_predictions,
    )
    from infogeo.embed import embed_predictions
    from infogeo.pairwise import GROUPS, Layout, plan_pairwise
    from infogeo.pairwise.directory import recorded_tiles

    _refuse_early(predictions, task)
    mapped = _merged(predictions, task, messages)
    layout = None if task.tiles is None else Layout.of(mapped, task.divergence)
    plan = plan_pairwise(mapped, task.divergence, memory=task.memory, layout=layout)
    messages.say(f"plan: {_planned(plan, mapped)}")
    if task.tiles is not None and (found := recorded_tiles(task.tiles)):
        messages.say(f"tiles finished before, in {task.tiles}: {found}")
    with messages.progress("divergences") as progress:
        made = embed_predictions(
            mapped,
            task.divergence,
            task.components,
            progress,
            task.memory,
            task.tiles,
            weights=options.weights_of(task.weights),
            groups=GROUPS if task.errors else 0,
            seed=task.seed,
        )
    embedding = made.embedding
    if predictions.labels is not None:
        accuracy, loss = predictions.scores()
        embedding = replace(embedding, points=predictions.points.with_columns(accuracy=accuracy, loss=loss))
    null = _null(predictions, task, embedding.explained_stress, messages)
    errors = made.errors and replace(made.errors, embedding=embedding)
    for line in _findings(embedding, null and null.sentence(), errors):
        messages.say(line)
    provenance = {
        **provenance_of_environment(monotonic() - began),
        **provenance_of_predictions(predictions, inputs),
        **provenance_of_merging(mapped),
        **provenance_of_map(made.matrix, embedding, task.weights),
        "null": None if null is None else null.model.name,
        "seed": task.seed,
    }
    matrix = replace(made.matrix, points=embedding.points)
    return MapContents(embedding, matrix, made.references, null, provenance, mapped.coarse_graining, errors)


def _refuse_early(predictions: Predictions, task: MapTask) -> None:
    """What would fail later, or be overwritten, is said before any work."""
    from infogeo.core.errors import InputError

    if predictions.n_points < 2:
        raise InputError("input: holds one checkpoint in all; a map needs at least two")
    if task.null is options.NullName.within_class:
        if predictions.labels is None:
            raise InputError("--null within-class: shuffles samples within their class; give --labels")
        if len(predictions.points.runs) < 2:
            raise InputError("--null within-class: compares runs, and there is only one")
        if task.keep_classes or predictions.coarse_graining:
            raise InputError("--null within-class: exchanges samples, but with merged classes each keeps its own")
    if task.errors and task.tiles is not None:
        raise InputError("--errors: keeps what groups of samples say in memory; leave out --tiles")
    if task.weights not in options.WEIGHT_RULES and task.weights not in predictions.points.metadata:
        known = ", ".join([*options.WEIGHT_RULES, *predictions.points.metadata])
        raise InputError(f"--weights {task.weights}: no such rule and no such column; there are {known}")
    taken = [name for name in predictions.points.metadata if re.fullmatch(r"accuracy|loss|weight|x\d+", name)]
    if taken:
        raise InputError(f"meta: infogeo writes a column '{taken[0]}' itself; give yours another name")


def _merged(predictions: Predictions, task: MapTask, messages: Messages) -> Predictions:
    from infogeo.core.merging import merge_classes

    if task.keep_classes is None:
        return predictions
    with messages.progress("merging classes") as progress:
        merged = merge_classes(predictions, task.keep_classes, progress)
    messages.say("classes: all are kept" if merged is predictions else merged.notes[-1])
    return merged


def _planned(plan: Plan, mapped: Predictions) -> str:
    """What a matrix by a plan takes, in words."""
    p, _, n, c = plan.shape
    classes = f"{c} classes"
    if mapped.coarse_graining is not None:
        classes += f" ({mapped.coarse_graining.n_kept} of {len(mapped.coarse_graining.classes)}, and the rest)"
    return (
        f"{p} points, {n} samples, {classes}; {len(plan.tiles)} tiles, {plan.operations / 1e9:.3g} GFLOP, "
        f"{readable(plan.bytes_read)} to read, {readable(plan.memory_bytes)} of memory, about {plan.seconds:.0f} s"
    )


def _null(
    predictions: Predictions, task: MapTask, stress: NDArray[np.float64], messages: Messages
) -> NullComparison | None:
    """The explained stress by chance; what it costs is a small part of the data."""
    from infogeo.cli import nulls
    from infogeo.nulls import explained_stress_null

    def made(null: NullModel, progress: Callable[[int, int], None]) -> NullComparison:
        return explained_stress_null(
            predictions,
            task.divergence,
            stress,
            null=null,
            weights=options.weights_of(task.weights),
            seed=task.seed,
            memory=task.memory,
            progress=progress,
        )

    return nulls.beside(predictions, task.null, bool(task.keep_classes), messages, made)


def read_predictions(
    messages: Messages,
    inputs: list[Path],
    labels: Path | None,
    meta: Path | None,
    steps: Path | None,
    kind: Kind | None,
    memory: int | None,
) -> Predictions:
    """What the paths hold, with what is to be said of it."""
    from infogeo.store import load

    with messages.progress("reading") as progress:
        predictions = load(inputs, labels, meta, steps, kind, progress, memory)
    for note in predictions.notes:
        messages.say(note)
    if predictions.correction > 0:
        messages.say(f"rows normalised; the largest correction of a sum was {predictions.correction:.1e}")
    return predictions


def _map_of_matrix(file: Path, meta: Path | None, components: int, weights: str, began: float) -> MapContents:
    from infogeo.cli.mapdir import MapContents, provenance_of_environment, provenance_of_map
    from infogeo.embed import inpca
    from infogeo.pairwise import PairwiseMatrix
    from infogeo.store.tables import points_of_rows, read_matrix, read_table

    values = read_matrix(file)
    points = None if meta is None else points_of_rows(read_table(meta), len(values))
    matrix = PairwiseMatrix.from_array(values, points)
    embedding = inpca(matrix, components, options.weights_of(weights))
    provenance = {
        **provenance_of_environment(monotonic() - began),
        "inputs": {"matrix": str(file.resolve())},
        "points (P)": len(matrix.points),
        **provenance_of_map(matrix, embedding, weights),
    }
    return MapContents(embedding, matrix, None, None, provenance)


def _findings(embedding: Embedding, null: str | None, errors: EmbeddingErrors | None = None) -> list[str]:
    shown = [f"{100 * s:.1f}" for s in embedding.explained_stress.tolist()[:3]]
    if errors is not None:
        reach = errors.t_factor() * errors.explained_stress
        shown = [f"{s} ± {100 * r:.1f}" for s, r in zip(shown, reach.tolist(), strict=False)]
    level = "" if errors is None else " (95 %, over samples)"
    lines = [f"explained stress of 1, 2 and 3 axes: {', '.join(f'{s} %' for s in shown)}{level}", null]
    return [line for line in [*lines, embedding.warning] if line]
