"""What is lost or changed in a store is told, by `infogeo.load` and by what `infogeo info --verify` is made of."""

import json
import os
import shutil

import numpy as np
import pytest
import zarr
from typer.testing import CliRunner

import infogeo
from infogeo.cli.main import app
from infogeo.store.inspection import inspect_store, verify_store
from tests.store.training import PROBE, predicted

STEPS = (1, 3, 9, 20)


@pytest.fixture
def store(tmp_path):
    """Two finished runs."""
    for run in ("a", "b"):
        with infogeo.Recorder(tmp_path / "s", run=run, probe=PROBE) as recorder:
            for step in STEPS:
                recorder.log(step, predicted(step))
    return tmp_path / "s"


def stop(store, run="stopped"):
    recorder = infogeo.Recorder(store, run=run, probe=PROBE)
    for step in STEPS:
        recorder.log(step, predicted(step))
    recorder.__exit__(RuntimeError, RuntimeError(), None)


def make_old(store):
    """As stores were before there were checksums."""
    for place in (store, *(store / "runs").glob("run-*")):
        meta = json.loads((place / "zarr.json").read_text())
        attributes = meta["attributes"].get("infogeo", meta["attributes"])
        for name in ("checksum", "checkpoints", "recorder"):
            attributes.pop(name, None)
        (place / "zarr.json").write_text(json.dumps(meta))


def cut(file, size=-8):
    file.write_bytes(file.read_bytes()[:size])


def poke(file, at, content):
    with file.open("r+b") as target:
        target.seek(at)
        target.write(content)


def shorten(folder, rows):
    """As if fewer checkpoints had been finished."""
    for name in ("fingerprint", "step", "log_probs"):
        array = zarr.open_group(folder, mode="r+")[name]
        array.resize((rows, *array.shape[1:]))


OF_A_RUN = {
    "no fingerprints": lambda run: (run / "fingerprint/c.0.0").unlink(),
    "cut fingerprints": lambda run: cut(run / "fingerprint/c.0.0"),
    "empty fingerprints": lambda run: cut(run / "fingerprint/c.0.0", 0),
    "no array of fingerprints": lambda run: shutil.rmtree(run / "fingerprint"),
    "no fingerprint in the middle": lambda run: poke(run / "fingerprint/c.0.0", 16, bytes(16)),
    "no fingerprint at the end": lambda run: poke(run / "fingerprint/c.0.0", 48, bytes(16)),
    "no steps": lambda run: (run / "step/c.0").unlink(),
    "cut steps": lambda run: cut(run / "step/c.0"),
    "no array of steps": lambda run: shutil.rmtree(run / "step"),
    "a step twice": lambda run: poke(run / "step/c.0", 8, (9).to_bytes(8, "little")),
    "no description": lambda run: (run / "zarr.json").unlink(),
}
"""Seen in old stores, too."""
BY_CHECKSUM = {
    "another step": lambda run: poke(run / "step/c.0", 8, (5).to_bytes(8, "little")),
    "another fingerprint": lambda run: poke(run / "fingerprint/c.0.0", 20, b"x"),
    "fewer rows": lambda run: shorten(run, 3),
}
OF_A_STOPPED_RUN = {
    name: OF_A_RUN[name]
    for name in OF_A_RUN
    if name != "no fingerprint at the end"  # as a kill leaves it
}
OF_THE_STORE = {
    "no labels": lambda store: shutil.rmtree(store / "labels"),
    "another label": lambda store: poke(store / "labels/c.0", 16, (4).to_bytes(8, "little")),
    "no ids": lambda store: shutil.rmtree(store / "sample_ids"),
    "lost ids": lambda store: (store / "sample_ids/c.0").unlink(),
}


def check_told(store, run):
    with pytest.raises(infogeo.InputError, match=f"s: is a damaged store .run-{run}: .*; write this run again") as told:
        infogeo.load(store)
    assert "\n" not in str(told.value)
    states = {report.run: report for report in inspect_store(store).runs}
    assert states[run].state == "damaged"
    assert states[run].damage
    assert states["b"].damage == ""
    assert verify_store(store) == []  # of the others


@pytest.mark.parametrize("damage", OF_A_RUN | BY_CHECKSUM)
def test_damage_of_a_finished_run_is_told(store, damage):
    (OF_A_RUN | BY_CHECKSUM)[damage](store / "runs/run-a")
    check_told(store, "a")


