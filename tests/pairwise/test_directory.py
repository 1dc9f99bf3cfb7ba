"""Tiles on disk: a killed run goes on, a grown one computes only what is new, and damage is found."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

import infogeo
from infogeo.pairwise import directory, plan, run
from tests.samples import random_log_probs

DIVERGENCE = infogeo.Bhattacharyya()


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch):
    monkeypatch.setattr(plan, "TILE", 16)


def predictions(seed=0, runs=5, checkpoints=9, samples=20, classes=3):
    arrays = {f"run-{r}": random_log_probs(seed + r, checkpoints, samples, classes) for r in range(runs)}
    return infogeo.Predictions.from_arrays(arrays, kind="log-probabilities")


def computed(path, given, **options):
    """The matrix with its tiles in `path`, and how many tiles were computed for it."""
    done = []
    matrix = infogeo.pairwise_divergence(
        given, DIVERGENCE, directory=path, progress=lambda at, total: done.append(at), **options
    )
    return matrix, len(done)


def test_the_matrix_is_the_same_as_in_memory_and_nothing_is_computed_twice(tmp_path):
    given = predictions()
    expected = infogeo.pairwise_divergence(given, DIVERGENCE)
    first, tiles = computed(tmp_path / "t", given)
    assert np.array_equal(first.values, expected.values)
    assert first.clipped == expected.clipped
    assert tiles == 6
    again, tiles = computed(tmp_path / "t", given)
    assert tiles == 0
    assert np.array_equal(again.values, expected.values)
    assert again.clipped == expected.clipped


def test_new_checkpoints_cost_only_their_own_tiles(tmp_path):
    """Old runs get later checkpoints and a new run sorts before them: the order of points is not that of tiles."""
    every = predictions(runs=6, checkpoints=12)
    names, steps = every.points["run"], every.points["step"]
    old = np.flatnonzero((names != "run-0") & (steps < 9))
    early = infogeo.Predictions.from_arrays(
        {f"run-{r}": random_log_probs(r, 12, 20, 3)[:9] for r in range(1, 6)}, kind="log-probabilities"
    )
    assert len(early.points) == len(old)
    _, before = computed(tmp_path / "t", early)
    grown, added = computed(tmp_path / "t", every)
    blocks_before, new_blocks = -(-len(old) // 16), -(-(72 - len(old)) // 16)
    assert before == blocks_before * (blocks_before + 1) // 2
    assert added == new_blocks * blocks_before + new_blocks * (new_blocks + 1) // 2
    expected = infogeo.pairwise_divergence(every, DIVERGENCE).values
    assert np.abs(grown.values - expected).max() <= 1e-6 * max(1, expected.max())
    assert (grown.values == np.asarray(grown.values).T).all()


def test_a_matrix_that_does_not_fit_stays_on_disk_and_reads_the_same(tmp_path):
    given = predictions(runs=8)
    expected = infogeo.pairwise_divergence(given, DIVERGENCE).values
    with directory.TileDirectory.opened(tmp_path / "t", given, DIVERGENCE) as tiles:
        need = plan.plan_pairwise(given, DIVERGENCE, layout=tiles.layout).memory_bytes
    matrix, _ = computed(tmp_path / "t", given, memory=need + 8 * 72**2 - 1)
    assert not isinstance(matrix.values, np.ndarray)
    assert np.array_equal(matrix.to_numpy(), expected)
    assert np.array_equal(matrix.values[10:40], expected[10:40])
    picked = np.array([70, 3, 3, 18])
    assert np.array_equal(matrix.values[picked], expected[picked])
    x = np.random.default_rng(0).normal(size=(72, 4))
    assert np.allclose(matrix.values @ x, expected @ x, rtol=0, atol=72 * 72 * np.finfo(float).eps * expected.max())
    again = infogeo.inpca(matrix, 3)
    assert np.allclose(again.coords, infogeo.inpca(infogeo.PairwiseMatrix.from_array(expected), 3).coords, atol=1e-10)
    fitting, _ = computed(tmp_path / "t", given, memory=need + 8 * 72**2)
    assert isinstance(fitting.values, np.ndarray)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a: {**a, "run-1": a["run-1"][:, ::-1]}, "step 0 of run 'run-1' has changed since"),
        (lambda a: {k: v for k, v in a.items() if k != "run-1"}, "holds step 0 of run 'run-1', which the input lacks"),
        (lambda a: {k: v[:, :9] for k, v in a.items()}, "is about samples 20, not 9"),
    ],
)
def test_other_points_are_refused_and_the_tiles_stay(tmp_path, spoil, message):
    arrays = {f"run-{r}": random_log_probs(r, 9, 20, 3) for r in range(3)}
    given = infogeo.Predictions.from_arrays(arrays, kind="log-probabilities")
    computed(tmp_path / "t", given)
    with pytest.raises(infogeo.InputError, match=message):
        computed(tmp_path / "t", infogeo.Predictions.from_arrays(spoil(arrays), kind="log-probabilities"))
    assert computed(tmp_path / "t", given)[1] == 0


def test_another_divergence_a_newer_format_and_foreign_folders_are_refused(tmp_path):
    given = predictions()
    computed(tmp_path / "t", given)
    with pytest.raises(infogeo.InputError, match="is about divergence"):
        infogeo.pairwise_divergence(given, infogeo.Hellinger(), directory=tmp_path / "t")
    recorded = json.loads((tmp_path / "t" / "plan.json").read_text())
    (tmp_path / "t" / "plan.json").write_text(json.dumps({**recorded, "format": 99}))
    with pytest.raises(infogeo.InputError, match="newer infogeo"):
        computed(tmp_path / "t", given)
    (tmp_path / "t" / "plan.json").write_text("{")
    with pytest.raises(infogeo.InputError, match=r"plan.json is damaged"):
        computed(tmp_path / "t", given)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    with pytest.raises(infogeo.InputError, match="holds something else than tiles"):
        computed(tmp_path / "mine", given)


@pytest.mark.parametrize("damage", ["truncated", "flipped bit", "gone"])
def test_a_damaged_tile_is_found_and_computed_again(tmp_path, damage):
    given = predictions()
    expected, _ = computed(tmp_path / "t", given)
    for path in sorted((tmp_path / "t" / "tiles").iterdir())[:2]:
        content = bytearray(path.read_bytes())
        content[-3] ^= 16
        path.unlink()
        if damage != "gone":
            path.write_bytes(content if damage == "flipped bit" else content[:-40])
    again, tiles = computed(tmp_path / "t", given)
    assert tiles == 2
    assert np.array_equal(again.values, expected.values)


def test_a_line_of_the_manifest_that_was_cut_off_counts_for_nothing(tmp_path):
    given = predictions()
    expected, _ = computed(tmp_path / "t", given)
    manifest = tmp_path / "t" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    again, tiles = computed(tmp_path / "t", given)
    assert tiles == 1
    assert np.array_equal(again.values, expected.values)
    assert computed(tmp_path / "t", given)[1] == 0


def test_a_second_process_is_told_who_holds_the_directory(tmp_path):
    given = predictions()
    with (
        directory.TileDirectory.opened(tmp_path / "t", given, DIVERGENCE),
        pytest.raises(infogeo.InputError, match=f"is in use by process {os.getpid()} on"),
    ):
        computed(tmp_path / "t", given)
    assert computed(tmp_path / "t", given)[1] == 6


def test_a_full_disk_keeps_what_was_finished(tmp_path, monkeypatch):
    given, written = predictions(), []
    fsync = os.fsync

    def full_soon(file):
        written.append(file)
        if len(written) > 8:  # the plan, the manifest, then two writes for each tile, by several threads
            raise OSError(28, "No space left on device")
        fsync(file)

    monkeypatch.setattr(os, "fsync", full_soon)
    with pytest.raises(infogeo.InputError, match="No space left on device.*run again to go on"):
        computed(tmp_path / "t", given)
    monkeypatch.setattr(os, "fsync", fsync)
    assert not list((tmp_path / "t").rglob("*.part"))
    kept = len((tmp_path / "t" / "manifest.jsonl").read_text().splitlines())
    assert 2 <= kept <= 4  # of what six writes are enough for, one thread may hold a tile that is not recorded yet
    matrix, tiles = computed(tmp_path / "t", given)
    assert tiles == 6 - kept
    assert np.array_equal(matrix.values, infogeo.pairwise_divergence(given, DIVERGENCE).values)


CHILD = """
import sys
import infogeo
from infogeo.pairwise import plan
from tests.pairwise.test_directory import DIVERGENCE, large
plan.TILE = 16
print("ready", flush=True)
infogeo.pairwise_divergence(large(), DIVERGENCE, directory=sys.argv[1])
"""


def large():
    return predictions(runs=20, checkpoints=12, samples=400, classes=10)


def killed_at_random(path, rng):
    """Compute in another process, killed at a random moment; how many tiles it had recorded."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    child.stdout.readline()
    manifest = path / "manifest.jsonl"
    while not (manifest.exists() and manifest.stat().st_size) and child.poll() is None:
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 0.2))
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    return len(manifest.read_text().splitlines())


