"""Files as they come from anybody's training script."""

import json
import os
import pickle

import numpy as np
import pytest

import infogeo
from infogeo.store import loading
from infogeo.store.naming import run_and_step
from infogeo.store.tables import read_matrix
from tests.samples import log_softmax

N, C = 12, 4


def array(seed, *lead):
    return np.exp(log_softmax(np.random.default_rng(seed).normal(size=(*lead, N, C)))).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("probs_epoch10", ("probs", 10)),
        ("epoch_10_probs", ("probs", 10)),
        ("seed1/step_200", ("seed1", 200)),
        ("epoch=003-val", ("val", 3)),
        ("resnet18_ckpt7", ("resnet18", 7)),
        ("checkpoint-500", ("run", 500)),
        ("seed3/iter12/probs", ("seed3/probs", 12)),
        ("iteration12", ("run", 12)),
        ("mlp_2_17", ("mlp_2", 17)),
        ("final", ("final", None)),
        ("Epoch4", ("run", 4)),
        ("misstep4x", ("misstep_x", 4)),
        ("epoch=1-step=100", ("run", 100)),
        ("wide-step7-epoch2", ("wide", 7)),
    ],
)
def test_run_and_step_come_from_the_name(name, expected):
    assert run_and_step(name) == expected


def test_a_folder_of_arrays_checkpoints_and_archives(tmp_path):
    np.save(tmp_path / "wide.npy", array(0, 3))
    (tmp_path / "deep").mkdir()
    for step in (1, 10, 2):
        np.save(tmp_path / "deep" / f"probs_epoch{step}.npy", np.log(array(step)))
    np.savez(tmp_path / "pack.npz", a=array(4, 2), epoch5=array(5), epoch3=array(3))
    (tmp_path / "notes.txt").write_text("not for us")
    found = infogeo.load(tmp_path)
    table = list(zip(found.points["run"].tolist(), found.points["step"].tolist(), strict=True))
    assert table == [
        ("deep/probs", 1),
        ("deep/probs", 2),
        ("deep/probs", 10),
        ("pack", 3),
        ("pack", 5),
        ("pack/a", 0),
        ("pack/a", 1),
        ("wide", 0),
        ("wide", 1),
        ("wide", 2),
    ]
    assert set(found.notes) == {
        "read as probabilities: 4 arrays",
        "read as log-probabilities: 3 arrays",
        "names of single checkpoints: deep/probs_epoch1.npy is step 1 of 'deep/probs' (arrays: 5, runs: 2)",
    }
    assert np.abs(np.exp(found.log_probs[4]) - array(5)).max() <= 4 * 2.0**-24


def test_labels_steps_and_metadata_from_files_beside_the_predictions(tmp_path):
    for i, name in enumerate(("a", "b")):
        np.save(tmp_path / f"{name}.npy", array(i, 3))
    labels = np.arange(N) % C
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "steps.npy", [0, 10, 100])
    (tmp_path / "meta.csv").write_text("file,arch,lr\na.npy,mlp,0.1\nb.npy,conv,\n")
    found = infogeo.load(
        tmp_path, labels=tmp_path / "labels.npy", meta=tmp_path / "meta.csv", steps=tmp_path / "steps.npy"
    )
    assert found.labels.tolist() == labels.tolist()
    assert found.points["step"].tolist() == [0, 10, 100] * 2
    assert found.points["arch"].tolist() == ["mlp"] * 3 + ["conv"] * 3
    assert np.isnan(found.points["lr"][3:]).all()


@pytest.mark.parametrize("form", ["json", "csv", "txt"])
def test_lists_may_be_text(tmp_path, form):
    np.save(tmp_path / "a.npy", array(0, 2))
    labels = (np.arange(N) % C).tolist()
    text = json.dumps(labels) if form == "json" else "\n".join(map(str, labels))
    (tmp_path / f"labels.{form}").write_text(text)
    assert infogeo.load(tmp_path, labels=tmp_path / f"labels.{form}").labels.tolist() == labels


def test_metadata_may_be_json_and_says_what_it_could_not_join(tmp_path):
    for i, name in enumerate(("a", "b")):
        np.save(tmp_path / f"{name}.npy", array(i, 3))
    (tmp_path / "meta.json").write_text(json.dumps({"a": {"depth": 3}, "zzz": {"depth": 4}}))
    found = infogeo.load(tmp_path, meta=tmp_path / "meta.json")
    assert "metadata: 1 rows match no run (first: zzz)" in found.notes
    assert "metadata: 1 runs have no row (first: b)" in found.notes
    assert found.points["depth"][0] == 3


