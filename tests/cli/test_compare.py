"""`infogeo compare`: tables that hold what was computed, and one line for what cannot be compared."""

import csv
import json

import numpy as np
import pytest

import infogeo
from infogeo.store import write_store
from infogeo.trajectories.comparison import compare_runs
from tests.cli.shell import infogeo as shell
from tests.cli.shell import refused
from tests.trajectories.test_comparison import crossed, shared_seeds


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store of crossed runs, and its comparison by arch and lr."""
    root = tmp_path_factory.mktemp("compare")
    write_store(root / "runs.zarr", crossed())
    options = ["--group", "arch", "--group", "lr", "--permutations", 199]
    process = shell("compare", root / "runs.zarr", *options, "--out", root / "made")
    assert process.returncode == 0, process.stderr
    return root, process


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_files_are_those_that_the_help_promises(made):
    root, process = made
    names = {path.name for path in (root / "made").iterdir()}
    promised = {"trajectories.csv", "runs.csv", "trajectory_distances.csv", "importance.csv", "tests.csv"}
    assert names == {*promised, "report.html", "provenance.json"}
    text = shell("compare", "--help").stdout
    assert all(name in text for name in names)
    assert process.stdout.strip() == str(root / "made" / "report.html")


def test_the_tables_hold_the_numbers_of_the_library(made):
    root, process = made
    predictions = infogeo.load(root / "runs.zarr")
    expected = compare_runs(predictions, ["arch", "lr"], infogeo.Bhattacharyya(), permutations=199)
    checkpoints = rows(root / "made" / "trajectories.csv")
    points = predictions.points
    assert [(r["run"], int(r["step"])) for r in checkpoints] == list(
        zip(points["run"].tolist(), points["step"].tolist(), strict=True)
    )
    assert np.array_equal([float(r["progress"]) for r in checkpoints], expected.progress.values)
    assert np.array_equal([float(r["length"]) for r in checkpoints], expected.shapes.travelled)
    assert checkpoints[0]["speed"] == checkpoints[0]["curvature"] == ""
    assert np.allclose([float(r["accuracy"]) for r in checkpoints], predictions.scores()[0])
    runs = rows(root / "made" / "runs.csv")
    assert np.array_equal([float(r["tortuosity"]) for r in runs], expected.shapes.tortuosity)
    assert {r["arch"] for r in runs} == {"a", "b"}
    pairs = rows(root / "made" / "trajectory_distances.csv")
    assert len(pairs) == 18 * 17 // 2
    assert [float(r["at_equal_progress"]) for r in pairs] == expected.matrix.condensed().tolist()
    assert [float(r["at_equal_steps"]) for r in pairs] == expected.at_equal_steps.condensed().tolist()
    tests = {r["factor"]: r for r in rows(root / "made" / "tests.csv")}
    assert float(tests["arch"]["p_value"]) == expected.tests[0].p_value
    assert tests["arch"]["strata"] == "lr"
    assert float(tests["lr"]["ratio_low"]) == expected.paces[1].low
    assert expected.sentence() in process.stderr
    assert rows(root / "made" / "importance.csv") == []


def test_provenance_says_how_it_was_made(made):
    provenance = json.loads((made[0] / "made" / "provenance.json").read_text())
    assert provenance["comparison"]["factors"] == ["arch", "lr"]
    assert provenance["comparison"]["block"] is None
    assert provenance["comparison"]["permutations"] == 199
    assert provenance["seed"] == 0
    assert provenance["fingerprint"]


def test_shared_seeds_are_a_block_unless_told_otherwise(tmp_path):
    write_store(tmp_path / "runs.zarr", shared_seeds(seeds=4))
    options = ["--group", "arch", "--group", "lr", "--permutations", 99]
    said, tests, blocks = {}, {}, {}
    for name, more in (("default", []), ("named", ["--block", "seed"]), ("none", ["--block", "none"])):
        answer = shell("compare", tmp_path / "runs.zarr", *options, *more, "--out", tmp_path / name)
        assert answer.returncode == 0, answer.stderr
        said[name], tests[name] = answer.stderr, rows(tmp_path / name / "tests.csv")
        blocks[name] = json.loads((tmp_path / name / "provenance.json").read_text())["comparison"]["block"]
    assert "Every configuration has runs of the same 4 levels of seed, which holds" in said["default"]
    assert "Runs are compared within each of the 4 levels of seed, which holds" in said["named"]
    assert "levels of seed" not in said["none"]
    assert "among runs that agree in lr and seed, p = " in said["default"]
    assert "Runs that differ in arch and agree in lr and seed are" in said["default"]
    assert "Importance is left out: there are 4 configurations of arch and lr; it takes at least 10" in said["default"]
    assert tests["named"] == tests["default"]
    assert [r["strata"] for r in tests["default"]] == ["lr seed", "arch seed"]
    assert [r["strata"] for r in tests["none"]] == ["lr", "arch"]
    assert float(tests["default"][1]["p_value"]) < 0.05 < float(tests["none"][1]["p_value"])
    assert (blocks["default"]["column"], blocks["default"]["n_levels"], blocks["none"]) == ("seed", 4, None)
    assert blocks["default"]["r_squared"] > 0.5
    page = (tmp_path / "default" / "report.html").read_text().replace("\u00a0", " ")
    assert "Every configuration has runs of the same 4 levels of seed, which holds" in page
    assert "means over pairs of runs that agree in seed" in page


def test_an_earlier_comparison_is_replaced_on_request_and_nothing_else(made, tmp_path):
    root, _ = made
    refused(shell("compare", root / "runs.zarr", "--group", "arch", "--out", root / "made"), "exists")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    answer = shell("compare", root / "runs.zarr", "--group", "arch", "--overwrite", "--out", tmp_path / "mine")
    refused(answer, "something else lies there")
    quick = ["--group", "arch", "--permutations", 19, "--overwrite", "-q", "--out", root / "made"]
    again = shell("compare", root / "runs.zarr", *quick)
    assert again.returncode == 0, again.stderr
    assert again.stderr == ""
    assert len(rows(root / "made" / "tests.csv")) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--group", "depth"], "group: there is no column 'depth'; there are run, step, arch, lr"),
        (["--group", "arch", "--block", "seed"], "block: there is no column 'seed'; there are run, step, arch, lr"),
        (["--group", "arch", "--block", "arch"], "block: 'arch' is a factor as well; it can be only one of the two"),
        (["--group", "arch", "--divergence", "hellinger", "--memory", "1"], "memory: 1 bytes are not enough"),
    ],
)
def test_what_cannot_be_compared_leaves_nothing_behind(made, tmp_path, options, message):
    refused(shell("compare", made[0] / "runs.zarr", *options, "--out", tmp_path / "none", "-q"), message)
    assert list(tmp_path.iterdir()) == []


def test_runs_without_labels_are_asked_for_them(tmp_path):
    given = crossed(seeds=1)
    for run in given.points.runs[:4]:
        path = tmp_path / "runs" / f"{run.replace('/', '-')}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, given.log_probs[given.points.of_run(run)])
    (tmp_path / "meta.csv").write_text("run,arch\n" + "".join(f"{p.stem},{p.stem[0]}\n" for p in path.parent.iterdir()))
    answer = shell("compare", path.parent, "--meta", tmp_path / "meta.csv", "--group", "arch", "--out", tmp_path / "x")
    refused(answer, "labels: progress towards truth needs the true class of each sample; give labels, or an end point")
    np.save(tmp_path / "end.npy", given.log_probs[given.points.of_run(given.points.runs[0])[-1]])
    options = ["--meta", tmp_path / "meta.csv", "--group", "arch", "--end", tmp_path / "end.npy", "-q"]
    answer = shell("compare", path.parent, *options, "--permutations", 19, "--out", tmp_path / "x")
    assert answer.returncode == 0, answer.stderr
    assert "accuracy" not in rows(tmp_path / "x" / "trajectories.csv")[0]


def test_runs_can_be_left_out_by_a_column(made, tmp_path):
    some = ["--only", "lr=0.1", "--only", "step=0", "--group", "arch", "--out", tmp_path / "none"]
    refused(shell("compare", made[0] / "runs.zarr", *some), "has one checkpoint, which is no trajectory")
    wrong = ["--group", "arch", "--out", tmp_path / "none"]
    refused(shell("compare", made[0] / "runs.zarr", "--only", "lr", *wrong), "--only: 'lr' is no COLUMN=VALUE")
    answer = shell("compare", made[0] / "runs.zarr", "--only", "lr=7", *wrong)
    refused(answer, "--only: no checkpoint has lr '7'; there are 0.1, 0.2, 0.3")
    quick = ["--only", "lr=0.1", "--group", "arch", "--permutations", 19, "-q", "--out", tmp_path / "made"]
    answer = shell("compare", made[0] / "runs.zarr", *quick)
    assert answer.returncode == 0, answer.stderr
    assert {r["lr"] for r in rows(tmp_path / "made" / "runs.csv")} == {"0.1"}