@pytest.mark.parametrize("rounds", [5, pytest.param(50, marks=pytest.mark.full)])
def test_a_run_killed_at_random_moments_ends_bit_for_bit_the_same(tmp_path, rounds):
    rng = np.random.default_rng(1)
    given = large()
    expected, total = computed(tmp_path / "whole", given)
    partial = 0
    for kill in range(rounds):
        path = tmp_path / f"killed-{kill}"
        recorded = killed_at_random(path, rng)
        matrix, tiles = computed(path, given)
        assert tiles <= total - recorded + 1
        assert np.array_equal(matrix.values, expected.values)
        partial += 0 < recorded < total
    assert partial > 0, "no kill came in the middle"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda recorded: recorded.pop("blocks"), r"it lacks 'blocks'"),
        (lambda recorded: recorded.update({"sums of": "x"}), r"sums of 'x' samples"),
        (lambda recorded: recorded.update({"sums of": 3}), r"sums of 3 samples"),
        (lambda recorded: recorded.update({"blocks": [1]}), r"its blocks are no lists of points"),
        (
            lambda recorded: recorded.update({"blocks": [[["run-0", "0", "abc"]]]}),
            r"\['run-0', '0', 'abc'\] is no point",
        ),
        (lambda recorded: recorded.update({"format": None}), r"NoneType"),
    ],
)
def test_a_plan_that_was_tampered_with_is_said_to_be_damaged(tmp_path, spoil, message):
    computed(tmp_path / "t", predictions())
    recorded = json.loads((tmp_path / "t" / "plan.json").read_text())
    spoil(recorded)
    (tmp_path / "t" / "plan.json").write_text(json.dumps(recorded))
    with pytest.raises(infogeo.InputError, match=rf"plan.json is damaged \(.*{message}.*\); choose another place"):
        computed(tmp_path / "t", predictions())


