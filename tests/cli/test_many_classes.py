"""`infogeo embed --keep-classes` and what `infogeo project` makes of it, through the shell."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

import infogeo
from infogeo.cli.mapdir import read_map
from tests.cli.shell import infogeo as shell
from tests.cli.shell import refused
from tests.samples import trajectories

KEEP, CLASSES = 4, 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs as .npy files, their labels, and a run that the map does not know."""
    root = tmp_path_factory.mktemp("input")
    predictions = trajectories(classes=CLASSES)
    (root / "runs").mkdir()
    for run in predictions.points.runs:
        rows = predictions.points["run"] == run
        np.save((root if run == "net-3" else root / "runs") / f"{run}.npy", predictions.log_probs[rows])
    np.save(root / "labels.npy", predictions.labels)
    return root


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "map"
    process = shell("embed", folder / "runs", "--labels", folder / "labels.npy", "--keep-classes", KEEP, "--out", out)
    assert process.returncode == 0, process.stderr
    return out, process


def fitted(folder):
    return infogeo.load(folder / "runs", labels=folder / "labels.npy")


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def coordinates(rows):
    return np.array([[float(value) for name, value in row.items() if name.startswith("x")] for row in rows])


def test_the_map_is_that_of_the_library_and_says_what_was_merged(made, folder):
    out, process = made
    merged = infogeo.merge_classes(fitted(folder), keep=KEEP)
    expected = infogeo.embed_predictions(merged, infogeo.Bhattacharyya())
    placed = np.concatenate([expected.embedding.coords, expected.references.coords])
    assert np.array_equal(coordinates(table(out / "embedding.csv")), placed)
    assert np.array_equal(np.load(out / "kept_classes.npy"), merged.coarse_graining.kept)
    assert merged.notes[-1] in process.stderr.splitlines()
    assert "plan: 18 points, 30 samples, 5 classes (4 of 12, and the rest)" in process.stderr
    provenance = json.loads((out / "provenance.json").read_text())
    assert (provenance["classes (C)"], provenance["classes kept for each sample (K)"]) == (CLASSES, KEEP)
    assert provenance["notes"][-1] == merged.notes[-1]


def test_accuracy_and_loss_are_those_before_merging(made, folder):
    accuracy, loss = fitted(folder).scores()
    rows = table(made[0] / "embedding.csv")[:18]
    assert [float(row["accuracy"]) for row in rows] == accuracy.tolist()
    assert [float(row["loss"]) for row in rows] == loss.tolist()


def test_new_runs_are_merged_as_the_map_was(made, folder, tmp_path):
    process = shell("project", made[0], folder / "net-3.npy", "--out", tmp_path / "p")
    assert process.returncode == 0, process.stderr
    assert "plan: 6 new points on a map of 18; 4 of 12 classes, and the rest" in process.stderr
    merged = infogeo.merge_classes(fitted(folder), keep=KEEP)
    new = infogeo.load(folder / "net-3.npy", labels=folder / "labels.npy")
    alike = infogeo.merge_classes(new, keep=merged.coarse_graining)
    rows = infogeo.pairwise_divergence(alike, infogeo.Bhattacharyya(), to=merged)
    placed = table(tmp_path / "p" / "projection.csv")
    assert np.array_equal(coordinates(placed), read_map(made[0])[0].project(rows))
    assert [float(row["accuracy"]) for row in placed] == new.scores()[0].tolist()
    assert json.loads((tmp_path / "p" / "provenance.json").read_text())["classes kept for each sample (K)"] == KEEP


def test_a_map_of_a_merged_store_takes_new_runs_before_merging(made, folder, tmp_path):
    infogeo.write_store(tmp_path / "s.zarr", infogeo.merge_classes(fitted(folder), keep=KEEP))
    assert shell("embed", tmp_path / "s.zarr", "--out", tmp_path / "map").returncode == 0
    process = shell("project", tmp_path / "map", folder / "net-3.npy", "--out", tmp_path / "p")
    assert process.returncode == 0, process.stderr
    assert shell("project", made[0], folder / "net-3.npy", "--out", tmp_path / "q").returncode == 0
    one, other = (table(tmp_path / name / "projection.csv") for name in "pq")
    # the store normalises what float32 left over, 2^-20 of each row at most; placing divides by sqrt |lambda|
    bound = np.sqrt(18) * 2e-6 / np.sqrt(np.abs(read_map(made[0])[0].eigenvalues[:3]))
    assert (np.abs(coordinates(one) - coordinates(other))[:, :3] <= bound).all()
    for score in ("accuracy", "loss"):
        assert [row[score] for row in one] == [row[score] for row in other]


def test_a_map_without_labels_takes_new_runs_with_labels(folder, tmp_path):
    assert shell("embed", folder / "runs", "--keep-classes", 1, "--out", tmp_path / "map", "-q").returncode == 0
    new = infogeo.load(folder / "net-3.npy", labels=folder / "labels.npy")
    kept = np.load(tmp_path / "map" / "kept_classes.npy")
    other = np.where(kept[:, 0] == new.labels, (new.labels + 1) % CLASSES, new.labels)
    infogeo.write_store(tmp_path / "new.zarr", replace(new, labels=other))
    process = shell("project", tmp_path / "map", tmp_path / "new.zarr", "--out", tmp_path / "p")
    assert process.returncode == 0, process.stderr
    assert "accuracy" not in table(tmp_path / "p" / "projection.csv")[0]


def test_keeping_all_classes_is_no_merging(folder, tmp_path):
    process = shell("embed", folder / "runs", "--keep-classes", 50, "--out", tmp_path / "map")
    assert "classes: all are kept" in process.stderr
    assert "18 points, 30 samples, 12 classes;" in process.stderr
    assert not (tmp_path / "map" / "kept_classes.npy").exists()


def test_what_does_not_go_with_merged_classes_is_refused(made, folder, tmp_path):
    given = ("embed", folder / "runs", "--labels", folder / "labels.npy", "--keep-classes", 3, "--out", tmp_path / "m")
    refused(shell(*given, "--null", "within-class"), "with merged classes each keeps its own")
    matrix = ("embed", "--matrix", folder / "labels.npy", "--keep-classes", 3, "--out", tmp_path / "m")
    refused(shell(*matrix), "--matrix: goes with --meta")
    assert shell(*given[:-4], "--keep-classes", 0, "--out", tmp_path / "m").returncode == 2
    assert not (tmp_path / "m").exists()


def test_a_map_that_lost_its_kept_classes_is_damaged_and_can_be_made_again(made, folder, tmp_path):
    out = tmp_path / "map"
    again = ("embed", folder / "runs", "--keep-classes", KEEP, "--out", out, "-q")
    assert shell(*again).returncode == 0
    for spoil in (lambda file: np.save(file, np.zeros((30, 4), int)), lambda file: file.unlink()):
        spoil(out / "kept_classes.npy")
        place = shell("project", out, folder / "net-3.npy", "--out", tmp_path / "p")
        refused(place, "is a damaged map (kept_classes.npy")
    assert shell(*again, "--overwrite").returncode == 0
    assert (out / "kept_classes.npy").exists()
