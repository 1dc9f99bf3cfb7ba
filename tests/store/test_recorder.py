"""The recorder: what is logged comes back, what is wrong is refused or told, and nothing is lost on the way."""

import errno
import shutil
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
import zarr

import infogeo
from infogeo.core.checks import to_log_probs
from infogeo.core.kinds import Kind
from infogeo.store import run_writer
from tests.samples import log_softmax, random_log_probs
from tests.store.training import CLASSES, PROBE, SAMPLES, predicted, train


def steps_of(store, run):
    points = infogeo.load(store).points
    return points["step"][points["run"] == run].tolist()


def record(store, steps=range(3), run="a", **options):
    with infogeo.Recorder(store, run=run, probe=PROBE, **options) as recorder:
        for step in steps:
            recorder.log(step, predicted(step))


def stop_in_the_middle(store, steps=range(3), run="a"):
    with pytest.raises(RuntimeError), infogeo.Recorder(store, run=run, probe=PROBE) as recorder:
        for step in steps:
            recorder.log(step, predicted(step))
        raise RuntimeError("training failed")


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_logged_comes_back_bit_for_bit(tmp_path, kind):
    logits = 3 * np.random.default_rng(0).normal(size=(4, SAMPLES, CLASSES))
    given = {Kind.LOGITS: logits, Kind.LOG_PROBABILITIES: log_softmax(logits)}.get(kind, np.exp(log_softmax(logits)))
    with infogeo.Recorder(tmp_path / "s", run="a/b c", probe=PROBE, meta={"arch": "mlp", "lr": np.float64(0.1)}) as r:
        for step in range(4):
            assert r.log(3 * step, given[step])
    back = infogeo.load(tmp_path / "s")
    assert np.array_equal(back.log_probs, to_log_probs(given, kind, "").values)
    assert back.points["step"].tolist() == [0, 3, 6, 9]
    assert back.points.runs == ["a/b c"]
    assert back.points["arch"].tolist() == ["mlp"] * 4
    assert back.points["lr"].tolist() == [0.1] * 4
    assert back.labels.tolist() == list(PROBE.labels)
    assert back.probe.samples == PROBE.samples
    assert back.probe.ids.tolist() == list(range(SAMPLES))


def test_what_is_logged_may_change_afterwards(tmp_path):
    array = predicted(0).copy()
    with infogeo.Recorder(tmp_path / "s", run="a") as recorder:
        for step in range(20):
            recorder.log(step, array)
            array[:] = predicted(step + 1)
    assert np.array_equal(infogeo.load(tmp_path / "s").log_probs[7], predicted(7))


def test_a_schedule_decides_and_predictions_are_made_only_when_they_are_due(tmp_path):
    asked = []

    def model(step):
        asked.append(step)
        return predicted(step)

    with infogeo.Recorder(tmp_path / "s", run="a", schedule=infogeo.LogSpaced(4)) as recorder:
        taken = [step for step in range(40) if recorder.log(step, lambda step=step: model(step))]
    assert taken == asked == steps_of(tmp_path / "s", "a") == [0, 1, 2, 3, 6, 10, 18, 32]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.zeros((SAMPLES, CLASSES + 1)), r"step 2: predictions of shape \(40, 6\), but those before are \(40, 5\)"),
        (np.zeros((SAMPLES - 1, CLASSES)), r"predictions of shape \(39, 5\), but those before are \(40, 5\)"),
        (np.zeros(SAMPLES), r"predictions of shape \(40,\), expected \[N, C\]"),
        (np.array([["a"] * CLASSES] * SAMPLES), "holds strings, expected numbers"),
    ],
)
def test_a_wrong_shape_is_refused_at_once_and_training_can_go_on(tmp_path, wrong, said):
    with infogeo.Recorder(tmp_path / "s", run="a") as recorder:
        recorder.log(0, predicted(0))
        with pytest.raises(infogeo.InputError, match=said):
            recorder.log(2, wrong)
        recorder.log(2, predicted(2))
    assert steps_of(tmp_path / "s", "a") == [0, 2]


