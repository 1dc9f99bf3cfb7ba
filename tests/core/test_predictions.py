"""What is a prediction, what is not, and what is said about it."""

from dataclasses import replace

import numpy as np
import pytest

import infogeo
from infogeo import InputError
from infogeo.core import checks
from infogeo.core.checks import LOG_FLOOR, Kind, recognise, to_log_probs, tolerance
from infogeo.core.labels import LabelSpace
from infogeo.core.predictions import fingerprint
from tests.samples import Lazy, log_softmax, trajectories


def probabilities(seed=0, shape=(3, 8, 4)):
    return np.exp(log_softmax(np.random.default_rng(seed).normal(size=shape)))


def test_printed_predictions_and_points_are_short():
    predictions = trajectories()
    assert repr(predictions).splitlines() == [
        "Predictions(24 points of 4 runs, N=30 samples, C=3 classes)",
        "  labels known; log-probabilities in memory",
    ]
    lazy = replace(predictions, log_probs=Lazy(predictions.log_probs), labels=None)
    assert repr(lazy).splitlines()[1] == "  labels not known; log-probabilities read when needed"
    assert repr(predictions.points) == "Points(24 points of 4 runs; columns run, step, arch, lr)"
    many = predictions.points.take([0]).with_columns(**{f"column-{i}": [i] for i in range(100)})
    assert repr(many).endswith("column-3 and 96 more)")


def test_three_kinds_of_numbers_are_told_apart():
    p = probabilities()
    assert recognise(p) is Kind.PROBABILITIES
    assert recognise(np.log(p)) is Kind.LOG_PROBABILITIES
    assert recognise(np.log(p) + 3) is Kind.LOGITS
    assert recognise(p.astype(np.float16)) is Kind.PROBABILITIES
    assert recognise(np.eye(4)[[0, 1, 2]][None]) is Kind.PROBABILITIES
    with np.errstate(divide="ignore"):
        assert recognise(np.log(np.eye(4)[[0, 1, 2]][None])) is Kind.LOG_PROBABILITIES


def test_a_deviant_row_does_not_change_the_verdict_but_is_an_error_that_names_it():
    p = probabilities()
    p[1, 5] *= 1.5
    assert recognise(p) is Kind.PROBABILITIES
    with pytest.raises(infogeo.InputError, match=r"checkpoint 1, sample 5: row .* does not sum to 1.*--as logits"):
        infogeo.Predictions.from_arrays({"a": p})


@pytest.mark.parametrize("kind", list(Kind))
def test_all_kinds_give_the_same_predictions(kind):
    p = probabilities()
    numbers = {Kind.PROBABILITIES: p, Kind.LOG_PROBABILITIES: np.log(p), Kind.LOGITS: np.log(p) - 7}[kind]
    given = infogeo.Predictions.from_arrays({"a": numbers}, kind=kind)
    # one rounding to float32 of logs of size 10 at most
    assert np.abs(given.log_probs[:] - np.log(p)).max() <= 10 * 2.0**-24


def test_rows_inside_the_tolerance_are_normalised_and_reported():
    p = probabilities()
    p[0, 0] *= 1 + 5e-4
    given = infogeo.Predictions.from_arrays({"a": p})
    assert given.correction == pytest.approx(5e-4, rel=1e-6)
    assert np.exp(given.log_probs[0, 0].astype(float)).sum() == pytest.approx(1, abs=4 * 2.0**-24)


def test_half_precision_gets_the_tolerance_of_its_rounding():
    assert tolerance(np.dtype(np.float16), 10) == pytest.approx(10 * 2.0**-11)
    assert tolerance(np.dtype(np.float32), 10) == 1e-3


@pytest.mark.parametrize("kind", list(Kind))
def test_rows_are_checked_a_few_at_a_time_with_the_same_result(monkeypatch, kind):
    p = probabilities()
    p[2, 6] = np.array([1 + 5e-4, 0, 0, 0])
    with np.errstate(divide="ignore"):
        numbers = p if kind is Kind.PROBABILITIES else np.maximum(np.log(p), -200.0)
    whole = to_log_probs(numbers, kind, "a")
    monkeypatch.setattr(checks, "CHECKED_NUMBERS", 13)  # three rows
    parts = to_log_probs(numbers, kind, "a")
    assert np.array_equal(parts.values, whole.values)
    assert parts[1:] == whole[1:]
    assert parts.floored == 3
    numbers[1, 7, 1] = np.nan
    with pytest.raises(infogeo.InputError, match="a: checkpoint 1, sample 7: row"):
        to_log_probs(numbers, kind, "a")


