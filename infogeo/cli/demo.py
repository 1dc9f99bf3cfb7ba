"""`infogeo demo`: real networks, trained here, and the map of their training."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from infogeo.cli import options
from infogeo.cli.console import Messages, answers_for_errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from infogeo.core.predictions import Predictions
    from infogeo.trajectories import Progress


@answers_for_errors
def demo(
    out: Annotated[Path, typer.Option(help="Directory to make.", metavar="DIR")] = Path("infogeo-demo"),
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Also 18 networks that learn shuffled labels, that begin where random labels were fitted, or with "
            "perturbed weights; some 20 seconds more.",
        ),
    ] = False,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Train 72 small networks and map their training.

    Handwritten digits, about a minute on two cores: four architectures, three optimisers, two weight decays,
    three seeds; 27 checkpoints each. Writes the stores train.zarr and test.zarr of what they predict, and map/
    with the report of the test set.

    With --full the stores have columns `start` and `task`. Beside the usual runs (fresh, true labels) there are, of
    two architectures with Adam, three seeds each: runs that learn a shuffle of the training labels; runs from
    corners, which first fit random labels, unrecorded, and then learn the true ones; and runs whose initial weights
    are perturbed by noise of about their size. Afterwards it is said where each kind went.

    Example: infogeo demo --out demo
    """
    from infogeo.cli.embed import MapTask, make_map
    from infogeo.cli.mapdir import is_demo, write_map
    from infogeo.core.output import check_free, written_beside
    from infogeo.demo import START_GROUPS, STARTS, groups, load_digits, trainings
    from infogeo.divergences import Bhattacharyya
    from infogeo.store import StoreWriter, load

    check_free(out, overwrite, is_demo)
    messages, began = Messages(quiet), monotonic()
    digits = load_digits(seed)
    labels = {"train": digits.train_labels, "test": digits.test_labels}
    with written_beside(out, overwrite, is_demo) as target:
        target.mkdir()
        with ExitStack() as stores, messages.progress("training") as progress:
            train, test = (
                stores.enter_context(
                    StoreWriter.create(
                        target / f"{part}.zarr",
                        len(labels[part]),
                        digits.class_names,
                        labels=labels[part],
                        probe=f"digits/{part}/{seed}",
                    )
                )
                for part in ("train", "test")
            )
            planned = trainings(digits, seed=seed, full=full)
            networks = 6 * len(groups()) + (3 * len(STARTS) * len(START_GROUPS) if full else 0)
            messages.say(f"training {networks} networks on handwritten digits")
            for done, training in enumerate(planned):
                for run in training():
                    train.write_run(run.name, run.steps, run.train_log_probs, run.metadata)
                    test.write_run(run.name, run.steps, run.test_log_probs, run.metadata)
                progress(done + 1, len(planned))
        predictions = load(target / "test.zarr")
        inputs = {"predictions": [str((out / "test.zarr").resolve())], "labels": None, "steps": None, "as": None}
        task = MapTask(Bhattacharyya(), errors=True, seed=seed)
        write_map(target / "map", make_map(predictions, task, inputs, messages, began))
        if full:
            for sentence in starts_found(predictions):
                messages.say(sentence)
    messages.say(f"done in {monotonic() - began:.0f} s; the same for the training set:")
    messages.say(f"  infogeo embed {out / 'train.zarr'} --out train-map")
    print(out / "map" / "report.html")


def starts_found(predictions: Predictions) -> list[str]:
    """Where the special runs of a full demo went, beside usual ones of their groups: a sentence for each kind.

    Numbers are means over runs. Progress is that of the published definition, on the true labels.
    """
    import numpy as np

    from infogeo.demo import START_GROUPS, STARTS, USUAL
    from infogeo.trajectories import progress_of

    progress, points = progress_of(predictions), predictions.points
    alike = [
        points.where(**USUAL.columns, architecture=group.architecture, optimiser=group.optimiser, weight_decay=0.0)
        for group in START_GROUPS
    ]
    usual = _ends(progress, np.concatenate(alike))
    sentences = []
    for start in STARTS:
        found = _ends(progress, points.where(**start.columns))
        last, off, farthest = (f"{here:.2f} (usual: {there:.2f})" for here, there in zip(found, usual, strict=True))
        sentences.append(
            f"{start.name} runs: progress {last} at the end, {off} rad from the geodesic of ignorance and truth; "
            f"farthest from it on the way {farthest} rad"
        )
    return sentences


def _ends(progress: Progress, rows: NDArray[np.intp]) -> tuple[float, float, float]:
    """Means over runs of the last progress, of the distance there, and of the largest distance on the way."""
    import numpy as np

    runs = [progress.points.of_run(run) for run in dict.fromkeys(progress.points["run"][rows].tolist())]
    ends = [(progress.values[own[-1]], progress.distance[own[-1]], progress.distance[own].max()) for own in runs]
    last, off, farthest = np.mean(ends, axis=0).tolist()
    return last, off, farthest