@pytest.mark.parametrize(("step", "said"), [(3, "step 3 comes after step 3"), (1, "step 1 comes after step 3")])
def test_steps_that_do_not_grow_are_refused(tmp_path, step, said):
    with infogeo.Recorder(tmp_path / "s", run="a") as recorder:
        recorder.log(3, predicted(3))
        with pytest.raises(infogeo.InputError, match=said):
            recorder.log(step, predicted(3))


@pytest.mark.parametrize("step", [1.5, "2", None, -1])
def test_a_step_is_a_whole_number(tmp_path, step):
    with infogeo.Recorder(tmp_path / "s", run="a") as recorder, pytest.raises(infogeo.InputError, match="step: "):
        recorder.log(step, predicted(0))
    assert not (tmp_path / "s").exists()


def invalid(step):
    values = predicted(step).copy()
    values[3, 1] = np.nan
    return values


def test_invalid_predictions_are_an_error_at_the_next_call_and_what_came_before_stays(tmp_path):
    recorder = infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE)
    recorder.log(0, predicted(0))
    recorder.log(1, invalid(1))
    said = r"checkpoint 1, sample 3: row .* NaN or infinity.*not recorded: step 1"
    for call in (recorder.flush, lambda: recorder.log(2, predicted(2)), recorder.close):
        with pytest.raises(infogeo.InputError, match=said):
            call()
    assert steps_of(tmp_path / "s", "a") == [0]
    record(tmp_path / "s", range(3), resume=True)
    assert steps_of(tmp_path / "s", "a") == [0, 1, 2]


def test_invalid_predictions_may_be_skipped_and_leave_a_gap_that_is_recorded(tmp_path):
    options = infogeo.RecordingOptions(on_invalid="skip")
    recorder = infogeo.Recorder(tmp_path / "s", run="a", options=options)
    for step in range(6):
        recorder.log(step, np.exp(invalid(step) if step in (0, 2, 3) else predicted(step)))
    with pytest.warns(UserWarning, match="skipped as invalid: step 0, 2, 3"):
        recorder.close()
    assert steps_of(tmp_path / "s", "a") == [1, 4, 5]
    assert [*recorder.gaps] == [0, 2, 3]
    gaps = zarr.open_group(tmp_path / "s/runs/run-a", mode="r").attrs["gaps"]
    assert [gap["step"] for gap in gaps] == [0, 2, 3]
    assert "NaN" in gaps[0]["reason"]


def test_a_finished_run_is_refused_unless_it_is_to_be_replaced(tmp_path):
    record(tmp_path / "s")
    for resume in (False, True, 1):
        with pytest.raises(infogeo.InputError, match="run 'a': is finished; give this run another name, or replace"):
            infogeo.Recorder(tmp_path / "s", run="a", resume=resume)
    record(tmp_path / "s", [5, 6], overwrite=True)
    assert steps_of(tmp_path / "s", "a") == [5, 6]


def test_a_run_that_is_to_be_replaced_stays_until_the_first_checkpoint(tmp_path):
    record(tmp_path / "s")
    with infogeo.Recorder(tmp_path / "s", run="a", overwrite=True):
        pass
    assert steps_of(tmp_path / "s", "a") == [0, 1, 2]


def test_a_run_that_stopped_goes_on_after_its_last_checkpoint(tmp_path):
    stop_in_the_middle(tmp_path / "s")
    with pytest.raises(infogeo.InputError, match="run 'a': stopped after step 2; go on with resume=True"):
        infogeo.Recorder(tmp_path / "s", run="a")
    with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE, meta={"lr": 0.1}, resume=True) as recorder:
        assert recorder.last_step == 2
        assert [step for step in range(5) if recorder.log(step, predicted(step))] == [3, 4]
    back = infogeo.load(tmp_path / "s")
    assert back.points["step"].tolist() == [0, 1, 2, 3, 4]
    assert back.points["lr"].tolist() == [0.1] * 5
    assert np.array_equal(back.log_probs[3], predicted(3))


def test_a_run_that_stopped_after_its_last_step_is_finished_when_it_is_run_again(tmp_path):
    stop_in_the_middle(tmp_path / "s")
    record(tmp_path / "s", range(3), resume=True)
    assert steps_of(tmp_path / "s", "a") == [0, 1, 2]
    with pytest.raises(infogeo.InputError, match="is finished"):
        infogeo.Recorder(tmp_path / "s", run="a", resume=True)


