"""`infogeo dimension`: tables that hold what the library says, and one line for what has no dimension."""

import csv
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import infogeo
from infogeo.cli import console
from infogeo.cli.dimensiondir import CURVES, ESTIMATES, is_dimension, write_dimension_directory
from infogeo.cli.main import run
from infogeo.report.dimension_words import number as in_words
from infogeo.report.dimension_words import sentence
from infogeo.store import write_store
from tests.cli.shell import infogeo as shell
from tests.cli.shell import refused
from tests.dimensions import small_study, straight_runs
from tests.samples import trajectories


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def here(monkeypatch, capsys):
    """The command in this process, as it answers: starting another takes longer than a refusal."""
    monkeypatch.setattr(console._INTERRUPT, "listen", lambda: None)

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["infogeo", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            run()
        said = capsys.readouterr()
        return SimpleNamespace(returncode=stop.value.code or 0, stdout=said.out, stderr=said.err)

    return command


def number(text):
    return float(text) if text else np.nan


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store of 24 runs, and its study as the shell makes it."""
    root = tmp_path_factory.mktemp("dimension")
    write_store(root / "runs.zarr", trajectories(runs=24, checkpoints=5, samples=60))
    return root, shell("dimension", root / "runs.zarr", "--out", root / "made")


def test_the_files_are_those_that_the_help_promises(made):
    root, process = made
    assert process.returncode == 0, process.stderr
    names = {path.name for path in (root / "made").iterdir()}
    assert names == {"dimension.csv", "curves.csv", "report.html", "provenance.json"}
    assert process.stdout.strip() == str(root / "made" / "report.html")
    assert "Across runs the checkpoints have " in process.stderr
    assert "at 95 %" in process.stderr


def test_help_names_the_files_and_an_example():
    text = shell("dimension", "--help").stdout
    assert all(name in text for name in ("dimension.csv", "curves.csv", "report.html", "provenance.json"))
    assert "Example: infogeo dimension runs/ --labels labels.npy" in text.replace("\n  ", " ")


def test_the_first_row_is_the_answer_that_was_printed(made):
    root, process = made
    found = rows(root / "made" / "dimension.csv")
    value, low, high = (float(found[0][name]) for name in ("value", "low", "high"))
    assert low < value < high
    assert f"have {in_words(value)} dimensions ({in_words(low)} to {in_words(high)} at 95 %" in process.stderr
    assert {row["variable"] for row in rows(root / "made" / "curves.csv")} == {"scale", "progress", "samples", "runs"}


def test_provenance_says_how_it_was_made(made):
    provenance = json.loads((made[0] / "made" / "provenance.json").read_text())
    assert provenance["dimension"]["divergence"] == "Bhattacharyya"
    assert provenance["dimension"]["null replicates"] > 0
    assert provenance["seed"] == 0
    assert provenance["fingerprint"]


def test_the_matrix_of_a_map_and_a_bare_one_will_do(here, tmp_path):
    matrix = straight_runs(runs=12, checkpoints=6)
    matrix.save(tmp_path / "divergence.zarr")
    np.save(tmp_path / "d.npy", matrix.values)
    table = [f"{run},{step}" for run, step in zip(matrix.points["run"], matrix.points["step"], strict=True)]
    (tmp_path / "meta.csv").write_text("\n".join(["run,step", *table]))
    given = [
        ["--matrix", tmp_path / "divergence.zarr"],
        ["--matrix", tmp_path / "d.npy", "--meta", tmp_path / "meta.csv"],
    ]
    found = []
    for i, options in enumerate(given):
        answer = here("dimension", *options, "-q", "--out", tmp_path / f"out-{i}")
        assert answer.returncode == 0, answer.stderr
        assert answer.stderr == ""
        found.append([row["value"] for row in rows(tmp_path / f"out-{i}" / "dimension.csv")])
    assert found[0][0] == found[1][0]


def test_an_earlier_study_is_replaced_on_request_and_nothing_else(here, made, tmp_path):
    root, _ = made
    refused(here("dimension", root / "runs.zarr", "--out", root / "made"), "exists")
    straight_runs(runs=12, checkpoints=4).save(tmp_path / "d.zarr")
    again = here("dimension", "--matrix", tmp_path / "d.zarr", "--overwrite", "-q", "--out", root / "made")
    assert again.returncode == 0, again.stderr
    assert is_dimension(root / "made")


def test_the_tables_hold_the_numbers_of_the_study(tmp_path):
    study = small_study()
    write_dimension_directory(tmp_path / "out", study, {"versions": {"infogeo": infogeo.__version__}})
    assert is_dimension(tmp_path / "out")
    found = rows(tmp_path / "out" / "dimension.csv")
    assert tuple(found[0]) == ESTIMATES
    for row, estimate in zip(found, study.estimates, strict=True):
        numbers = [number(row[name]) for name in ("value", "standard_error", "low", "high", "scale")]
        expected = [estimate.value, estimate.standard_error, *estimate.interval(), estimate.scale]
        np.testing.assert_array_equal(numbers, expected)
        assert (row["estimator"], int(row["n_points"])) == (estimate.estimator, estimate.n_points)
    assert (found[-1]["excluded"], found[-1]["excluded_pairs"], found[-1]["note"]) == ("3", "5", "no error is known")
    curves = rows(tmp_path / "out" / "curves.csv")
    assert tuple(curves[0]) == CURVES
    for curve in study.curves:
        own = [r for r in curves if (r["curve"], r["variable"]) == (curve.name, curve.variable) and r["at"] != "inf"]
        np.testing.assert_array_equal([float(r["at"]) for r in own], curve.at)
        np.testing.assert_array_equal([number(r["value"]) for r in own], curve.values)
        np.testing.assert_array_equal([[number(r[name]) for r in own] for name in ("low", "high")], curve.band())
    assert [(r["variable"], r["value"]) for r in curves if r["at"] == "inf"] == [("samples", "2.04")]
    replicates = {r["curve"] for r in curves if r["curve"].startswith("null")}
    assert replicates == {"null: data", *(f"null: replicate {i}" for i in range(1, 6))}
    assert sentence(study) in (tmp_path / "out" / "report.html").read_text(encoding="utf-8").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "input: give either predictions (stores, files, folders) or --matrix FILE"),
        (["nowhere"], "nowhere: does not exist"),
        (["d.npy", "--matrix", "d.npy"], "input: give either predictions"),
        (["--matrix", "d.npy", "--alpha", "1", "--null", "dirichlet"], "about predictions, leave out --alpha, --null"),
        (["--matrix", "nowhere.npy"], "matrix: nowhere.npy does not exist"),
        (["--matrix", "wrong.npy"], "entry (0, 1) = 1 differs from its mirror image"),
        (["one.npy"], "input: holds one checkpoint in all; a dimension needs many"),
        (
            ["runs.npy", "--null", "within-class"],
            "--null within-class: shuffles samples within their class; give --labels",
        ),
        (["runs.npy", "--alpha", "0.3"], "--alpha: is the order of --divergence renyi"),
    ],
)
def test_what_has_no_dimension_leaves_nothing_behind(here, tmp_path, monkeypatch, arguments, message):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    np.save("d.npy", straight_runs(runs=3, checkpoints=2).values)
    np.save("wrong.npy", np.array([[0, 1.0], [2, 0]]))
    runs = np.exp(trajectories(runs=1).log_probs)
    np.save("runs.npy", runs)
    np.save("one.npy", runs[0])
    refused(here("dimension", *arguments, "-q", "--out", tmp_path / "none"), message)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