@pytest.mark.parametrize("damage", OF_A_RUN)
def test_what_is_plainly_inconsistent_is_told_in_old_stores_too(store, damage):
    make_old(store)
    OF_A_RUN[damage](store / "runs/run-a")
    check_told(store, "a")


@pytest.mark.parametrize("damage", OF_A_STOPPED_RUN)
def test_what_is_plainly_inconsistent_is_told_of_a_run_that_stopped(store, damage):
    stop(store)
    OF_A_STOPPED_RUN[damage](store / "runs/run-stopped")
    check_told(store, "stopped")


@pytest.mark.parametrize("damage", OF_THE_STORE)
def test_damage_of_labels_and_ids_is_told(store, damage):
    OF_THE_STORE[damage](store)
    for read in (infogeo.load, inspect_store):
        with pytest.raises(infogeo.InputError, match="s: is a damaged store .its labels, sample ids or kept classes"):
            read(store)


def test_a_damaged_run_may_be_replaced(store):
    shutil.rmtree(store / "runs/run-a/step")
    with pytest.raises(infogeo.InputError, match="run 'a': is damaged .*; replace it with overwrite=True"):
        infogeo.Recorder(store, run="a", probe=PROBE)
    with infogeo.Recorder(store, run="a", probe=PROBE, overwrite=True) as recorder:
        recorder.log(0, predicted(0))
    assert infogeo.load(store).n_points == 1 + len(STEPS)


def test_the_shell_tells_and_fails(store):
    (store / "runs/run-a/fingerprint/c.0.0").unlink()
    done = CliRunner().invoke(app, ["info", str(store), "--verify"])
    assert done.exit_code == 1
    assert "damaged: of its 4" in " ".join(done.output.split())


def test_old_stores_are_read_and_are_said_to_have_no_checksum(store):
    before = infogeo.load(store)
    assert {run.state for run in inspect_store(store).runs} == {"finished"}
    make_old(store)
    after = infogeo.load(store)
    assert np.array_equal(after.log_probs, before.log_probs)
    assert {run.state for run in inspect_store(store).runs} == {"finished, no checksum"}
    assert verify_store(store) == []
    with infogeo.Recorder(store, run="c", probe=PROBE) as recorder:
        recorder.log(0, predicted(0))
    assert infogeo.load(store).points.runs == ["a", "b", "c"]


def test_the_checksum_of_a_run_that_went_on_is_that_of_its_end(tmp_path):
    stop(tmp_path / "s", "a")
    with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE, resume=3) as recorder:
        for step in (5, 11):
            recorder.log(step, predicted(step))
    assert infogeo.load(tmp_path / "s").points["step"].tolist() == [1, 3, 5, 11]
    attributes = dict(zarr.open_group(tmp_path / "s/runs/run-a", mode="r").attrs)
    assert attributes["checkpoints"] == 4
    assert "recorder" not in attributes


@pytest.mark.parametrize("empty", [False, True])
def test_what_is_read_in_the_moment_of_a_change_is_read_again(store, monkeypatch, empty):
    """A reader that comes between two files of a writer waits an instant before it speaks of damage."""
    from infogeo.store import run_state

    file = store / "runs/run-a/fingerprint/c.0.0"
    content = file.read_bytes()
    file.unlink()
    if empty:
        file.write_bytes(b"")
    monkeypatch.setattr(run_state.time, "sleep", lambda seconds: file.write_bytes(content))
    assert infogeo.load(store).n_points == 2 * len(STEPS)


def test_a_run_that_was_only_begun_is_no_damage(tmp_path):
    """As a kill leaves it before the first checkpoint: with an array of fingerprints, or without."""
    with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE) as recorder:
        recorder.log(0, predicted(0))
    folder = tmp_path / "s/runs/run-b"
    shutil.copytree(tmp_path / "s/runs/run-a", folder)
    meta = json.loads((folder / "zarr.json").read_text())
    meta["attributes"] = {"run": "b", "metadata": {}, "finished": False}
    (folder / "zarr.json").write_text(json.dumps(meta))
    (folder / "fingerprint/c.0.0").unlink()  # the step stands already
    assert infogeo.load(tmp_path / "s").points.runs == ["a"]
    for file in (folder / "log_probs").glob("c.*"):
        os.unlink(file)
    shutil.rmtree(folder / "fingerprint")
    assert infogeo.load(tmp_path / "s").points.runs == ["a"]
    with infogeo.Recorder(tmp_path / "s", run="b", probe=PROBE) as recorder:
        recorder.log(0, predicted(0))
    assert infogeo.load(tmp_path / "s").points.runs == ["a", "b"]
