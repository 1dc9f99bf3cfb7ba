"""Saved checkpoints are replayed in the order of their steps, and only those that are missing."""

from pathlib import Path

import numpy as np
import pytest

import infogeo
from infogeo.recorders.replay import record_checkpoints
from tests.store.training import PROBE, predicted


@pytest.fixture
def weights(tmp_path):
    """Checkpoints of a 'model' that is nothing but its step."""
    for step in (0, 5, 10, 20, 100):
        np.save(tmp_path / f"net_step{step}.npy", step)
    return sorted(tmp_path.glob("net_*.npy"))


def test_checkpoints_are_recorded_in_the_order_of_their_steps(tmp_path, weights):
    seen = []
    with infogeo.Recorder(tmp_path / "s", run="net", probe=PROBE) as recorder:
        count = record_checkpoints(
            recorder, weights, np.load, lambda step: predicted(int(step)), lambda *progress: seen.append(progress)
        )
    back = infogeo.load(tmp_path / "s")
    assert count == 5
    assert back.points["step"].tolist() == [0, 5, 10, 20, 100]
    assert np.array_equal(back.log_probs[3], predicted(20))
    assert seen == [(i, 5) for i in range(6)]


def test_a_replay_that_was_stopped_loads_only_what_is_missing(tmp_path, weights):
    loaded = []

    def load(path):
        loaded.append(path.name)
        if path.name == "net_step20.npy" and len(loaded) == 4:
            raise OSError("the network drive is gone")
        return int(np.load(path))

    for attempt in range(2):
        try:
            with infogeo.Recorder(tmp_path / "s", run="net", probe=PROBE, resume=True) as recorder:
                record_checkpoints(recorder, weights, load, predicted)
        except OSError:
            assert attempt == 0
    assert loaded == [f"net_step{step}.npy" for step in (0, 5, 10, 20, 20, 100)]
    assert infogeo.load(tmp_path / "s").points["step"].tolist() == [0, 5, 10, 20, 100]


def test_steps_may_be_given(tmp_path, weights):
    with infogeo.Recorder(tmp_path / "s", run="net", schedule=infogeo.AtSteps([3])) as recorder:
        assert record_checkpoints(recorder, {7: weights[0], 3: weights[1]}, lambda p: p, lambda m: predicted(3)) == 1


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["final.pt"], "final.pt: no number in its name tells the step; give {step: path}"),
        (["a/step1.pt", "b/step1.pt"], "b/step1.pt: is step 1, and so is a/step1.pt"),
        ([], "paths: there is no checkpoint among them"),
        ("net_step1.pt", r"paths: is the one path net_step1.pt; give a list, \[path\]"),
        (Path("net_step1.pt"), "paths: is the one path net_step1.pt"),
    ],
)
def test_names_that_do_not_tell_are_refused(tmp_path, paths, said):
    with pytest.raises(infogeo.InputError, match=said), infogeo.Recorder(tmp_path / "s", run="net") as recorder:
        record_checkpoints(recorder, paths, str, str)


def test_a_recorder_that_is_closed_is_refused(tmp_path, weights):
    recorder = infogeo.Recorder(tmp_path / "s", run="net")
    recorder.close()
    with pytest.raises(infogeo.InputError, match="recorder: that of run 'net' is closed"):
        record_checkpoints(recorder, weights, np.load, predicted)