def test_the_kind_of_many_classes_is_told_from_a_few_rows(monkeypatch):
    p = probabilities(shape=(20, 50, 40))
    monkeypatch.setattr(checks, "TYPICAL_NUMBERS", 8 * 5 * 40)
    assert recognise(p) is Kind.PROBABILITIES
    assert recognise(np.log(p)) is Kind.LOG_PROBABILITIES
    elsewhere = 2 * p
    elsewhere[::3, ::10] = p[::3, ::10]  # every third of 20 checkpoints makes 7, every tenth of 50 samples makes 5
    assert recognise(elsewhere) is Kind.PROBABILITIES


def test_zeros_go_to_the_floor_and_are_counted():
    given = infogeo.Predictions.from_arrays({"a": np.eye(3)[[0, 1, 2, 0]][None]})
    assert given.floored == 8
    assert given.log_probs[:].min() == LOG_FLOOR


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.astype(str), "holds strings"),
        (lambda p: p.astype(object), "holds Python objects"),
        (lambda p: p + 0j, "holds complex numbers"),
        (lambda p: p[0, 0], "has 1 dimension,"),
        (lambda p: p[..., None], "has 4 dimensions"),
        (lambda p: p[:0], "has shape .* which holds no prediction"),
        (lambda p: np.ones((2, 3, 1)), "has one class"),
        (lambda p: np.where(p == p[1, 2, 3], np.nan, p), "checkpoint 1, sample 2: .* has NaN or infinity"),
        (lambda p: np.where(p == p[2, 7, 0], np.inf, p), "checkpoint 2, sample 7: .* has NaN or infinity"),
        (lambda p: np.where(p == p[0, 3, 1], -p, p), "checkpoint 0, sample 3: .* has a negative probability"),
    ],
)
def test_what_is_no_prediction_is_refused_with_its_place(spoil, message):
    with pytest.raises(infogeo.InputError, match=f"run 'a': {message}"):
        infogeo.Predictions.from_arrays({"a": spoil(probabilities())})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"runs": {}}, "runs: there is none"),
        ({"runs": {"a": probabilities(), "b": probabilities(shape=(3, 9, 4))}}, "'b' has N=9 samples and C=4 classes"),
        ({"labels": np.zeros(7, int)}, "labels: 7 of them for 8 samples; give one label for each sample"),
        ({"labels": np.full(8, 4)}, "labels: 4 at sample 0 is out of range; classes are 0 to 3"),
        ({"labels": ["0"] * 7 + ["cat"]}, "labels: 'cat' at sample 7 is no class"),
        ({"kind": "softmax"}, "kind: 'softmax' is unknown; choose from probabilities"),
        ({"steps": [0, 1]}, "steps: 2 steps for run 'a', which has 3 checkpoints"),
        ({"steps": {"z": [0, 1, 2]}}, "steps: there is no run 'z'"),
        ({"meta": {"z": {"lr": 1}}}, "meta: there is no run 'z'"),
        ({"classes": ["a", "b"]}, "classes: 2 names for 4 classes"),
        ({"classes": ["a", "b", "b", "c"]}, "class names must be distinct"),
    ],
)
def test_arguments_that_do_not_fit_are_one_clear_line(arguments, message):
    with pytest.raises(infogeo.InputError, match=message):
        infogeo.Predictions.from_arrays(**{"runs": {"a": probabilities()}, **arguments})


def test_numbers_as_class_names_are_never_mistaken_for_class_numbers():
    years = LabelSpace(("1990", "2000"))
    assert years.encode([2000, 1990], 2).tolist() == [1, 0]
    assert years.encode([0, 1], 2).tolist() == [0, 1]
    swapped = LabelSpace(("1", "0"))
    with pytest.raises(InputError, match="may be numbers or names of classes, which are 1, 0 in this order"):
        swapped.encode([0, 1], 2)
    assert swapped.encode(["0", "1"], 2).tolist() == [1, 0]


