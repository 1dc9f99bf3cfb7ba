"""`infogeo demo`: real networks, trained here, and the map of their training."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from infogeo.cli import options
from infogeo.cli.console import Messages, answers_for_errors


@answers_for_errors
def demo(
    out: Annotated[Path, typer.Option(help="Directory to make.", metavar="DIR")] = Path("infogeo-demo"),
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Train 72 small networks and map their training.

    Handwritten digits, about a minute on two cores: four architectures, three optimisers, two weight decays,
    three seeds; 27 checkpoints each. Writes the stores train.zarr and test.zarr of what they predict, and map/
    with the report of the test set.

    Example: infogeo demo --out demo
    """
    from infogeo.cli.embed import MapTask, make_map
    from infogeo.cli.mapdir import is_demo, write_map
    from infogeo.core.output import check_free, written_beside
    from infogeo.demo import groups, load_digits, train_group
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
            messages.say(f"training {6 * len(groups())} networks on handwritten digits")
            for done, group in enumerate(groups()):
                for run in train_group(group, digits, seed=seed):
                    train.write_run(run.name, run.steps, run.train_log_probs, run.metadata)
                    test.write_run(run.name, run.steps, run.test_log_probs, run.metadata)
                progress(done + 1, len(groups()))
        predictions = load(target / "test.zarr")
        inputs = {"predictions": [str((out / "test.zarr").resolve())], "labels": None, "steps": None, "as": None}
        task = MapTask(Bhattacharyya(), null=True, seed=seed)
        write_map(target / "map", make_map(predictions, task, inputs, messages, began))
    messages.say(f"done in {monotonic() - began:.0f} s; the same for the training set:")
    messages.say(f"  infogeo embed {out / 'train.zarr'} --null --out {out / 'train-map'}")
    print(out / "map" / "report.html")