@pytest.mark.parametrize(("resume", "kept"), [(1, [0, 1]), (0, [0]), (100, [0, 1, 2]), (True, [0, 1, 2])])
def test_a_run_may_go_on_from_an_earlier_step_and_what_came_later_is_dropped(tmp_path, resume, kept):
    stop_in_the_middle(tmp_path / "s")
    with pytest.raises(RuntimeError), infogeo.Recorder(tmp_path / "s", run="a", resume=resume) as recorder:
        assert recorder.last_step == kept[-1]
        recorder.log(kept[-1] + 10, predicted(50))
        raise RuntimeError
    assert steps_of(tmp_path / "s", "a") == [*kept, kept[-1] + 10]
    assert np.array_equal(infogeo.load(tmp_path / "s").log_probs[len(kept)], predicted(50))


@pytest.mark.parametrize("kept", [3, 4, 5, 8, 10])
def test_dropping_later_checkpoints_works_across_the_files_of_steps(tmp_path, monkeypatch, kept):
    monkeypatch.setattr(run_writer, "ROWS_PER_FILE", 4)
    monkeypatch.setattr(run_writer, "FIRST_ROWS", 2)
    stop_in_the_middle(tmp_path / "s", range(11))
    record(tmp_path / "s", range(kept, kept + 3), resume=kept - 1)
    assert steps_of(tmp_path / "s", "a") == list(range(kept + 3))
    group = zarr.open_group(tmp_path / "s/runs/run-a", mode="r")
    assert group["step"][...].tolist() == list(range(kept + 3))
    assert np.array_equal(group["log_probs"][...], [predicted(step) for step in range(kept + 3)])


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ({"labels": [0] * SAMPLES}, "its labels differ from those of the run to be recorded"),
        ({"ids": range(1, SAMPLES + 1)}, "its probe samples are not those of .*; load both with align=True"),
        ({"inputs": np.zeros((SAMPLES, 3))}, "its probe samples are not those of .*; they cannot be compared"),
        ({"classes": "abcde"}, "its classes and those of the run to be recorded differ: 0, 1, 2, 3, ... and not a, b"),
        ({"classes": "01243"}, "have another order"),
        ({"ids": range(39)}, "has N=40 samples, but the probe has 39"),
        ({"name": "train"}, "its probe set 'test' is not 'train'"),
    ],
)
def test_a_store_takes_runs_on_its_own_probe_alone(tmp_path, probe, said):
    record(tmp_path / "s")
    with pytest.raises(infogeo.InputError, match=said):
        infogeo.Recorder(tmp_path / "s", run="b", probe=infogeo.Probe(**probe)).log(0, predicted(0))
    assert infogeo.load(tmp_path / "s").points.runs == ["a"]


def test_a_store_without_labels_takes_none(tmp_path):
    with infogeo.Recorder(tmp_path / "s", run="a") as recorder:
        recorder.log(0, predicted(0))
    with pytest.raises(infogeo.InputError, match="has no labels, but the probe does; leave them out, or begin a new"):
        record(tmp_path / "s", run="b")


def test_a_store_from_the_future_is_not_written_to(tmp_path):
    record(tmp_path / "s")
    meta = zarr.open_group(tmp_path / "s", mode="r+")
    meta.attrs["infogeo"] = {**meta.attrs["infogeo"], "format": 99}
    with pytest.raises(infogeo.InputError, match="was written by a newer infogeo .format 99.; update infogeo"):
        infogeo.Recorder(tmp_path / "s", run="b")


def test_something_else_than_a_store_is_not_written_to(tmp_path):
    (tmp_path / "notes").write_text("mine")
    for place in (tmp_path, tmp_path / "notes"):
        with pytest.raises(infogeo.InputError, match="is no infogeo store"):
            infogeo.Recorder(place, run="a")