def test_an_interrupt_stops_at_once_and_keeps_the_tiles_that_are_finished(tmp_path):
    given, total = predictions(), 6

    def interrupt(done, _):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="finished tiles are kept in .*, run again to go on"):
        infogeo.pairwise_divergence(given, DIVERGENCE, directory=tmp_path / "t", progress=interrupt)
    recorded = len((tmp_path / "t" / "manifest.jsonl").read_text().splitlines())
    assert recorded >= 3
    matrix, tiles = computed(tmp_path / "t", given)
    assert tiles == total - recorded
    assert np.array_equal(matrix.values, infogeo.pairwise_divergence(given, DIVERGENCE).values)


def test_strips_under_way_end_when_the_work_is_stopped(monkeypatch):
    """The first strip is done and others are in the middle of theirs: they end at the next block of samples."""
    given, blocks, at_failure = predictions(runs=20, checkpoints=8, samples=64 * 16), [], []
    monkeypatch.setattr(plan, "SAMPLES", 16)
    whole, diagonal = run.tile, run.diagonal_tile

    def counted(divergence, total, a, b):
        blocks.append(1)
        return whole(divergence, total, a=a, b=b)

    def counted_diagonal(divergence, total, a):
        blocks.append(1)
        return diagonal(divergence, total, a=a)

    def fail(done, total):
        at_failure.append(len(blocks))
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(run, "tile", counted)
    monkeypatch.setattr(run, "diagonal_tile", counted_diagonal)
    with pytest.raises(RuntimeError, match="on fire"):
        infogeo.pairwise_divergence(given, DIVERGENCE, progress=fail)
    # each worker may be between the look at the flag and its call; one more strip has been let in before the flag
    assert len(blocks) - at_failure[0] <= 4 * plan.workers_of_this_machine()
    assert len(blocks) < 64 * 10


