"""Tiles, plans, and the matrix that comes out of them."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import infogeo
from infogeo.pairwise import plan, run
from infogeo.pairwise.storage import load_matrix, save_matrix
from infogeo.pairwise.tile import tile
from tests.reference import divergences as reference
from tests.samples import Lazy, random_log_probs, trajectories

BUDGET = 1e-6


def predictions(seed, *shape):
    array = random_log_probs(seed, *shape)
    return infogeo.Predictions.from_arrays({"run": array}, kind="log-probabilities")


@pytest.mark.parametrize("side", [16, 32, 48])
@pytest.mark.parametrize("samples", [16, 48])
@pytest.mark.parametrize("shape", [(2, 1, 3), (37, 53, 5), (50, 16, 4)])
def test_tiles_of_any_size_give_the_dense_result(monkeypatch, side, samples, shape):
    given = predictions(0, *shape)
    expected = reference.matrix(reference.bhattacharyya, given.log_probs)
    monkeypatch.setattr(plan, "TILE", side)
    monkeypatch.setattr(plan, "SAMPLES", samples)
    matrix = infogeo.pairwise_divergence(given, infogeo.Bhattacharyya())
    assert np.abs(matrix.to_numpy() - expected).max() <= BUDGET * max(1, expected.max())
    assert (matrix.values == matrix.values.T).all()


@pytest.mark.parametrize("divergence", [infogeo.Bhattacharyya(), infogeo.Hellinger(), infogeo.SymmetricKL()])
def test_a_rectangle_is_the_corner_of_the_square(monkeypatch, divergence):
    monkeypatch.setattr(plan, "TILE", 16)
    log_probs = random_log_probs(1, 43, 21, 4)
    both = infogeo.Predictions.from_arrays({"a": log_probs[:25], "b": log_probs[25:]}, kind="log-probabilities")
    first = infogeo.Predictions.from_arrays({"a": log_probs[:25]}, kind="log-probabilities")
    second = infogeo.Predictions.from_arrays({"b": log_probs[25:]}, kind="log-probabilities")
    square = infogeo.pairwise_divergence(both, divergence).to_numpy()
    corner = infogeo.pairwise_divergence(first, divergence, to=second)
    assert corner.shape == (25, 18)
    assert corner.columns is not None
    assert np.abs(corner.to_numpy() - square[:25, 25:]).max() <= BUDGET * max(1, square.max())


def test_one_shape_of_tile_is_traced_once(monkeypatch):
    monkeypatch.setattr(plan, "TILE", 16)
    given = predictions(2, 75, 300, 6)
    before = tile.compiled._cache_size()
    infogeo.pairwise_divergence(given, infogeo.Bhattacharyya())
    assert tile.compiled._cache_size() - before == 1


FOUR_DEVICES = """
import sys
import jax
import numpy as np
import infogeo
from infogeo.pairwise import plan
from tests.pairwise.test_pairwise import predictions
plan.TILE = 16
assert jax.local_device_count() == 4
matrix = infogeo.pairwise_divergence(predictions(8, 75, 300, 6), infogeo.Bhattacharyya())
np.save(sys.argv[1], matrix.values)
"""


def test_tiles_spread_over_four_devices_give_the_same_numbers(monkeypatch, tmp_path):
    monkeypatch.setattr(plan, "TILE", 16)
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    subprocess.run([sys.executable, "-c", FOUR_DEVICES, str(tmp_path / "d.npy")], env=environment, check=True)
    expected = infogeo.pairwise_divergence(predictions(8, 75, 300, 6), infogeo.Bhattacharyya()).values
    assert np.array_equal(np.load(tmp_path / "d.npy"), expected)


SIXTY_FOUR_BITS = """
import sys
import numpy as np
import infogeo
from tests.pairwise.test_pairwise import predictions
import jax
assert jax.config.jax_enable_x64
few, many = predictions(8, 30, 40, 6), predictions(8, 20, 6, 60)
found = [
    infogeo.pairwise_divergence(given, divergence).values
    for given in (few, many)
    for divergence in (infogeo.Bhattacharyya(), infogeo.Hellinger(), infogeo.SymmetricKL())
]
road = infogeo.Geodesic.between(few.log_probs[0], few.log_probs[1])
np.savez(sys.argv[1], *found, infogeo.progress_of(few, along=road).values)
"""


def test_a_program_that_runs_jax_in_64_bits_gets_the_same_numbers(tmp_path):
    """Other packages switch it on behind their users' backs."""
    numbers = []
    for wide in (True, False):
        code = SIXTY_FOUR_BITS if wide else SIXTY_FOUR_BITS.replace("assert jax", "assert not jax")
        environment = {**os.environ, "JAX_ENABLE_X64": str(int(wide))}
        path = tmp_path / f"{wide}.npz"
        subprocess.run([sys.executable, "-c", code, str(path)], env=environment, check=True)
        with np.load(path) as found:
            numbers.append([found[name] for name in found.files])
    for one, other in zip(*numbers, strict=True):
        # constants may be rounded elsewhere: as two float32 computations differ
        assert np.abs(one - other).max() <= 1e-6 * max(1.0, other.max())