@pytest.mark.parametrize("meta", [{"run": "b"}, {"step": 3}, {"layers": [1, 2]}, {"model": object()}])
def test_metadata_are_text_and_numbers(tmp_path, meta):
    with pytest.raises(infogeo.InputError, match="meta: '.*' is .*; give text or numbers"):
        infogeo.Recorder(tmp_path / "s", run="a", meta=meta)


def test_two_recorders_of_one_run_get_in_nobodys_way(tmp_path):
    with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE) as first:
        first.log(0, predicted(0))
        first.flush()
        second = infogeo.Recorder(tmp_path / "s", run="a", resume=True)
        with pytest.raises(infogeo.InputError, match="run 'a': is in use by another recorder of this process"):
            second.log(1, predicted(1))
        first.log(1, predicted(1))
    assert steps_of(tmp_path / "s", "a") == [0, 1]


@pytest.mark.parametrize("name", ["a/b", "..", "résumé 模型", "50%", "x" * 300])
def test_runs_may_have_any_name(tmp_path, name):
    record(tmp_path / "s", run=name)
    assert infogeo.load(tmp_path / "s").points.runs == [name]


def test_several_probes_make_a_store_each(tmp_path):
    probes = {"train": infogeo.Probe(ids=range(7)), "test set": PROBE}
    with infogeo.Recorder(tmp_path / "s", run="a", probe=probes) as recorder:
        for step in range(3):
            recorder.log(step, {"train": random_log_probs(step, 1, 7, 3)[0], "test set": predicted(step)})
        with pytest.raises(infogeo.InputError, match="expected a dictionary with train, test set, found train"):
            recorder.log(3, {"train": predicted(3)})
    assert infogeo.load(tmp_path / "s/train").n_samples == 7
    assert np.array_equal(infogeo.load(tmp_path / "s/test%20set").log_probs[2], predicted(2))
    with pytest.raises(infogeo.InputError, match="its probe set 'train' is not 'test' of .*; use one of them"):
        infogeo.load(tmp_path / "s")


def test_a_run_on_several_probes_goes_on_from_the_last_checkpoint_of_all(tmp_path):
    probes = {"x": PROBE, "y": infogeo.Probe(ids=range(40))}
    with pytest.raises(RuntimeError), infogeo.Recorder(tmp_path / "s", run="a", probe=probes) as recorder:
        for step in range(3):
            recorder.log(step, {"x": predicted(step), "y": predicted(step)})
        raise RuntimeError
    zarr.open_group(tmp_path / "s/y/runs/run-a", mode="r+")["fingerprint"][2] = 0  # as a kill between the two leaves it
    with infogeo.Recorder(tmp_path / "s", run="a", probe=probes, resume=True) as recorder:
        assert recorder.last_step == 1
        recorder.log(7, {"x": predicted(7), "y": predicted(7)})
    for name in probes:
        assert steps_of(tmp_path / "s" / name, "a") == [0, 1, 7]


def test_the_end_of_the_process_waits_for_what_was_handed_in(tmp_path):
    code = (
        "import infogeo, sys; from tests.store.training import predicted; r = infogeo.Recorder(sys.argv[1], run='a')\n"
        "for step in range(50): r.log(step, predicted(step))"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "s"], check=True)
    assert steps_of(tmp_path / "s", "a") == list(range(50))
    with pytest.raises(infogeo.InputError, match="stopped after step 49"):
        infogeo.Recorder(tmp_path / "s", run="a")


def test_logging_waits_while_too_much_is_under_way(tmp_path, monkeypatch):
    go, prepare = threading.Event(), run_writer.RunWriter.prepare
    monkeypatch.setattr(run_writer.RunWriter, "prepare", lambda *args: go.wait() and prepare(*args))
    options = infogeo.RecordingOptions(queue_bytes=3 * predicted(0).nbytes)
    recorder, logged = infogeo.Recorder(tmp_path / "s", run="a", options=options), []

    def work():
        for step in range(6):
            recorder.log(step, predicted(step))
            logged.append(step)

    training = threading.Thread(target=work)
    training.start()
    training.join(timeout=0.5)
    assert logged == [0, 1, 2]
    go.set()
    training.join()
    recorder.close()
    assert steps_of(tmp_path / "s", "a") == list(range(6))