def test_labels_may_be_class_names():
    given = infogeo.Predictions.from_arrays(
        {"a": probabilities()}, labels=["dog", "cat"] * 4, classes=["cat", "dog", "owl", "elk"]
    )
    assert given.labels.tolist() == [1, 0] * 4


def test_scores_are_accuracy_and_cross_entropy():
    given = trajectories(samples=20)
    accuracy, loss = given.scores()
    log_p = given.log_probs[:].astype(float)
    assert accuracy.tolist() == (log_p.argmax(-1) == given.labels).mean(-1).tolist()
    expected = -np.array([[row[n, c] for n, c in enumerate(given.labels)] for row in log_p]).mean(-1)
    assert np.allclose(loss, expected, rtol=20 * 2.0**-53, atol=0)
    assert accuracy[-1] > accuracy[0]


def test_a_fingerprint_changes_with_one_bit_and_not_with_the_layout():
    row = trajectories().log_probs[0]
    other = row.copy()
    other[3, 1] = np.nextafter(other[3, 1], 0)
    assert fingerprint(row) == fingerprint(np.asfortranarray(row))
    assert fingerprint(row) != fingerprint(other)


def test_points_hold_typed_columns_and_say_what_is_missing():
    points = trajectories(runs=2, checkpoints=3).points
    assert points["arch"].tolist() == ["conv"] * 3 + ["mlp"] * 3
    assert points["lr"].dtype == np.float64
    assert points.take(points["step"] == 2).runs == ["net-0", "net-1"]
    with pytest.raises(infogeo.InputError, match="no column 'depth'; there are run, step, arch, lr"):
        points["depth"]
    with pytest.raises(infogeo.InputError, match=r"column 'x' has shape \(2,\), expected \(6,\)"):
        points.with_columns(x=[1, 2])


def test_joined_tables_fill_what_one_lacks():
    first = infogeo.Points.of_runs(["a"], [[0, 1]], [{"lr": 0.5, "arch": "mlp"}])
    second = infogeo.Points.of_runs(["b"], [[7]], [{"seed": 3}])
    both = first.joined(second)
    assert both["run"].tolist() == ["a", "a", "b"]
    assert both["arch"].tolist() == ["mlp", "mlp", ""]
    assert np.isnan(both["lr"][2])
    assert both["seed"][2] == 3


def test_points_become_a_data_frame():
    frame = trajectories(runs=2, checkpoints=3).points.to_pandas()
    assert list(frame.columns) == ["run", "step", "arch", "lr"]
    assert len(frame) == 6


def test_a_missing_extra_is_named():
    from infogeo.core.optional import require

    with pytest.raises(ImportError, match=r"pip install 'infogeo\[hdf5\]'"):
        require("no_such_module_anywhere", extra="hdf5")


def test_some_checkpoints_are_taken_by_indices_or_a_mask_and_stay_lazy():
    given = trajectories()
    rows = [5, 2, 2, -1]
    taken = given.take(rows)
    assert np.array_equal(taken.log_probs, given.log_probs[rows])
    assert taken.fingerprints == tuple(given.fingerprints[i] for i in rows)
    assert taken.points["step"].tolist() == given.points["step"][rows].tolist()
    lazy = replace(given, log_probs=Lazy(given.log_probs))
    found = lazy.take(given.points["step"] == 3)
    assert not isinstance(found.log_probs, np.ndarray)
    assert found.log_probs.shape == (4, 30, 3)
    assert np.array_equal(found.log_probs[1:3, 4:9], given.log_probs[[9, 15], 4:9])
    assert found.log_probs[0:0].shape == (0, 30, 3)


@pytest.mark.parametrize("steps", [[0, 0, 1], [0, 0.5, 1], ["a", "b", "c"]])
def test_steps_that_do_not_tell_checkpoints_apart_are_refused(steps):
    with pytest.raises(InputError, match="steps: those of run 'a' must be whole numbers, each once"):
        infogeo.Predictions.from_arrays({"a": probabilities()}, steps=steps)


def test_whole_steps_given_as_floats_are_whole():
    assert (
        infogeo.Predictions.from_arrays({"a": probabilities()}, steps=[0.0, 1.0, 5.0]).points["step"].dtype == np.int64
    )