def test_run_names_that_look_like_numbers_are_joined_as_text(tmp_path):
    for i, name in enumerate(("1", "01", "1_0")):
        np.save(tmp_path / f"{name}.npy", array(i, 2))
    (tmp_path / "meta.csv").write_text("run,tag\n1,one\n01,zero-one\n1_0,1_0\n")
    points = infogeo.load(tmp_path, meta=tmp_path / "meta.csv").points
    tags = dict(zip(points["run"].tolist(), points["tag"].tolist(), strict=True))
    assert tags == {"1": "one", "01": "zero-one", "1_0": "1_0"}


def test_metadata_that_differs_within_a_run_is_refused(tmp_path):
    for step in (1, 2):
        np.save(tmp_path / f"a_{step}.npy", array(step))
    (tmp_path / "meta.csv").write_text("file,x\na_1.npy,1\na_2.npy,2\n")
    with pytest.raises(infogeo.InputError, match="give run 'a' different values of 'x'; metadata is per run"):
        infogeo.load(tmp_path, meta=tmp_path / "meta.csv")


def test_metadata_may_name_the_file_where_its_run_is_another_name(tmp_path):
    np.save(tmp_path / "a.npy", array(0, 2))
    (tmp_path / "meta.csv").write_text("run,file,x\nwandb-7f,a.npy,3\n")
    assert infogeo.load(tmp_path, meta=tmp_path / "meta.csv").points["x"].tolist() == [3, 3]


def test_checkpoints_given_one_by_one_make_the_same_run_as_their_folder(tmp_path):
    for step in (0, 10, 20):
        np.save(tmp_path / f"probs_step{step}.npy", array(step))
    whole = infogeo.load(tmp_path)
    loose = infogeo.load(sorted(tmp_path.glob("*.npy")))
    assert loose.points.runs == whole.points.runs == ["probs"]
    assert loose.points["step"].tolist() == [0, 10, 20]
    assert loose.fingerprints == whole.fingerprints


def test_how_names_of_single_checkpoints_were_understood_is_said(tmp_path):
    for depth in (18, 34):
        np.save(tmp_path / f"resnet{depth}.npy", array(depth))
    notes = infogeo.load(tmp_path).notes
    assert "names of single checkpoints: resnet18.npy is step 18 of 'resnet' (arrays: 2, runs: 1)" in notes


def test_logits_that_look_like_spoilt_probabilities_are_pointed_out(tmp_path):
    np.save(tmp_path / "sigmoid.npy", np.random.default_rng(0).uniform(0.4, 0.9, (3, N, C)))
    assert "its numbers lie in [0, 1], but rows do not sum to 1" in infogeo.load(tmp_path).notes[1]
    np.save(tmp_path / "sigmoid.npy", np.random.default_rng(0).normal(size=(3, N, C)))
    assert infogeo.load(tmp_path).notes == ("read as logits: 1 array",)


def test_suffixes_in_capitals_are_read_too(tmp_path):
    with (tmp_path / "A.NPY").open("wb") as file:
        np.save(file, array(0, 2))
    assert infogeo.load(tmp_path).points["run"].tolist() == ["A", "A"]


