"""`infogeo dimension`: how many dimensions the checkpoints of runs have, and at which distance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infogeo.cli import options
from infogeo.cli.console import Messages, answers_for_errors, as_bytes, existing, was_given

if TYPE_CHECKING:
    from infogeo.core.predictions import Predictions
    from infogeo.dimension import DimensionNull, DimensionStudy
    from infogeo.divergences.base import Divergence
    from infogeo.nulls import NullModel
    from infogeo.pairwise import PairwiseMatrix

ABOUT_PREDICTIONS = {
    "labels": "--labels",
    "steps": "--steps",
    "kind": "--as",
    "divergence": "--divergence",
    "alpha": "--alpha",
    "memory": "--memory",
}
"""Parameters that mean nothing for a matrix, and how the shell spells them."""
AXES = 20
SHARES = (1 / 8, 1 / 4, 1 / 2)
"""Of the probe samples, for the dimension against their number."""
LEAST_SAMPLES = 20
"""A share of the samples that holds fewer is not looked at."""


@answers_for_errors
def dimension(
    ctx: typer.Context,
    inputs: Annotated[list[Path] | None, typer.Argument(help=options.INPUTS, metavar="INPUT...")] = None,
    matrix: Annotated[
        Path | None,
        typer.Option(
            help="A divergence matrix [P, P] instead of predictions: the divergence.zarr of a map that embed made, or "
            ".npy, .npz or .csv. Distances are its square roots: square plain distances first. Without predictions "
            "there are no samples and no null, and progress only from a column.",
            metavar="FILE",
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="True class of each sample: .npy, .json, or text with one per line. Brings progress and the "
            "within-class null.",
            metavar="FILE",
        ),
    ] = None,
    meta: Annotated[
        Path | None,
        typer.Option(
            help="Table, CSV or JSON. Of predictions: of the runs, with a column 'run' or 'file'. Of a bare matrix: of "
            "its points in their order, with 'run' and 'step', and 'progress' if there is one; without, every point "
            "is taken for a run of its own.",
            metavar="FILE",
        ),
    ] = None,
    steps: options.Steps = None,
    kind: options.As = None,
    divergence: Annotated[
        options.DivergenceName, typer.Option(help="Which divergence, in nats, averaged over samples.")
    ] = options.DivergenceName.bhattacharyya,
    alpha: options.Alpha = None,
    null: Annotated[
        options.NullName,
        typer.Option(
            help="What the dimension is beside: within-class shuffles (needs labels), shuffled steps, random "
            "predictions of the same confidence (dirichlet), straight roads (geodesic), or none. By default the first "
            "that applies of within-class and dirichlet."
        ),
    ] = options.NullName.auto,
    memory: options.Memory = None,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    out: Annotated[Path, typer.Option(help="Directory to make.", metavar="DIR")] = Path("infogeo-dimension"),
) -> None:
    """Say how many dimensions the checkpoints of runs have, with errors, and at which distance.

    In how many independent directions do runs differ? Neighbours answer that: the more dimensions, the faster their
    number grows with distance. Checkpoints of one run follow each other, so every other run counts once, where its
    path comes closest: that is the dimension across runs. In all there is one more, along the run. A dimension belongs
    to a distance, the square root of a divergence; the report shows how it changes with it, along progress (from
    labels, or a column 'progress'), with the number of runs and of probe samples, and beside a null. It is not how
    many axes a map needs. Where there is no single number, it says so, and why.

    Points that are no runs, one checkpoint each, count as a cloud: all are neighbours of all.

    Writes dimension.csv (every estimator: value, standard_error, 95 % interval, scale), curves.csv (against scale,
    progress, runs and samples; at inf, what infinitely many would give), report.html and provenance.json.

    Example: infogeo dimension runs/ --labels labels.npy --out dimension

    Example: infogeo dimension --matrix map/divergence.zarr

    Example: infogeo dimension --matrix d.npy --meta points.csv
    """
    from infogeo.cli.dimensiondir import is_dimension, write_dimension_directory
    from infogeo.core.errors import InputError
    from infogeo.core.output import check_free, written_beside

    if (matrix is None) == (not inputs):
        raise InputError("input: give either predictions (stores, files, folders) or --matrix FILE")
    check_free(out, overwrite, is_dimension)
    messages, began = Messages(quiet), monotonic()
    if matrix is not None:
        given = [flag for name, flag in ABOUT_PREDICTIONS.items() if was_given(ctx, name)]
        if null not in (options.NullName.auto, options.NullName.none):
            given.append("--null")
        if given:
            raise InputError(
                "--matrix: goes with --meta, --seed and --out alone; the rest is about predictions, "
                f"leave out {', '.join(given)}"
            )
        study, provenance = _of_matrix(matrix, meta, seed, messages, began)
    else:
        from infogeo.cli.embed import read_predictions, recorded_inputs

        limit, chosen = as_bytes(memory), options.divergence_of(divergence, alpha)
        predictions = read_predictions(messages, existing(inputs or []), labels, meta, steps, kind, limit)
        recorded = recorded_inputs(inputs or [], labels, meta, steps, kind)
        study, provenance = _of_predictions(predictions, chosen, null, limit, seed, recorded, messages, began)
    from infogeo.report.dimension_words import cautions, null_sentence, sentence

    for line in (sentence(study), null_sentence(study), *cautions(study)):
        if line:
            messages.say(line)
    with written_beside(out, overwrite, is_dimension) as target:
        write_dimension_directory(target, study, provenance)
    print(out / "report.html")


def _of_matrix(
    file: Path, meta: Path | None, seed: int, messages: Messages, began: float
) -> tuple[DimensionStudy, dict[str, Any]]:
    """The study of a matrix from a file, with its provenance."""
    from infogeo.cli.mapdir import provenance_of_environment
    from infogeo.pairwise.matrix import GIVEN

    found = _read(file, meta)
    if found.divergence == GIVEN:
        messages.say("entries count as divergences, and distances as their square roots: square plain distances first")
    if meta is None and found.divergence == GIVEN:
        messages.say("no --meta: every row of the matrix counts as a point of its own, none as a checkpoint of a run")
    study = _study(found, seed, messages)
    return study, {
        **provenance_of_environment(monotonic() - began),
        "inputs": {"matrix": str(file.resolve()), "meta": meta and str(meta.resolve())},
        "points (P)": len(found.points),
        "dimension": _provenance(study),
        "seed": seed,
    }


def _read(file: Path, meta: Path | None) -> PairwiseMatrix:
    """The matrix of a map, or of a file as `embed` reads it; a table names its points."""
    from dataclasses import replace

    from infogeo.pairwise import PairwiseMatrix
    from infogeo.pairwise.storage import is_matrix
    from infogeo.store.tables import points_of_rows, read_matrix, read_table

    table = None if meta is None else read_table(meta)
    if is_matrix(file):
        found = PairwiseMatrix.load(file)
        return found if table is None else replace(found, points=points_of_rows(table, len(found.points)))
    values = read_matrix(file)
    return PairwiseMatrix.from_array(values, None if table is None else points_of_rows(table, len(values)))


def _of_predictions(
    predictions: Predictions,
    divergence: Divergence,
    null: options.NullName,
    memory: int | None,
    seed: int,
    inputs: dict[str, Any],
    messages: Messages,
    began: float,
) -> tuple[DimensionStudy, dict[str, Any]]:
    """The study of predictions, by all and by some of their samples, beside its null; with its provenance."""
    from infogeo.cli.mapdir import (
        provenance_of_environment,
        provenance_of_map,
        provenance_of_merging,
        provenance_of_predictions,
    )
    from infogeo.embed import inpca
    from infogeo.pairwise import pairwise_divergence

    _refuse_early(predictions, null)
    predictions = _with_progress(predictions, messages)
    with messages.progress("divergences") as progress:
        matrix = pairwise_divergence(predictions, divergence, memory=memory, progress=progress)
    embedding = inpca(matrix, AXES)
    samples = _by_samples(predictions, divergence, memory, seed, messages)
    beside = _null(predictions, divergence, null, memory, seed, messages)
    study = _study(matrix, seed, messages, embedding=embedding, samples=samples, null=beside)
    return study, {
        **provenance_of_environment(monotonic() - began),
        **provenance_of_predictions(predictions, inputs),
        **provenance_of_merging(predictions),
        **provenance_of_map(matrix, embedding, "points"),
        "dimension": _provenance(study),
        "seed": seed,
    }


def _study(matrix: PairwiseMatrix, seed: int, messages: Messages, **beside: Any) -> DimensionStudy:
    """The study of a matrix, with what there is beside it."""
    from infogeo.dimension import dimension_study

    return dimension_study(matrix, seed=seed, stage=messages.progress, **beside)


def _refuse_early(predictions: Predictions, null: options.NullName) -> None:
    """What would fail later is said before any work."""
    from infogeo.core.errors import InputError

    if predictions.n_points < 2:
        raise InputError("input: holds one checkpoint in all; a dimension needs many")
    if null is options.NullName.within_class:
        if predictions.labels is None:
            raise InputError("--null within-class: shuffles samples within their class; give --labels")
        if len(predictions.points.runs) < 2:
            raise InputError("--null within-class: compares runs, and there is only one")


def _with_progress(predictions: Predictions, messages: Messages) -> Predictions:
    """The predictions with a column `progress`, from ignorance to truth, where labels are known."""
    from infogeo.trajectories import progress_of, with_progress

    several = len(predictions.points.runs) < predictions.n_points
    if predictions.labels is None or not several or "progress" in predictions.points.metadata:
        return predictions
    with messages.progress("progress") as progress:
        return with_progress(predictions, progress_of(predictions, report=progress))


def _by_samples(
    predictions: Predictions, divergence: Divergence, memory: int | None, seed: int, messages: Messages
) -> list[tuple[int, PairwiseMatrix]]:
    """The divergences by some of the samples, drawn from every class: (how many, matrix)."""
    from infogeo.nulls import Subsample
    from infogeo.pairwise import pairwise_divergence

    points = predictions.points
    longest = max(len(points.of_run(run)) for run in points.runs)
    every = max(len(points.runs) * max(longest, 5), 10)
    counts = [round(share * predictions.n_samples) for share in SHARES]
    counts = [count for count in counts if count >= LEAST_SAMPLES]
    found = []
    with messages.progress("samples") as progress:
        for done, count in enumerate(counts):
            progress(done, len(counts))
            part = Subsample(max_points=every, max_samples=count).of(predictions, seed, memory)
            found.append((part.n_samples, pairwise_divergence(part, divergence, memory=memory)))
    return found


def _null(
    predictions: Predictions,
    divergence: Divergence,
    null: options.NullName,
    memory: int | None,
    seed: int,
    messages: Messages,
) -> DimensionNull | None:
    """The dimension under the null that was asked for, or by default the first that applies."""
    from infogeo.cli import nulls
    from infogeo.nulls.dimension import dimension_null

    def made(model: NullModel, progress: Callable[[int, int], None]) -> DimensionNull:
        return dimension_null(predictions, divergence, null=model, seed=seed, memory=memory, progress=progress)

    return nulls.beside(predictions, null, False, messages, made)


def _provenance(study: DimensionStudy) -> dict[str, Any]:
    """What was looked at, and beside what."""
    answer = study.total if study.across is None else study.across
    return {
        "divergence": study.divergence,
        "distance": "square root of the divergence",
        "answer by": answer.estimator,
        "curves": [f"{curve.name} against {curve.variable}, {len(curve.at)} values" for curve in study.curves],
        "null": study.null and study.null.model,
        "null replicates": len(study.null.curves) if study.null else 0,
        "notes": list(study.notes),
    }
