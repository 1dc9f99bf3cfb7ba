"""`infogeo embed --tiles`: jobs that go on, matrices that stay on disk."""

import csv

import numpy as np
import pytest

from tests.cli.shell import infogeo as shell
from tests.cli.shell import refused
from tests.samples import random_log_probs


@pytest.fixture
def runs(tmp_path):
    (tmp_path / "runs").mkdir()
    for r in range(8):
        np.save(tmp_path / "runs" / f"net-{r}.npy", random_log_probs(r, 50, 40, 5))
    return tmp_path / "runs"


def coordinates(directory):
    with (directory / "embedding.csv").open() as file:
        return [(row["run"], row["step"], row["x1"], row["x3"]) for row in csv.DictReader(file)]


def test_a_second_job_goes_on_and_a_grown_folder_computes_what_is_new(tmp_path, runs):
    tiles = tmp_path / "tiles"
    plain = shell("embed", runs, "--null", "none", "--out", tmp_path / "plain", "-q")
    first = shell("embed", runs, "--null", "none", "--tiles", tiles, "--out", tmp_path / "first")
    assert (plain.returncode, first.returncode) == (0, 0), plain.stderr + first.stderr
    assert coordinates(tmp_path / "first") == coordinates(tmp_path / "plain")
    before = {path: path.stat().st_mtime_ns for path in (tiles / "tiles").iterdir()}
    again = shell("embed", runs, "--null", "none", "--tiles", tiles, "--out", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    assert f"tiles finished before, in {tiles}: {len(before)}" in again.stderr.replace("\n", "")
    assert "finished before" not in first.stderr
    assert coordinates(tmp_path / "again") == coordinates(tmp_path / "plain")
    np.save(runs / "a-new-one.npy", random_log_probs(9, 50, 40, 5))
    grown = shell("embed", runs, "--null", "none", "--tiles", tiles, "--out", tmp_path / "grown", "-q")
    assert grown.returncode == 0, grown.stderr
    after = {path: path.stat().st_mtime_ns for path in (tiles / "tiles").iterdir()}
    assert before.items() <= after.items(), "a finished tile was written again"
    assert len(after) == len(before) + 3  # the new block with two old ones and with itself
    assert len(coordinates(tmp_path / "grown")) == 450 + 1


def test_a_run_that_changed_is_refused_and_nothing_is_written(tmp_path, runs):
    tiles = tmp_path / "tiles"
    assert shell("embed", runs, "--null", "none", "--tiles", tiles, "--out", tmp_path / "map", "-q").returncode == 0
    np.save(runs / "net-2.npy", random_log_probs(77, 50, 40, 5))
    answer = shell("embed", runs, "--null", "none", "--tiles", tiles, "--out", tmp_path / "other", "-q")
    refused(answer, "step 0 of run 'net-2' has changed since its tiles were computed; choose another place")
    assert not (tmp_path / "other").exists()


def test_a_matrix_that_does_not_fit_is_mapped_from_disk(tmp_path, runs):
    """400 points: the matrix takes 1.28 MB, which a plan without it leaves no room for."""
    whole = shell("embed", runs, "--null", "none", "--out", tmp_path / "whole", "-q")
    assert whole.returncode == 0, whole.stderr
    too_small = shell(
        "embed",
        runs,
        "--null",
        "none",
        "--memory",
        "1",
        "--tiles",
        tmp_path / "tiles",
        "--out",
        tmp_path / "none",
        "-q",
    )
    refused(too_small, "memory: 1 bytes are not enough; this needs at least")
    least = int(too_small.stderr.split("at least ")[1].split(",")[0])
    on_disk = ["--memory", str(int(1.03 * least)), "--tiles", tmp_path / "tiles"]  # ignorance is placed there too
    answer = shell("embed", runs, "--null", "none", *on_disk, "--out", tmp_path / "map", "-q")
    assert answer.returncode == 0, answer.stderr
    expected = np.array([row[2:] for row in coordinates(tmp_path / "whole")], dtype=float)
    measured = np.array([row[2:] for row in coordinates(tmp_path / "map")], dtype=float)
    assert np.abs(measured - expected).max() <= 1e-9 * np.abs(expected).max()  # converged to 1e-10
    answer = shell("embed", runs, "--null", "none", "--memory", str(least), "--out", tmp_path / "none", "-q")
    refused(answer, "less with the matrix on disk (--tiles DIR, in Python directory=)")