def test_all_devices_are_given_tiles(monkeypatch):
    monkeypatch.setattr(plan, "TILE", 16)
    given, divergence, used = predictions(9, 64, 4, 3), infogeo.Bhattacharyya(), []
    engine = run._Engine.of(plan.plan_pairwise(given, divergence), given, divergence, None)
    monkeypatch.setattr(run.jax, "local_devices", lambda: ["first", "second"])
    monkeypatch.setattr(run._Engine, "_strip", lambda self, strip, held, device, *_: used.append(device) or 1)
    engine.compute(engine.plan.tiles, lambda made: None, lambda done: None)
    assert sorted(used) == ["first"] * 5 + ["second"] * 5


class Accelerator:
    """A device that knows how much memory it has, as accelerators do and CPUs do not."""

    def __init__(self, size):
        self.size = size

    def memory_stats(self):
        return {"bytes_limit": self.size}


def test_panels_fit_the_memory_of_an_accelerator(monkeypatch):
    monkeypatch.setattr(plan, "TILE", 16)
    given, divergence = predictions(9, 400, 40, 5), infogeo.Bhattacharyya()
    free = plan.plan_pairwise(given, divergence)
    panel = 4 * 16 * 48 * 5
    streams = free.workers * plan.STREAM * panel
    memory = (streams + 7.5 * panel) / plan.ACCELERATOR_SHARE
    monkeypatch.setattr(plan.jax, "local_devices", lambda: [Accelerator(memory)])
    assert plan.plan_pairwise(given, divergence).held == 7
    assert free.held == len(free.rows) == 25


def test_progress_counts_every_tile():
    seen = []
    infogeo.pairwise_divergence(
        predictions(3, 5, 4, 3), infogeo.Bhattacharyya(), progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(1, 1)]