def test_a_name_that_is_no_text_is_refused(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.npy")
    with open(path, "wb") as file:
        np.save(file, array(0, 2))
    with pytest.raises(infogeo.InputError, match="its name is no UTF-8"):
        infogeo.load(tmp_path)


def test_links_in_circles_are_followed_once(tmp_path):
    (tmp_path / "runs").mkdir()
    np.save(tmp_path / "runs" / "a.npy", array(0, 2))
    (tmp_path / "runs" / "loop").symlink_to(tmp_path / "runs")
    assert infogeo.load(tmp_path / "runs").points.runs == ["a"]


def test_huge_numbers_in_metadata_do_no_harm(tmp_path):
    np.save(tmp_path / "a.npy", array(0, 2))
    (tmp_path / "meta.csv").write_text("run,seed\na,12345678901234567890\n")
    assert infogeo.load(tmp_path, meta=tmp_path / "meta.csv").points["seed"][0] == pytest.approx(1.2345678901234567e19)


def test_runs_of_one_name_in_two_folders_are_told_apart(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "probs.npy", array(0, 2))
    assert infogeo.load([tmp_path / "x", tmp_path / "y"]).points.runs == ["x/probs", "y/probs"]


def test_large_predictions_are_read_again_and_again_with_the_same_numbers(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", array(0, 5))
    for step in range(4):
        np.save(tmp_path / f"b_{step}.npy", array(step))
    kept = infogeo.load(tmp_path)
    monkeypatch.setattr(loading, "IN_MEMORY_BYTES", 0)
    lazy = infogeo.load(tmp_path)
    assert not isinstance(lazy.log_probs, np.ndarray)
    for rows in (slice(0, 9), slice(3, 7), slice(8, 9), slice(4, 4)):
        assert np.array_equal(lazy.log_probs[rows], kept.log_probs[rows])
        for samples in (slice(0, 5), slice(7, 12), slice(2, 99)):
            assert np.array_equal(lazy.log_probs[rows, samples], kept.log_probs[rows, samples])
    assert lazy.fingerprints == kept.fingerprints


@pytest.mark.parametrize("form", ["store", "npz"])
def test_a_part_of_the_samples_can_be_read_from_every_format(tmp_path, monkeypatch, form):
    values = array(0, 3)
    whole = infogeo.Predictions.from_arrays({"a": values})
    if form == "store":
        infogeo.write_store(tmp_path / "s", whole)
    else:
        np.savez(tmp_path / "s.npz", values)
    monkeypatch.setattr(loading, "IN_MEMORY_BYTES", 0)
    lazy = infogeo.load(next(tmp_path.iterdir()))
    assert np.array_equal(lazy.log_probs[1:3, 4:9], whole.log_probs[1:3, 4:9])


def test_a_bad_row_is_named_alike_when_a_part_of_the_samples_is_read(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", array(0, 5))
    monkeypatch.setattr(loading, "IN_MEMORY_BYTES", 0)
    lazy = infogeo.load(tmp_path)
    spoilt = np.load(tmp_path / "a.npy", mmap_mode="r+")
    spoilt[3, 8, 2] = 7
    with pytest.raises(infogeo.InputError, match="checkpoint 3, sample 8: row"):
        lazy.log_probs[2:5, 6:11]


class Bomb:
    def __reduce__(self):
        return (print, ("unpickled",))


def truncated(path, keep):
    path.write_bytes(path.read_bytes()[:keep])


def spoil(tmp_path, case):
    """A folder with something wrong; returns what to load and with which arguments."""
    good = tmp_path / "a.npy"
    np.save(good, array(0, 3))
    if case == "object array":
        np.save(tmp_path / "b.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    elif case == "pickle named npy":
        (tmp_path / "b.npy").write_bytes(pickle.dumps(Bomb()))
    elif case == "truncated npy":
        truncated(good, 300)
    elif case == "empty npy":
        truncated(good, 0)
    elif case == "truncated npz":
        np.savez(tmp_path / "b.npz", x=array(0, 3), y=array(1, 3))
        truncated(tmp_path / "b.npz", 700)
    elif case == "damaged npz":
        np.savez_compressed(tmp_path / "b.npz", x=array(0, 3))
        data = bytearray((tmp_path / "b.npz").read_bytes())
        data[200:260] = bytes(60)
        (tmp_path / "b.npz").write_bytes(bytes(data))
    elif case == "one dimension":
        np.save(tmp_path / "b.npy", np.arange(4.0))
    elif case == "strings":
        np.save(tmp_path / "b.npy", np.full((2, N, C), "x"))
    elif case == "other N":
        np.save(tmp_path / "b.npy", array(0, 3)[:, :5])
    elif case == "twice the same step":
        np.save(tmp_path / "b_1.npy", array(1))
        np.save(tmp_path / "b-1.npy", array(1))
    elif case == "empty folder":
        good.unlink()
    elif case == "missing":
        return tmp_path / "nowhere", {}
    elif case == "wrong suffix":
        (tmp_path / "model.onnx").write_bytes(b"x")
        return tmp_path / "model.onnx", {}
    elif case == "metadata of other runs":
        (tmp_path / "m.csv").write_text("run,lr\nq,1\n")
        return tmp_path, {"meta": tmp_path / "m.csv"}
    elif case == "metadata without a key":
        (tmp_path / "m.csv").write_text("name,lr\na,1\n")
        return tmp_path, {"meta": tmp_path / "m.csv"}
    elif case == "metadata missing":
        return tmp_path, {"meta": tmp_path / "m.csv"}
    elif case == "metadata no json":
        (tmp_path / "m.json").write_text("{")
        return tmp_path, {"meta": tmp_path / "m.json"}
    elif case == "labels missing":
        return tmp_path, {"labels": tmp_path / "labels.npy"}
    elif case == "labels of the wrong length":
        return tmp_path, {"labels": np.zeros(3, int)}
    elif case == "labels out of range":
        return tmp_path, {"labels": np.full(N, C)}
    elif case == "steps of the wrong length":
        return tmp_path, {"steps": [0, 1]}
    elif case == "steps that are no numbers":
        return tmp_path, {"steps": ["a", "b", "c"]}
    return tmp_path, {}


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("object array", "b.npy: needs pickle, which can run code and is never opened"),
        ("pickle named npy", "b.npy: needs pickle, which can run code and is never opened"),
        ("truncated npy", "a.npy: is truncated or damaged"),
        ("empty npy", "a.npy: is truncated or damaged"),
        ("truncated npz", "b.npz: is truncated or damaged"),
        ("damaged npz", "b.npz: is truncated or damaged"),
        ("one dimension", "b.npy: has 1 dimension, .* if these are labels"),
        ("strings", "b.npy: holds strings"),
        ("other N", r"b.npy' has N=5 samples and C=4 classes"),
        (
            "twice the same step",
            "input: run 'b' has step 1 twice, in .*b-1.npy and in .*b_1.npy: rename or leave out one",
        ),
        ("empty folder", "holds no predictions"),
        ("missing", "nowhere: does not exist"),
        ("wrong suffix", r"model.onnx: cannot be read; give .npy, .npz"),
        ("metadata of other runs", "meta: no row matches a run; rows name q, runs are a"),
        ("metadata without a key", "has no column 'run' or 'file'; it has name, lr"),
        ("metadata missing", "meta: .*m.csv does not exist"),
        ("metadata no json", "is no JSON"),
        ("labels missing", "labels: .*labels.npy does not exist"),
        ("labels of the wrong length", "labels: 3 of them for 12 samples"),
        ("labels out of range", "labels: 4 at sample 0 is out of range"),
        ("steps of the wrong length", "steps: 2 steps, but the runs have 3 checkpoints"),
        ("steps that are no numbers", "steps: entry 1 is a; give whole numbers"),
    ],
)
def test_bad_files_are_one_clear_line(tmp_path, case, message, capfd):
    where, arguments = spoil(tmp_path, case)
    with pytest.raises(infogeo.InputError, match=message):
        infogeo.load(where, **arguments)
    assert "unpickled" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([0, 10, 10], "steps: .*steps.json: entry 3 is step 10, after step 10; the steps of a run must increase"),
        ([0, 10, 5], "steps: .*steps.json: entry 3 is step 5, after step 10; the steps of a run must increase"),
        ([0, 0.5, 1], "steps: .*steps.json: entry 2 is 0.5; give whole numbers"),
        ([0, 1, 1e300], r"steps: .*steps.json: entry 3 is 1e\+300; give whole numbers"),
        ([0, 1, None], "steps: .*steps.json holds something that is neither a number nor text"),
        ([[0, 1, 2]], "steps: .*steps.json has 2 dimensions, expected one list"),
    ],
)
def test_steps_that_do_not_increase_are_refused_with_their_place(tmp_path, steps, message):
    np.save(tmp_path / "a.npy", array(0, 3))
    (tmp_path / "steps.json").write_text(json.dumps(steps))
    with pytest.raises(infogeo.InputError, match=message):
        infogeo.load(tmp_path, steps=tmp_path / "steps.json")


