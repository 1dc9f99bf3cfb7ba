"""`infogeo convert`: one store of everything, which is what was read or is not there."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

import infogeo
from infogeo.cli.main import app
from tests.cli.shell import infogeo as shell
from tests.cli.shell import refused
from tests.samples import trajectories
from tests.store.training import PROBE, predicted


@pytest.fixture
def runs(tmp_path):
    """A folder of an .npy and an .h5, with labels and metadata beside it."""
    given = trajectories(runs=2)
    probabilities = np.exp(given.log_probs.astype(np.float64))
    (tmp_path / "runs").mkdir()
    np.save(tmp_path / "runs" / "net-0.npy", probabilities[:6])
    rounded = np.round(probabilities[6:], 2)
    rounded[0, 0] = [1, 0, 0]
    with h5py.File(tmp_path / "runs" / "net-1.h5", "w") as file:
        file["yh"] = (rounded / rounded.sum(axis=-1, keepdims=True)).astype(np.float16)
    np.save(tmp_path / "labels.npy", given.labels)
    (tmp_path / "meta.csv").write_text("run,arch,lr\nnet-0,conv,0.1\nnet-1,mlp,\n")
    return tmp_path / "runs"


def options(runs):
    return ["--labels", runs.parent / "labels.npy", "--meta", runs.parent / "meta.csv"]


def test_a_store_gives_back_what_the_files_gave(runs, tmp_path):
    done = shell("convert", runs, *options(runs), "--to", tmp_path / "all.zarr")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "all.zarr")
    before = infogeo.load(runs, labels=tmp_path / "labels.npy", meta=tmp_path / "meta.csv")
    after = infogeo.load(tmp_path / "all.zarr")
    assert after.fingerprints == before.fingerprints
    assert np.array_equal(after.log_probs, before.log_probs)
    assert after.labels.tolist() == before.labels.tolist()
    for name in ("run", "step", "arch"):
        assert after.points[name].tolist() == before.points[name].tolist()
    assert np.array_equal(after.points["lr"], before.points["lr"], equal_nan=True)


def test_what_was_changed_is_said(runs, tmp_path):
    done = shell("convert", runs, *options(runs), "--to", tmp_path / "all.zarr")
    before = infogeo.load(runs)
    lines = done.stderr.splitlines()
    assert lines[0] == "2 runs, 12 checkpoints, 30 samples, 3 classes"
    assert "read as probabilities: 2 arrays" in lines
    assert f"rows normalised: the largest correction of a sum was {before.correction:.1e}" in lines
    share = before.floored / before.log_probs.size
    assert before.floored >= 2
    assert f"entries raised to e^-174: {before.floored} ({share:.2%} of all)" in lines
    assert lines[-1].endswith("as a store; read back, every checkpoint is the same")
    assert " before, " in lines[-1]


def test_quiet_says_where_the_store_is_and_nothing_else(runs, tmp_path):
    done = shell("convert", runs, "--to", tmp_path / "all.zarr", "-q")
    assert (done.stdout.strip(), done.stderr) == (str(tmp_path / "all.zarr"), "")


def test_a_store_converts_to_the_same_store(runs, tmp_path):
    shell("convert", runs, *options(runs), "--to", tmp_path / "a.zarr")
    done = shell("convert", tmp_path / "a.zarr", "--to", tmp_path / "b.zarr")
    assert done.returncode == 0, done.stderr
    assert infogeo.load(tmp_path / "b.zarr").fingerprints == infogeo.load(tmp_path / "a.zarr").fingerprints


def test_a_store_is_replaced_only_when_asked_for(runs, tmp_path):
    place = tmp_path / "all.zarr"
    shell("convert", runs / "net-0.npy", "--to", place)
    refused(shell("convert", runs, "--to", place), "all.zarr: exists; choose another place, or replace it with --over")
    assert infogeo.load(place).points.runs == ["net-0"]
    assert shell("convert", runs, "--to", place, "--overwrite").returncode == 0
    assert infogeo.load(place).points.runs == ["net-0", "net-1"]


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_a_folder_of_something_else_is_never_replaced(runs, tmp_path, overwrite):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("dear")
    done = shell("convert", runs, "--to", tmp_path / "theirs", *overwrite)
    refused(done, "theirs: exists and is no earlier result of this command alone")
    assert (tmp_path / "theirs" / "thesis.txt").read_text() == "dear"


def convert_with(monkeypatch, runs, damage, *more):
    """Run the command in this process, in which the store reads back otherwise than it was written."""
    from infogeo import store

    load = store.load

    def reading(paths, *given, **options):
        found = load(paths, *given, **options)
        return damage(found) if isinstance(paths, type(runs)) else found

    monkeypatch.setattr(store, "load", reading)
    return CliRunner().invoke(app, ["convert", str(runs), "--to", str(runs.parent / "all.zarr"), *more])


DAMAGES = {
    "numbers": lambda p: replace(p, fingerprints=("0" * 32, *p.fingerprints[1:])),
    "runs and steps": lambda p: p.take(np.arange(p.n_points - 1)),
    "classes": lambda p: replace(p, label_space=infogeo.LabelSpace(("x", "y", "z"))),
    "labels": lambda p: replace(p, labels=np.zeros(p.n_samples, dtype=np.int64)),
    "metadata": lambda p: replace(p, points=p.points.with_columns(arch=["gru"] * p.n_points)),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_store_that_reads_back_otherwise_is_found_and_not_kept(runs, monkeypatch, what):
    before = sorted(runs.parent.rglob("*"))
    done = convert_with(monkeypatch, runs, DAMAGES[what])
    assert done.exit_code == 2
    assert f"infogeo: {runs.parent / 'all.zarr'}: what was written reads back with other {what}" in done.stderr
    assert sorted(runs.parent.rglob("*")) == before


def test_an_earlier_store_survives_one_that_reads_back_otherwise(runs, monkeypatch):
    place = runs.parent / "all.zarr"
    infogeo.write_store(place, trajectories(runs=1))
    assert convert_with(monkeypatch, runs, DAMAGES["numbers"], "--overwrite").exit_code == 2
    monkeypatch.undo()
    assert infogeo.load(place).fingerprints == trajectories(runs=1).fingerprints


def test_bad_input_is_one_line_and_leaves_nothing(runs, tmp_path):
    (runs / "net-2.h5").write_bytes((runs / "net-1.h5").read_bytes()[:500])
    before = sorted(tmp_path.rglob("*"))
    refused(shell("convert", runs, "--to", tmp_path / "all.zarr"), "net-2.h5: is truncated or damaged")
    refused(shell("convert", tmp_path / "nowhere", "--to", tmp_path / "all.zarr"), "nowhere: does not exist")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("half", [[True, True], [True, False], [False, False]])
@pytest.mark.parametrize("keep", [None, 2])
def test_stores_in_half_precision_and_with_kept_classes_convert(tmp_path, half, keep):
    kept = None if keep is None else infogeo.leading_classes(predicted(9), keep, labels=PROBE.labels)
    for run, precision in enumerate(half):
        recording = infogeo.RecordingOptions(half=precision, keep=kept)
        with infogeo.Recorder(tmp_path / "in.zarr", run=f"r{run}", probe=PROBE, options=recording) as recorder:
            for step in range(3):
                recorder.log(step, predicted(10 * run + step))
    done = shell("convert", tmp_path / "in.zarr", "--to", tmp_path / "out.zarr")
    assert done.returncode == 0, done.stderr
    before, after = infogeo.load(tmp_path / "in.zarr"), infogeo.load(tmp_path / "out.zarr")
    assert np.array_equal(after.log_probs, before.log_probs)
    assert after.labels.tolist() == before.labels.tolist()
    assert shell("info", tmp_path / "out.zarr", "--verify").returncode == 0


def test_one_run_of_one_checkpoint_is_told_as_one(tmp_path):
    np.save(tmp_path / "a.npy", np.full((1, 4, 3), 1 / 3))
    done = shell("convert", tmp_path / "a.npy", "--to", tmp_path / "s.zarr")
    assert done.stderr.splitlines()[0] == "1 run, 1 checkpoint, 4 samples, 3 classes"