@pytest.mark.parametrize("window", [1, pytest.param(16 * 5 * 4 * 100, marks=pytest.mark.full), 8 * 2**20])
def test_bounded_memory_gives_the_same_numbers(monkeypatch, window):
    monkeypatch.setattr(plan, "TILE", 16)
    monkeypatch.setattr(plan, "WINDOW_BYTES", window)
    monkeypatch.setattr(plan, "SAMPLES", 16)
    given = predictions(4, 70, 400, 5)
    expected = infogeo.pairwise_divergence(given, infogeo.Bhattacharyya()).values
    given = replace(given, log_probs=Lazy(given.log_probs))
    free = plan.plan_pairwise(given, infogeo.Bhattacharyya())
    seen = {}
    for memory in range(free.memory_bytes, 0, -free.memory_bytes // 99):
        try:
            bounded = plan.plan_pairwise(given, infogeo.Bhattacharyya(), memory=memory)
        except infogeo.InputError:
            break
        assert bounded.memory_bytes <= memory
        assert sorted(bounded.tiles) == sorted(free.tiles)
        seen[bounded.held] = bounded.bytes_read
        if bounded.held not in list(seen)[:-1]:
            same = infogeo.pairwise_divergence(given, infogeo.Bhattacharyya(), memory=memory).values
            assert np.array_equal(same, expected)
    assert set(seen) == {0, 1, 2, 3, 4, 5}
    assert seen[5] == 4 * 70 * 400 * 5
    assert [seen[held] for held in range(6)] == sorted(seen.values(), reverse=True)


@pytest.mark.parametrize("held", [0, 1, 2])
def test_a_bounded_rectangle_is_the_same_rectangle(monkeypatch, held):
    monkeypatch.setattr(plan, "TILE", 16)
    rows, columns = predictions(10, 37, 50, 4), predictions(11, 25, 50, 4)
    expected = infogeo.pairwise_divergence(rows, infogeo.Bhattacharyya(), to=columns).values
    planned = plan.plan_pairwise(rows, infogeo.Bhattacharyya(), columns)
    monkeypatch.setattr(run, "plan_pairwise", lambda *_: replace(planned, held=held))
    assert np.array_equal(infogeo.pairwise_divergence(rows, infogeo.Bhattacharyya(), to=columns).values, expected)


def test_too_little_memory_says_how_much_is_needed():
    with pytest.raises(infogeo.InputError, match=r"memory: 1000 bytes are not enough; this needs at least \d+"):
        infogeo.pairwise_divergence(predictions(5, 5, 4, 3), infogeo.Bhattacharyya(), memory=1000)


@pytest.mark.parametrize("shape", [(5, 4, 3), (600, 40, 3), (30, 40, 2000), (600, 40, 100)])
@pytest.mark.parametrize("reader", [lambda array: array, Lazy])
def test_the_least_memory_is_enough(shape, reader):
    given = predictions(5, *shape)
    given = replace(given, log_probs=reader(given.log_probs))
    with pytest.raises(infogeo.InputError) as refusal:
        plan.plan_pairwise(given, infogeo.Bhattacharyya(), memory=1)
    least = int(str(refusal.value).split("at least ")[1].split(",")[0])
    assert plan.plan_pairwise(given, infogeo.Bhattacharyya(), memory=least).memory_bytes == least
    with pytest.raises(infogeo.InputError, match="are not enough"):
        plan.plan_pairwise(given, infogeo.Bhattacharyya(), memory=least - 1)


def test_predictions_on_another_probe_set_are_refused():
    with pytest.raises(infogeo.InputError, match="same probe set"):
        infogeo.pairwise_divergence(predictions(6, 3, 4, 3), infogeo.Bhattacharyya(), to=predictions(6, 3, 5, 3))


def test_a_value_below_the_rounding_bound_is_an_error(monkeypatch):
    monkeypatch.setattr(run, "finished", lambda divergence, total: (np.eye(len(total[0])), np.zeros(total[0].shape)))
    with pytest.raises(ArithmeticError, match="below the rounding bound"):
        infogeo.pairwise_divergence(predictions(7, 3, 4, 3), infogeo.Bhattacharyya())


def test_the_input_is_left_as_it_was():
    given = trajectories()
    before = np.array(given.log_probs[:])
    infogeo.embed_predictions(given, infogeo.Bhattacharyya())
    assert np.array_equal(given.log_probs[:], before)


def good():
    return np.array([[0, 1, 4], [1, 0, 1], [4, 1, 0]], dtype=float)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d[:2], r"has shape \(2, 3\), expected \[P, P\]"),
        (lambda d: d[:1, :1], "P of at least 2"),
        (lambda d: d + np.diag([0, 1, 0]), r"entry \(1, 1\) = 1 is on the diagonal and not zero"),
        (lambda d: -d, r"entry \(0, 1\) = -1 is negative"),
        (lambda d: d + np.triu(d), r"entry \(0, 1\) = 2 differs from its mirror image"),
        (lambda d: np.where(d == 4, np.inf, d), r"entry \(0, 2\) is inf"),
        (lambda d: d.astype(str), "expected numbers"),
    ],
)
def test_a_matrix_that_is_no_divergence_is_refused(spoil, message):
    with pytest.raises(infogeo.InputError, match=message):
        infogeo.PairwiseMatrix.from_array(spoil(good()))


def test_a_given_matrix_keeps_its_values_and_gets_names():
    matrix = infogeo.PairwiseMatrix.from_array(good())
    assert np.array_equal(matrix.to_numpy(), good())
    assert matrix.points.runs == ["point-0", "point-1", "point-2"]


def test_a_matrix_comes_back_from_disk_bit_for_bit(tmp_path):
    matrix = infogeo.pairwise_divergence(trajectories(), infogeo.Bhattacharyya())
    save_matrix(tmp_path / "m.zarr", matrix)
    back = load_matrix(tmp_path / "m.zarr")
    assert np.array_equal(back.values, matrix.values)
    assert back.points["lr"].tolist() == matrix.points["lr"].tolist()
    assert (back.divergence, back.n_samples, back.fisher_factor) == ("Bhattacharyya", 30, 1 / 8)


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ({"ids": range(1, 31)}, "to: its probe samples are not those of predictions"),
        ({"name": "train"}, "to: its probe set"),
    ],
)
def test_predictions_on_samples_that_are_known_to_differ_are_not_compared(probe, said):
    given = replace(trajectories(), probe=infogeo.Probe(ids=range(30), name="test"))
    other = replace(given, probe=infogeo.Probe(**probe))
    with pytest.raises(infogeo.InputError, match=said):
        infogeo.pairwise_divergence(given, infogeo.Bhattacharyya(), to=other)
    known = infogeo.pairwise_divergence(given, infogeo.Bhattacharyya(), to=replace(given, probe=None))
    assert known.shape == (24, 24)