def test_nothing_that_was_logged_after_the_end_is_taken(tmp_path):
    record(tmp_path / "s")
    recorder = infogeo.Recorder(tmp_path / "s", run="b")
    recorder.close()
    recorder.close()
    with pytest.raises(infogeo.InputError, match="run 'b': is closed"):
        recorder.log(0, predicted(0))


class Disk:
    """A disk that is full from the n-th write on: numbers, a step, or a small file (the first step is one, too)."""

    def __init__(self, monkeypatch, n):
        self.left = n
        writer = run_writer.RunWriter
        for owner, name in ((run_writer, "replace_file"), (writer, "prepare"), (writer, "_write_step")):
            monkeypatch.setattr(owner, name, self.full_after(getattr(owner, name)))

    def full_after(self, write):
        def limited(*args, **options):
            self.left -= 1
            if self.left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(*args, **options)

        return limited


@pytest.mark.parametrize("n", range(12))
def test_a_full_disk_is_told_and_every_checkpoint_before_it_stays(tmp_path, monkeypatch, n):
    record(tmp_path / "s", run="other")
    with monkeypatch.context() as patch:
        Disk(patch, n)
        with pytest.raises(infogeo.InputError, match="No space left on device.; .*not recorded: step"):
            record(tmp_path / "s", range(10))
    points = infogeo.load(tmp_path / "s").points
    kept = points["step"][points["run"] == "a"].tolist()
    assert kept == list(range(len(kept)))
    assert len(kept) <= max(0, (n - 1) // 3)  # numbers, step and fingerprint each; the first step counts twice
    record(tmp_path / "s", range(10), resume=True)
    back = infogeo.load(tmp_path / "s")
    assert np.array_equal(back.log_probs[back.points["run"] == "a"], [predicted(step) for step in range(10)])


def test_an_error_of_training_is_not_hidden_by_one_of_the_recorder(tmp_path):
    with (
        pytest.raises(RuntimeError, match="training failed") as caught,
        infogeo.Recorder(tmp_path / "s", run="a") as recorder,
    ):
        recorder.log(0, invalid(0))
        raise RuntimeError("training failed")
    assert "not recorded: step 0" in caught.value.__notes__[0]


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("n_samples", [1, 7, 10, 23])
@pytest.mark.parametrize("keep", [None, 2])
def test_the_size_is_known_beforehand_to_the_byte(tmp_path, monkeypatch, half, n_samples, keep):
    monkeypatch.setattr("infogeo.store.layout.CHUNK_BYTES", 4 * 5 * 10)
    first = random_log_probs(0, 1, n_samples, 5)[0]
    kept = None if keep is None else infogeo.leading_classes(first, keep)
    options = infogeo.RecordingOptions(half=half, keep=kept)
    with infogeo.Recorder(tmp_path / "s", run="a", options=options) as recorder:
        for step in range(4):
            recorder.log(step, random_log_probs(step, 1, n_samples, 5)[0])
    files = [file for file in (tmp_path / "s/runs/run-a").rglob("*") if file.is_file() and file.name != "zarr.json"]
    assert sum(file.stat().st_size for file in files) == infogeo.recorded_bytes(4, n_samples, 5, options)


def test_a_run_goes_on_in_parts_of_the_size_that_it_was_begun_with(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError), infogeo.Recorder(tmp_path / "s", run="a") as recorder:
        recorder.log(0, random_log_probs(0, 1, 23, 5)[0])
        raise RuntimeError("training failed")
    monkeypatch.setattr("infogeo.store.layout.CHUNK_BYTES", 4 * 5 * 10)
    with infogeo.Recorder(tmp_path / "s", run="a", resume=True) as recorder:
        recorder.log(1, random_log_probs(1, 1, 23, 5)[0])
    back = infogeo.load(tmp_path / "s").log_probs
    for step in (0, 1):
        assert np.array_equal(back[step], random_log_probs(step, 1, 23, 5)[0])


def test_half_precision_is_off_by_its_rounding_and_no_more(tmp_path):
    """A float16 is off by 2^-11 of itself at most; then rows are normalised, which moves them by as much on average."""
    given = random_log_probs(3, 2, SAMPLES, CLASSES, confidence=6.0)
    with infogeo.Recorder(tmp_path / "s", run="a", options=infogeo.RecordingOptions(half=True)) as recorder:
        for step in range(2):
            recorder.log(step, given[step])
    assert zarr.open_array(tmp_path / "s/runs/run-a/log_probs", mode="r").dtype == np.float16
    back = infogeo.load(tmp_path / "s")
    off = np.abs(back.log_probs - given)
    rounding = 2.0**-11 * np.abs(given.astype(np.float64))
    shift = (np.exp(given) * rounding).sum(axis=-1, keepdims=True) * (1 + 2.0**-8)  # log(1 + x) for x of either sign
    assert (off <= rounding + shift + 2.0**-22 * (1 + np.abs(given))).all()
    assert np.abs(np.exp(back.log_probs, dtype=np.float64).sum(axis=-1) - 1).max() <= 2.0**-24 * 4 * np.log(CLASSES)
    assert 0 < back.correction < 1e-3


def test_the_classes_that_a_reference_finds_likely_are_kept(tmp_path):
    reference = random_log_probs(0, 1, SAMPLES, CLASSES)[0]
    keep = infogeo.leading_classes(np.exp(reference), 2, labels=PROBE.labels)
    with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE, options=infogeo.RecordingOptions(keep=keep)) as r:
        for step in range(3):
            r.log(step, predicted(step))
    back = infogeo.load(tmp_path / "s")
    given = infogeo.Predictions.from_arrays({"a": [predicted(step) for step in range(3)]}, labels=PROBE.labels)
    expected = infogeo.merge_classes(given, keep)
    assert np.array_equal(back.log_probs, expected.log_probs)
    assert back.labels.tolist() == expected.labels.tolist()
    assert all(PROBE.labels[i] in keep.kept[i] for i in range(SAMPLES))


