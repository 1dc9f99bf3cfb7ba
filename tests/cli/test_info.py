"""`infogeo info` of stores: what is there, how it is, and --verify."""

import numpy as np
import pytest
import zarr

import infogeo
from tests.cli.shell import infogeo as shell
from tests.store.training import PROBE, predicted


@pytest.fixture
def store(tmp_path):
    """A store with a finished run, one that stopped, and one that skipped a checkpoint."""
    path = tmp_path / "runs.zarr"
    with infogeo.Recorder(path, run="done", probe=PROBE, meta={"arch": "mlp"}) as recorder:
        for step in (0, 5, 9):
            recorder.log(step, predicted(step))
    stopped = infogeo.Recorder(path, run="stopped/1", probe=PROBE)
    stopped.log(0, predicted(0))
    stopped.__exit__(RuntimeError, RuntimeError(), None)
    options = infogeo.RecordingOptions(on_invalid="skip", half=True)
    gaps = infogeo.Recorder(path, run="gaps", probe=PROBE, options=options)
    for step in range(3):
        gaps.log(step, predicted(step) * np.where(step == 1, np.nan, 1))
    with pytest.warns(UserWarning, match="skipped as invalid"):
        gaps.close()
    return path


def test_runs_are_listed_with_their_state(store):
    done = shell("info", store)
    assert done.returncode == 0, done.stderr
    out = done.stdout
    assert "3 runs, 6 checkpoints, 40 samples, 5 classes" in out
    assert "probe: test; samples: hash " in out
    assert "of their ids; labels: known" in out
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "0 to 9" in lines["done"]
    assert "finished" in lines["done"]
    assert "mlp" in lines["done"]
    assert "stopped" in lines["stopped/1"].split(maxsplit=1)[1]
    assert "finished, float16, 1 skipped" in lines["gaps"]


def test_a_run_that_is_being_recorded_is_said_to_be(store):
    with infogeo.Recorder(store, run="now", probe=PROBE) as recorder:
        recorder.log(0, predicted(0))
        recorder.flush()
        out = shell("info", store, "--verify").stdout
    (line,) = [line for line in out.splitlines() if line.startswith("now")]
    assert line.split()[-1] == "recording"
    assert "verified: 7 of 7 checkpoints are as they were written" in out


def test_verifying_finds_what_is_damaged_and_says_so_by_its_exit_code(store):
    assert shell("info", store, "--verify").returncode == 0
    zarr.open_group(store / "runs/run-done", mode="r+")["log_probs"][1, 3] = np.log(0.2)
    (store / "runs/run-done/log_probs/c.2.0.0").unlink()
    chunk = store / "runs/run-gaps/log_probs/c.0.0.0"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    done = shell("info", store, "--verify")
    assert done.returncode == 1
    assert "verified: 3 of 6 checkpoints are as they were written" in done.stdout
    assert "damaged: run 'done', step 5: its numbers are not those that were written" in done.stdout
    assert "damaged: run 'done', step 9: a chunk is lost" in done.stdout
    assert "damaged: run 'gaps', step 0: " in done.stdout
    assert "is truncated" in done.stdout
    assert shell("info", store).returncode == 0


def test_a_run_whose_description_is_damaged_is_named_and_the_others_are_shown(store):
    (store / "runs/run-gaps/step/zarr.json").write_text("{")
    done = shell("info", store)
    assert done.returncode == 1
    assert "damaged: " in done.stdout
    assert "finished" in done.stdout
    assert "Traceback" not in done.stderr


def test_stores_of_several_probes_are_told_of_one_after_the_other(tmp_path):
    probes = {"train": infogeo.Probe(ids=range(40)), "test": PROBE}
    with infogeo.Recorder(tmp_path / "s", run="a", probe=probes) as recorder:
        recorder.log(0, {"train": predicted(0), "test": predicted(1)})
    out = shell("info", tmp_path / "s").stdout
    assert "s/test: 1 run," in out
    assert "s/train: 1 run," in out


def test_files_have_no_fingerprints_to_verify(tmp_path):
    np.save(tmp_path / "a.npy", np.full((2, 3, 4), 0.25))
    done = shell("info", tmp_path / "a.npy", "--verify")
    assert done.returncode == 2
    assert "--verify: is for stores alone" in done.stderr


def test_a_name_with_a_line_break_stays_in_its_line(tmp_path):
    with infogeo.Recorder(tmp_path / "s", run="a\nb", probe=PROBE, meta={"note": "one\ttwo"}) as recorder:
        recorder.log(0, predicted(0))
    (line,) = (line for line in shell("info", tmp_path / "s").stdout.splitlines() if line.startswith("a"))
    assert line.startswith(r"a\nb")
    assert line.rstrip().endswith(r"one\ttwo")