@pytest.mark.parametrize("divergence", [infogeo.Bhattacharyya(), infogeo.Hellinger(), infogeo.SymmetricKL()])
def test_runs_that_predict_the_same_have_tiles_of_their_own(tmp_path, divergence):
    """A copy of a run, and a third one later: K(p, p) of one block must not be read as divergences of another."""
    a, c = random_log_probs(0, 3, 20, 3), random_log_probs(1, 2, 20, 3)
    for arrays in ({"a": a}, {"a": a, "b": a}, {"a": a, "b": a, "c": c}):
        given = infogeo.Predictions.from_arrays(arrays, kind="log-probabilities")
        found = infogeo.pairwise_divergence(given, divergence, directory=tmp_path / "t").values
        expected = infogeo.pairwise_divergence(given, divergence).values
        # the blocks differ, so that sums are rounded in another order
        assert np.abs(found - expected).max() <= 2 * divergence.rounding(3) * max(1, expected.max())


def test_a_place_that_was_left_before_a_plan_was_written_can_be_used(tmp_path):
    given = predictions()
    (tmp_path / "t" / "tiles").mkdir(parents=True)
    (tmp_path / "t" / "lock").write_text("process 1 on nowhere\n")
    (tmp_path / "t" / "plan.json.part").write_text("{")
    assert computed(tmp_path / "t", given)[1] == 6
    with pytest.raises(infogeo.InputError, match="no fingerprints"):
        computed(tmp_path / "other", replace(given, fingerprints=()))
    assert not (tmp_path / "other").exists()


def test_a_file_and_a_lock_that_is_a_directory_are_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(infogeo.InputError, match="is a file; tiles need a directory"):
        computed(tmp_path / "file", predictions())
    (tmp_path / "t" / "lock").mkdir(parents=True)
    with pytest.raises(infogeo.InputError, match="cannot be written"):
        computed(tmp_path / "t", predictions())


def test_points_that_cannot_be_told_apart_are_refused(tmp_path):
    given = predictions()
    twice = replace(given, points=given.points.with_columns(step=np.zeros(45, dtype=int)))
    with pytest.raises(infogeo.InputError, match="step 0 of run 'run-0' is no whole number, or is there twice"):
        computed(tmp_path / "t", twice)


def test_a_closed_directory_is_not_written_to(tmp_path):
    given = predictions()
    with directory.TileDirectory.opened(tmp_path / "t", given, DIVERGENCE) as tiles:
        pass
    before = (tmp_path / "t" / "plan.json").stat().st_mtime_ns
    tiles.write(directory.Tile(0, 0, np.zeros((16, 16)), 0, np.zeros(16)))
    assert not (tmp_path / "t" / "manifest.jsonl").read_text() if (tmp_path / "t" / "manifest.jsonl").exists() else True
    assert (0, 0) not in tiles
    assert (tmp_path / "t" / "plan.json").stat().st_mtime_ns == before