def test_recording_quietly_warns_of_nothing(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(tmp_path / "s", "a", 3)


MISTAKES = {
    "an array as probe": (
        {"probe": np.zeros((3, 2))},
        r"probe: is an array of shape \(3, 2\); give a Probe: infogeo.Pr",
    ),
    "arrays as probes": (
        {"probe": {"train": np.zeros(3)}},
        r"probe 'train': is an array of shape \(3,\); give a Probe",
    ),
    "a list as meta": ({"meta": ["a"]}, "meta: is of the type list; give {column: value}, for example"),
    "a dictionary as options": (
        {"options": {"half": True}},
        "options: is of the type dict; give RecordingOptions: info",
    ),
    "a number as schedule": ({"schedule": 5}, r"schedule: is 5; give LogSpaced\(\), EverySteps\(n\) or any function"),
    "a class as schedule": ({"schedule": infogeo.LogSpaced}, r"schedule: is the class LogSpaced itself, without \(\)"),
    "no name": ({"run": ""}, "run: is an empty text; give the run a name"),
    "None as name": ({"run": None}, "run: is missing; give the run a name"),
    "a negative step to go on after": ({"resume": -1}, "resume: is -1; give True to go on after the last checkpoint"),
    "text to go on after": ({"resume": "yes"}, "resume: is the text 'yes'; give True"),
    "go on and replace": ({"resume": True, "overwrite": True}, "resume: either goes on with a run or, with overwrite="),
    "go on from 0 and replace": ({"resume": 0, "overwrite": True}, "resume: either goes on with a run or, with overwr"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_argument_is_a_line_that_says_how_to_make_the_right_one(tmp_path, name):
    wrong, said = MISTAKES[name]
    with pytest.raises(infogeo.InputError, match=said) as told:
        infogeo.Recorder(tmp_path / "s", **{"run": "a", **wrong})
    assert "\n" not in str(told.value)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"keep": 2}, r"keep: is 2; give a CoarseGraining: infogeo.leading_classes\(predictions, keep=100\) makes one"),
        ({"queue_bytes": -1}, "queue_bytes: -1; give at least 1"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(infogeo.InputError, match=said):
        infogeo.RecordingOptions(**options)


def test_a_run_that_is_being_recorded_is_said_to_be(tmp_path):
    with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE) as first:
        first.log(0, predicted(0))
        first.flush()
        with pytest.raises(infogeo.InputError, match="run 'a': is being recorded by another recorder of this process"):
            infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE)


