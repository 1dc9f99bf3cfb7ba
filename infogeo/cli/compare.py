"""`infogeo compare`: which factors of training separate trajectories."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from infogeo.cli import options
from infogeo.cli.console import Messages, answers_for_errors, as_bytes, existing

if TYPE_CHECKING:
    from infogeo.core.predictions import Predictions

AXES = 10


@answers_for_errors
def compare(
    inputs: Annotated[list[Path], typer.Argument(help=options.INPUTS, metavar="INPUT...")],
    group: Annotated[
        list[str],
        typer.Option(
            help="A column of --meta (or of the store) to compare by, for example the architecture. Repeat it for "
            "each factor; the seed is none, see --block.",
            metavar="COLUMN",
        ),
    ],
    block: Annotated[
        str | None,
        typer.Option(
            help="A column whose levels return in every configuration, for example a seed that sets where each of them "
            "begins: runs are compared within one level. By default 'seed', or without it the only column that tells "
            "runs of one configuration apart, where all configurations have the same levels; 'none' for no block.",
            metavar="COLUMN",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Compare only what has this value in a column, for example 'task=true labels'. Repeat to narrow down.",
            metavar="COLUMN=VALUE",
        ),
    ] = None,
    end: Annotated[
        Path | None,
        typer.Option(
            help="Where progress leads to instead of truth: a prediction on the probe set [N, C].",
            metavar="FILE",
        ),
    ] = None,
    labels: options.Labels = None,
    meta: options.Meta = None,
    steps: options.Steps = None,
    kind: options.As = None,
    divergence: Annotated[
        options.DivergenceName, typer.Option(help="Which divergence, in nats, averaged over samples and progress.")
    ] = options.DivergenceName.bhattacharyya,
    alpha: options.Alpha = None,
    permutations: Annotated[
        int, typer.Option(help="Exchanges of labels behind each p-value.", min=19, metavar="K")
    ] = 999,
    memory: options.Memory = None,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    out: Annotated[Path, typer.Option(help="Directory to make.", metavar="DIR")] = Path("infogeo-comparison"),
) -> None:
    """Say which factors of training separate the trajectories of runs, and by how much.

    Every checkpoint is given its progress from ignorance to truth; runs are compared where they have come equally far.
    Each factor is tested by exchanging its labels among runs that agree in all other factors and in the block, usually
    the seed (PERMANOVA), and a random forest says how well it predicts the divergences between configurations that it
    has not seen. The same divergences at equal steps tell pace from path.

    Writes trajectories.csv (run, step, progress, distance_to_geodesic, speed, length, curvature, accuracy), runs.csv,
    trajectory_distances.csv, importance.csv, tests.csv, report.html and provenance.json. Lengths are in the Fisher
    metric.

    Example: infogeo compare demo/test.zarr --group architecture --group optimiser --group weight_decay --out compared
    """
    from dataclasses import asdict, replace

    from infogeo.cli.comparisondir import is_comparison, write_comparison_directory
    from infogeo.cli.embed import read_predictions, recorded_inputs
    from infogeo.cli.mapdir import (
        provenance_of_environment,
        provenance_of_map,
        provenance_of_merging,
        provenance_of_predictions,
    )
    from infogeo.core.output import check_free, written_beside
    from infogeo.embed import embed_predictions
    from infogeo.store import load
    from infogeo.trajectories import geodesic
    from infogeo.trajectories.comparison import check, compare_runs

    check_free(out, overwrite, is_comparison)
    messages, began, limit = Messages(quiet), monotonic(), as_bytes(memory)
    predictions = read_predictions(messages, existing(inputs), labels, meta, steps, kind, limit)
    predictions = _chosen(predictions, only or [])
    along = None if end is None else geodesic(predictions, end=load(existing([end])))
    within = True if block is None else False if block == "none" else block
    check(predictions, tuple(group), along, within)
    chosen = options.divergence_of(divergence, alpha)
    if predictions.labels is not None:
        accuracy, loss = predictions.scores()
        predictions = replace(predictions, points=predictions.points.with_columns(accuracy=accuracy, loss=loss))
    comparison = compare_runs(
        predictions,
        group,
        chosen,
        along=along,
        block=within,
        permutations=permutations,
        seed=seed,
        memory=limit,
        stage=messages.progress,
    )
    with messages.progress("map") as progress:
        made = embed_predictions(predictions, chosen, AXES, progress, limit)
    for line in (
        *comparison.notes,
        *([comparison.block.sentence()] if comparison.block else []),
        *(test.sentence() for test in comparison.tests),
        *(pace.sentence() for pace in comparison.paces),
        comparison.sentence(),
    ):
        messages.say(line)
    recorded = recorded_inputs(inputs, labels, meta, steps, kind)
    recorded |= {"only": only, "end": end and str(end.resolve())}
    provenance = {
        **provenance_of_environment(monotonic() - began),
        **provenance_of_predictions(predictions, recorded),
        **provenance_of_merging(predictions),
        **provenance_of_map(made.matrix, made.embedding, "points"),
        "comparison": {
            "factors": list(comparison.factors),
            "block": comparison.block and asdict(comparison.block),
            "progress": f"{type(comparison.progress.definition).__name__} from ignorance to {end or 'truth'}",
            "values of progress": [float(comparison.grid[0]), float(comparison.grid[-1]), len(comparison.grid)],
            "permutations": permutations,
            "notes": list(comparison.notes),
        },
        "seed": seed,
    }
    with written_beside(out, overwrite, is_comparison) as target:
        write_comparison_directory(target, comparison, made.embedding, provenance)
    print(out / "report.html")


def _chosen(predictions: Predictions, only: list[str]) -> Predictions:
    """The checkpoints whose columns have the values asked for, `column=value`."""
    from infogeo.core.errors import InputError

    for text in only:
        column, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--only: '{text}' is no COLUMN=VALUE; write for example 'task=true labels'")
        found = predictions.points[column].astype(str)
        mask = found == value
        if not mask.any():
            there = ", ".join(list(dict.fromkeys(found.tolist()))[:5])
            raise InputError(f"--only: no checkpoint has {column} '{value}'; there are {there}")
        predictions = predictions.take(mask)
    return predictions
