"""Bad input: one clear line, exit code 2, nothing written."""

import signal
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest

import infogeo
from tests.cli.shell import COMMAND, refused
from tests.cli.shell import infogeo as shell
from tests.samples import trajectories


@pytest.fixture
def run(tmp_path):
    predictions = trajectories(runs=1)
    np.save(tmp_path / "a.npy", np.exp(predictions.log_probs))
    np.save(tmp_path / "labels.npy", predictions.labels)
    return tmp_path / "a.npy"


def save(path, values):
    np.save(path, values)
    return path


CASES = {
    "missing path": (lambda d, a: [d / "nowhere"], "nowhere: does not exist"),
    "empty folder": (lambda d, a: [(d / "empty").mkdir() or d / "empty"], "holds no predictions"),
    "no input": (lambda d, a: [], "give either predictions"),
    "needs pickle": (lambda d, a: [save(d / "b.npy", np.array([{}], dtype=object))], "needs pickle"),
    "truncated": (lambda d, a: [a.write_bytes(a.read_bytes()[:200]) and a], "truncated or damaged"),
    "no distribution": (
        lambda d, a: [save(a, np.load(a) * (1 + (np.arange(30) == 7)[:, None]))],
        "checkpoint 0, sample 7: row [",
    ),
    "negative": (
        lambda d, a: [save(a, np.load(a) - 2 * np.load(a)[0, 3, 1] * (np.arange(90) == 10).reshape(30, 3))],
        "checkpoint 0, sample 3",
    ),
    "not a number": (lambda d, a: [save(a, np.load(a) * np.where(np.arange(6) == 4, np.nan, 1)[:, None, None])], "NaN"),
    "infinity": (lambda d, a: [save(a, np.load(a) / (np.arange(6) != 4)[:, None, None])], "infinity"),
    "other N": (lambda d, a: [a, save(d / "b.npy", np.load(a)[:, :9])], "has N=9 samples"),
    "other C": (lambda d, a: [a, save(d / "b.npy", np.full((2, 30, 5), 0.2))], "C=5 classes"),
    "one dimension": (lambda d, a: [d / "labels.npy"], "has 1 dimension"),
    "strings": (lambda d, a: [save(d / "b.npy", np.full((2, 3, 4), "x"))], "holds strings"),
    "one class": (lambda d, a: [save(d / "b.npy", np.ones((2, 3, 1)))], "has one class"),
    "one checkpoint in all": (lambda d, a: [save(d / "b.npy", np.full((3, 2), 0.5))], "one checkpoint in all"),
    "labels of the wrong length": (lambda d, a: [a, "--labels", save(d / "l.npy", np.zeros(4))], "labels: 4 of them"),
    "labels out of range": (lambda d, a: [a, "--labels", save(d / "l.npy", np.full(30, 3))], "out of range"),
    "metadata of other runs": (
        lambda d, a: [a, "--meta", (d / "m.csv").write_text("run,x\nq,1\n") and d / "m.csv"],
        "no row matches a run",
    ),
    "null without labels": (lambda d, a: [a, "--null", "within-class"], "give --labels"),
    "null of one run": (lambda d, a: [a, "--labels", d / "labels.npy", "--null", "within-class"], "there is only one"),
    "renyi without its order": (lambda d, a: [a, "--divergence", "renyi"], "for example --alpha 0.3"),
    "an order outside": (lambda d, a: [a, "--divergence", "renyi", "--alpha", "2"], "alpha: 2.0; give a number"),
    "an order for another": (lambda d, a: [a, "--alpha", "0.3"], "is the order of --divergence renyi"),
    "weights by no column": (lambda d, a: [a, "--weights", "colour"], "there are points, runs, arc-length"),
    "errors of few samples": (lambda d, a: [a, "--errors"], "30 samples are too few for two groups; 32 are enough"),
    "errors with tiles": (lambda d, a: [a, "--errors", "--tiles", d / "t"], "leave out --tiles"),
    "no size": (lambda d, a: [a, "--memory", "much"], "'much' is no size"),
    "too little memory": (lambda d, a: [a, "--memory", "1KB"], "this needs at least"),
    "matrix and predictions": (lambda d, a: [a, "--matrix", a], "give either predictions"),
    "matrix with options of predictions": (
        lambda d, a: ["--matrix", save(d / "d.npy", np.eye(3)), "--labels", d / "labels.npy"],
        "--matrix: goes with --meta",
    ),
    "matrix with a divergence": (
        lambda d, a: ["--matrix", save(d / "d.npy", np.eye(3)), "--divergence", "bhattacharyya", "--alpha", "0.3"],
        "leave out --divergence, --alpha",
    ),
    "steps that do not increase": (
        lambda d, a: [a, "--steps", save(d / "s.npy", [0, 1, 2, 2, 3, 4])],
        "s.npy: entry 4 is step 2, after step 2; the steps of a run must increase",
    ),
    "a file given twice": (lambda d, a: [a, a], "run 'a' has steps 0, 1, 2, 3, 4 and 1 more twice, both in"),
    "matrix that is none": (lambda d, a: ["--matrix", save(d / "d.npy", -np.ones((3, 3)))], "is on the diagonal"),
    "points that coincide": (lambda d, a: [save(a, np.full((4, 3, 2), 0.5))], "the points coincide"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_embed_refuses_with_one_line_and_writes_nothing(tmp_path, run, case):
    arguments, message = CASES[case]
    with np.errstate(divide="ignore"):
        given = arguments(tmp_path, run)
    before = sorted(tmp_path.rglob("*"))
    refused(shell("embed", *given, "--out", tmp_path / "map"), message)
    assert sorted(tmp_path.rglob("*")) == before


USAGE = {
    "embed a --divergence euclid": "--divergence: 'euclid' is not one of 'bhattacharyya', 'hellinger'",
    "embed a --as logit": "--as: 'logit' is not one of 'probabilities', 'log-probabilities', 'logits'",
    "embed a --components x": "--components: give a whole number; see infogeo embed --help",
    "embed a --components 0": "--components: give 1 or more",
    "embed a --alpha x": "--alpha: give a number",
    "embed a --component 3": "--component: there is no such option (did you mean --components",
    "embed a --out": "--out: needs a value",
    "info": "INPUT: is missing; see infogeo info --help",
    "compare a": "--group: is missing; see infogeo compare --help",
    "demo a": "a: is more than this command takes",
    "embd a": "embd: there is no such command (did you mean 'embed'?)",
    "info a --verify=1": "--verify: takes no value",
}


@pytest.mark.parametrize("line", USAGE)
def test_a_wrong_command_line_is_one_line_too(line):
    process = shell(*line.split())
    refused(process, USAGE[line])
    assert len(process.stderr.splitlines()) == 1
    assert "error" not in process.stderr.lower()


def test_an_existing_map_is_replaced_only_when_asked_and_other_things_never(tmp_path, run):
    assert shell("embed", run, "--null", "none", "--out", tmp_path / "map").returncode == 0
    (tmp_path / "map" / "spectrum.csv").write_text("old")
    refused(shell("embed", run, "--out", tmp_path / "map"), "exists; choose another place")
    assert (tmp_path / "map" / "spectrum.csv").read_text() == "old"
    assert shell("embed", run, "--null", "none", "--out", tmp_path / "map", "--overwrite").returncode == 0
    assert (tmp_path / "map" / "spectrum.csv").read_text() != "old"
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("mine")
    refused(shell("embed", run, "--out", tmp_path / "thesis", "--overwrite"), "something else lies there")
    assert (tmp_path / "thesis" / "chapter").read_text() == "mine"


def test_overwriting_never_takes_a_folder_that_holds_more_than_the_result(tmp_path, run):
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.npy").write_bytes(run.read_bytes())
    assert shell("embed", project / "a.npy", "--null", "none", "--out", project / "map").returncode == 0
    refused(shell("embed", project / "a.npy", "--out", project, "--overwrite"), "something else lies there")
    onto_map = shell("project", project / "map", project / "a.npy", "--out", project / "map", "--overwrite")
    refused(onto_map, "something else lies there")
    (project / "map" / "notes.md").write_text("mine")
    refused(shell("embed", project / "a.npy", "--out", project / "map", "--overwrite"), "something else lies there")
    assert (project / "map" / "notes.md").read_text() == "mine"
    assert (project / "a.npy").exists()


def test_columns_that_infogeo_writes_itself_are_refused(tmp_path, run):
    (tmp_path / "m.csv").write_text("run,accuracy\na,0.9\n")
    process = shell("embed", run, "--meta", tmp_path / "m.csv", "--out", tmp_path / "map")
    refused(process, "infogeo writes a column 'accuracy' itself")
    assert not (tmp_path / "map").exists()


def test_a_place_that_cannot_be_written_is_refused(tmp_path, run):
    before = run.read_bytes()
    refused(shell("embed", run, "--out", run / "map"), "cannot be written")
    assert run.read_bytes() == before


def test_a_full_disk_leaves_nothing_half_written(tmp_path, run):
    """A limit of 1 MB per file stands in for the disk: the report does not fit."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))"
    process = shell("embed", run, "--null", "none", "--out", tmp_path / "map", first=limit)
    refused(process, "File too large; nothing was written")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npy", "labels.npy"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_remove_partial_work(tmp_path, number, code):
    process = subprocess.Popen(
        [*COMMAND, "demo", "--out", str(tmp_path / "demo")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.rglob("log_probs")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(tmp_path.rglob("log_probs")), "the demo had not begun to write"
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == code
    assert "Traceback" not in errors
    assert "interrupted" in errors.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_project_refuses_what_is_no_map_and_another_probe_set(tmp_path, run):
    refused(shell("project", tmp_path, run, "--out", tmp_path / "p"), "is no map")
    assert shell("embed", run, "--null", "none", "--out", tmp_path / "map", "-q").returncode == 0
    other = save(tmp_path / "b.npy", np.full((2, 9, 3), 1 / 3))
    message = "map' has N=30, C=3; all runs must predict one probe set"
    refused(shell("project", tmp_path / "map", other, "--out", tmp_path / "p"), message)
    spectrum = tmp_path / "map" / "spectrum.csv"
    spectrum.write_text(spectrum.read_text()[:30])
    refused(shell("project", tmp_path / "map", run, "--out", tmp_path / "p"), "is a damaged map")
    assert not (tmp_path / "p").exists()


def test_project_names_the_inputs_whose_samples_differ(tmp_path):
    for name, first in (("old.zarr", 0), ("new.zarr", 1)):
        probe = infogeo.Probe(ids=np.arange(first, first + 30))
        infogeo.write_store(tmp_path / name, replace(trajectories(runs=1), probe=probe))
    old, new, out = (tmp_path / name for name in ("old.zarr", "new.zarr", "map"))
    assert shell("embed", old, "--null", "none", "--out", out, "-q").returncode == 0
    message = f"{new}: its probe samples are not those of {out}"
    refused(shell("project", out, new, "--out", tmp_path / "p"), message)


def test_a_map_of_a_matrix_says_that_it_cannot_place_predictions(tmp_path, run):
    matrix = infogeo.pairwise_divergence(trajectories(), infogeo.Bhattacharyya()).to_numpy()
    assert shell("embed", "--matrix", save(tmp_path / "d.npy", matrix), "--out", tmp_path / "map", "-q").returncode == 0
    refused(shell("project", tmp_path / "map", run, "--out", tmp_path / "p"), "was made from a matrix")