def test_a_recorder_that_is_closed_unfinished_leaves_a_run_that_can_go_on(tmp_path):
    first = infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE)
    first.log(0, predicted(0))
    first.close(finished=False)
    assert first.closed
    record(tmp_path / "s", range(2), resume=True)
    assert steps_of(tmp_path / "s", "a") == [0, 1]


def test_the_place_of_a_store_is_that_of_when_the_recorder_was_made(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    with infogeo.Recorder("s", run="a", probe=PROBE) as recorder:
        monkeypatch.chdir(tmp_path / "other")
        for step in range(3):
            recorder.log(step, predicted(step))
    assert steps_of(tmp_path / "s", "a") == [0, 1, 2]
    monkeypatch.chdir(tmp_path)
    lazy = infogeo.load("s", memory=0)
    monkeypatch.chdir(tmp_path / "other")
    assert np.array_equal(lazy.log_probs[1:2][0], predicted(1))


@pytest.mark.parametrize("several", [False, True])
def test_an_empty_directory_becomes_a_store(tmp_path, several):
    (tmp_path / "s").mkdir()
    with infogeo.Recorder(tmp_path / "s", run="a", probe={"x": PROBE} if several else PROBE) as recorder:
        recorder.log(0, {"x": predicted(0)} if several else predicted(0))
    assert infogeo.load(tmp_path / "s").n_points == 1


def test_a_step_since_the_last_look_may_be_due(tmp_path):
    """Where several steps are taken at once, what is recorded is where they end."""
    with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE, schedule=infogeo.EverySteps(5)) as recorder:
        taken = [step for step in range(0, 33, 4) if recorder.log(step, predicted(step), after=max(step - 4, 0))]
        assert not recorder.due(32, after=0)
        assert recorder.due(35, after=0)
    assert taken == steps_of(tmp_path / "s", "a") == [0, 8, 12, 16, 20, 28, 32]


def test_what_is_invalid_says_what_can_be_done_in_python(tmp_path):
    with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE) as recorder:
        recorder.log(0, np.exp(predicted(0)))
        for values in (invalid(1), 1.2 * np.exp(predicted(1))):
            other = infogeo.Recorder(tmp_path / "t", run="b", probe=PROBE)
            other.log(0, np.exp(predicted(0)))
            other.log(1, values)
            with pytest.raises(
                infogeo.InputError, match='RecordingOptions.on_invalid="skip". leaves such steps'
            ) as told:
                other.close()
            shutil.rmtree(tmp_path / "t")
            assert "--as" not in str(told.value)
    assert "RecordingOptions(kind='logits')" in str(told.value)


def test_another_number_of_classes_is_told_by_number(tmp_path):
    record(tmp_path / "s")
    with pytest.raises(infogeo.InputError, match="its classes and those of the run to be recorded differ: 5 and not 6"):
        infogeo.Recorder(tmp_path / "s", run="b").log(0, np.zeros((SAMPLES, 6)))
    with pytest.raises(infogeo.InputError, match="of 3 classes, but the probe's labels: 3 at sample 3 is out"):
        infogeo.Recorder(tmp_path / "s", run="b", probe=PROBE).log(0, np.zeros((SAMPLES, 3)))


def test_a_job_that_is_submitted_again_is_the_same_lines_every_time(tmp_path):
    """As on the page on recording: it goes on from the weights that were saved, every fourth step here."""
    saved = {"step": 0}

    def job(stop):
        start = saved["step"]
        if start < 10:
            with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE, resume=start) as recorder:
                for step in range(start, 11):
                    recorder.log(step, predicted(step))
                    if step % 4 == 0 or step == 10:
                        saved["step"] = step
                    if step == stop:
                        raise RuntimeError("time is up")

    for stop in (0, 6, 7, 9):
        with pytest.raises(RuntimeError):
            job(stop)
    for _ in range(2):
        job(None)
    assert steps_of(tmp_path / "s", "a") == list(range(11))
    assert np.array_equal(infogeo.load(tmp_path / "s").log_probs[5], predicted(5))
