"""`infogeo demo`, whole: real training, the stores, the map, and what the numbers must be."""

import csv
import json

import numpy as np
import pytest

import infogeo
from tests.cli.shell import infogeo as shell


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "demo"
    process = shell("demo", "--out", out)
    assert process.returncode == 0, process.stderr
    return out, process


def test_the_demo_prints_where_the_report_is_and_what_the_null_says(made):
    out, process = made
    assert process.stdout.strip() == str(out / "map" / "report.html")
    assert "plan: 1944 points, 797 samples, 10 classes" in process.stderr
    assert "With the examples of each class shuffled" in process.stderr


def test_the_hint_puts_the_next_map_elsewhere(made):
    """In the folder of the demo it would be in the way of `--overwrite`."""
    assert made[1].stderr.splitlines()[-1].endswith(f"infogeo embed {made[0] / 'train.zarr'} --out train-map")


def test_the_report_is_small_enough_to_send(made):
    assert (made[0] / "map" / "report.html").stat().st_size < 12e6


def test_both_stores_hold_all_runs_with_their_metadata(made):
    for part, samples in (("train", 1000), ("test", 797)):
        predictions = infogeo.load(made[0] / f"{part}.zarr")
        assert predictions.log_probs.shape == (1944, samples, 10)
        assert len(predictions.points.runs) == 72
        assert set(predictions.points.metadata) >= {"architecture", "optimiser", "weight_decay", "seed"}


def test_three_axes_explain_most_of_the_stress_and_so_does_the_null(made):
    """The pass criterion of the published reproduction on digits: at least 0.9 at k = 3; the null is nearly as high."""
    with (made[0] / "map" / "spectrum.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    stress, null = (float(rows[2][name]) for name in ("explained_stress", "null_explained_stress"))
    assert stress >= 0.9
    assert 0.9 <= null < stress


def test_random_models_do_not_make_a_low_dimensional_map():
    """The control: 300 unrelated Dirichlet models; at most 0.1 at k = 3."""
    p = np.random.default_rng(0).dirichlet(np.ones(10), size=(300, 797))
    predictions = infogeo.Predictions.from_arrays({"random": p}, kind="probabilities")
    made = infogeo.embed_predictions(predictions, infogeo.Bhattacharyya(), n_components=3)
    assert made.embedding.explained_stress[2] <= 0.1


def test_every_run_goes_from_near_ignorance_towards_truth(made):
    with (made[0] / "map" / "embedding.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    ends = {row["run"]: float(row["x1"]) for row in rows[-2:]}
    assert list(ends) == ["ignorance", "truth"]
    span = ends["truth"] - ends["ignorance"]
    runs = {}
    for row in rows[:-2]:
        runs.setdefault(row["run"], []).append((float(row["x1"]) - ends["ignorance"]) / span)
    assert len(runs) == 72
    for name, progress in runs.items():
        assert abs(progress[0]) < 0.15, name
        assert progress[-1] > 0.6, name


def test_the_stores_map_again_from_the_shell(made, tmp_path):
    runs = made[0] / "test.zarr"
    again = shell("embed", runs, "--components", "3", "--out", tmp_path / "map", "--quiet")
    assert again.returncode == 0, again.stderr
    first, second = (
        json.loads((d / "provenance.json").read_text())["fingerprint"] for d in (made[0] / "map", tmp_path / "map")
    )
    assert first == second
    with (made[0] / "map" / "spectrum.csv").open(newline="") as a, (tmp_path / "map" / "spectrum.csv").open() as b:
        expected, found = ([float(r["eigenvalue"]) for r in csv.DictReader(f)][:3] for f in (a, b))
    # the same tiles, the same products: only the number of Lanczos vectors differs
    assert found == pytest.approx(expected, rel=1e-9)


SMALL = """
from dataclasses import replace
from infogeo import demo
group = demo.Group("mlp-narrow", "adam")
short = lambda start: tuple(replace(lesson, epochs=2) for lesson in start.lessons)
demo.groups, demo.START_GROUPS = lambda: (group,), (group,)
demo.STARTS = tuple(replace(start, lessons=short(start)) for start in demo.STARTS)
"""


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A full demo of one usual group and one group of special runs, the latter trained for two epochs."""
    out = tmp_path_factory.mktemp("full") / "demo"
    process = shell("demo", "--full", "--out", out, first=SMALL.strip())
    assert process.returncode == 0, process.stderr
    return out, process


def test_the_stores_of_a_full_demo_tell_start_and_task_of_every_run(full):
    for part in ("train", "test"):
        points = infogeo.load(full[0] / f"{part}.zarr").points
        first = points.take([points.of_run(run)[0] for run in points.runs])
        kinds = list(zip(first["start"].tolist(), first["task"].tolist(), strict=True))
        assert {kind: kinds.count(kind) for kind in kinds} == {
            ("fresh", "true labels"): 6,
            ("fresh", "shuffled labels"): 3,
            ("corner", "true labels"): 3,
            ("perturbed", "true labels"): 3,
        }
    assert "mlp-narrow/adam/wd0/seed2" in points.runs
    assert "mlp-narrow/adam/wd0/seed2/corner" in points.runs


def test_a_full_demo_says_where_each_kind_of_special_run_went(full):
    out, process = full
    predictions = infogeo.load(out / "test.zarr")
    progress = infogeo.progress_of(predictions)
    for name in ("shuffled", "corner", "perturbed"):
        rows = [predictions.points.of_run(f"mlp-narrow/adam/wd0/seed{seed}/{name}")[-1] for seed in range(3)]
        (line,) = (line for line in process.stderr.splitlines() if line.startswith(f"{name} runs: "))
        assert f"progress {progress.values[rows].mean():.2f} (usual: " in line
        assert f"{progress.distance[rows].mean():.2f} (usual: " in line


def test_the_plain_demo_has_neither_column(made):
    assert not {"start", "task"} & set(infogeo.load(made[0] / "test.zarr").points.metadata)


def test_the_help_explains_the_full_demo():
    page = shell("demo", "--help").stdout
    assert "--full" in page
    for word in ("shuffle", "corners", "perturbed", "start", "task"):
        assert word in page