def test_a_file_given_twice_and_many_clashing_steps_are_named(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "a.npy", array(0, 7))
    a, b = (tmp_path / folder / "a.npy" for folder in ("x", "y"))
    with pytest.raises(infogeo.InputError, match=r"run 'a' has steps 0, 1, 2, 3, 4 and 2 more twice, both in .*a.npy"):
        infogeo.load([a, a])
    with pytest.raises(infogeo.InputError, match=f"and 2 more twice, step 0 in {a} and in {b}: rename"):
        infogeo.load([a, b])


def test_a_column_of_steps_in_the_metadata_is_said_to_be_unused(tmp_path):
    np.save(tmp_path / "a.npy", array(0, 2))
    (tmp_path / "meta.csv").write_text("run,step,x\na,500,3\n")
    found = infogeo.load(tmp_path, meta=tmp_path / "meta.csv")
    assert found.points["step"].tolist() == [0, 1]
    assert sum("column 'step' is not used; steps come from --steps" in note for note in found.notes) == 1


@pytest.mark.parametrize("text", ["0,1\n1,0\n", "a,b\n0,1\n1,0\n", " 0 , 1 \n\n1,0", ",a,b\na,0,1\nb,1,0\n"])
def test_a_matrix_in_csv(tmp_path, text):
    (tmp_path / "d.csv").write_text(text)
    assert read_matrix(tmp_path / "d.csv").tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [("0,1\n1\n", "rows of different lengths"), ("0,x\nx,0\n", "holds something that is no number")],
)
def test_a_matrix_that_is_none(tmp_path, text, message):
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(infogeo.InputError, match=message):
        read_matrix(tmp_path / "d.csv")
