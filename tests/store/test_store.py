"""A store gives back what was put in, and only what was committed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

import infogeo
from infogeo.core.coarse import same_merging
from infogeo.store import StoreWriter
from infogeo.store.chunks import PlainChunks
from infogeo.store.layout import chunk_shape
from tests.samples import log_softmax, random_log_probs, trajectories


@pytest.fixture
def store(tmp_path):
    infogeo.write_store(tmp_path / "s.zarr", trajectories())
    return tmp_path / "s.zarr"


def test_predictions_come_back_bit_for_bit(store):
    before, after = trajectories(), infogeo.load(store)
    assert np.array_equal(after.log_probs[:], before.log_probs[:])
    assert after.fingerprints == before.fingerprints
    assert after.labels.tolist() == before.labels.tolist()
    for name in ("run", "step", "arch", "lr"):
        assert after.points[name].tolist() == before.points[name].tolist()


def test_a_store_is_readable_by_plain_zarr(store):
    group = zarr.open_group(store, mode="r")
    assert group.attrs["infogeo"]["content"] == "log-probabilities, nats"
    run = group["runs/run-net-1"]
    assert run.attrs["metadata"] == {"arch": "mlp", "lr": 0.2}
    before = trajectories()
    assert np.array_equal(run["log_probs"][...], before.log_probs[before.points["run"] == "net-1"])


def test_checkpoints_without_their_commit_are_invisible(store):
    run = zarr.open_group(store, mode="r+")["runs/run-net-2"]
    run.attrs["finished"] = False
    run["fingerprint"][4:] = 0
    points = infogeo.load(store).points
    assert points["step"][points["run"] == "net-2"].tolist() == [0, 1, 2, 3]


def test_a_lost_chunk_is_an_error_that_names_the_run_and_not_a_number(store):
    (store / "runs/run-net-1/log_probs/c.3.0.0").unlink()
    with pytest.raises(infogeo.InputError, match=r"run 'net-1': step 3 is damaged, its numbers are not those"):
        infogeo.load(store)


def test_a_truncated_chunk_is_an_error_that_names_its_file(store):
    chunk = store / "runs/run-net-1/log_probs/c.3.0.0"
    chunk.write_bytes(chunk.read_bytes()[:-4])
    with pytest.raises(infogeo.InputError, match=r"c.3.0.0: is truncated; write this run again"):
        infogeo.load(store)


def test_lost_labels_are_an_error_and_not_zeros(store):
    (store / "labels/c.0").unlink()
    with pytest.raises(infogeo.InputError, match="is a damaged store .some of its labels are lost"):
        infogeo.load(store)


def test_numbers_that_are_not_those_that_were_written_are_refused(store):
    """The fingerprint stands for the checks that were made before writing, and for nothing else."""
    array = zarr.open_group(store, mode="r+")["runs/run-net-1/log_probs"]
    array[2, 5] = np.log([0.5, 0.25, 0.25])
    with pytest.raises(infogeo.InputError, match=r"run 'net-1': step 2 is damaged, .*; write this run again"):
        infogeo.load(store)


def test_a_read_that_the_system_cuts_short_goes_on(store, monkeypatch):
    expected = infogeo.load(store).log_probs
    opened = Path.open

    class Slow:
        """A file that gives 100 bytes at a time."""

        def __init__(self, file):
            self._file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def seek(self, at):
            self._file.seek(at)

        def readinto(self, target):
            return self._file.readinto(target[:100])

    def slowly(path, mode="r", buffering=-1, *rest, **options):
        file = opened(path, mode, buffering, *rest, **options)
        return Slow(file) if buffering == 0 else file

    monkeypatch.setattr(Path, "open", slowly)
    assert np.array_equal(infogeo.load(store).log_probs, expected)


@pytest.mark.parametrize("block", [np.s_[0:6, 0:30], np.s_[2:5, 3:17], np.s_[1:1, 0:4], np.s_[4:6, 29:30]])
@pytest.mark.parametrize("part", [30, 7])
def test_chunks_read_from_their_files_are_what_zarr_reads(tmp_path, block, part):
    values = random_log_probs(0, 6, 30, 4)
    options = {"shape": values.shape, "dtype": "f4", "chunks": (1, part, 4)}
    plain = zarr.create_array(tmp_path / "plain", compressors=None, **options)
    plain[...] = values
    read = PlainChunks.of(plain, tmp_path / "plain")
    assert read is not None
    assert np.array_equal(read[block], plain[block])
    compressed = zarr.create_array(tmp_path / "compressed", **options)
    assert PlainChunks.of(compressed, tmp_path / "compressed") is None


def test_a_store_that_somebody_compressed_is_read_all_the_same(store):
    group = zarr.open_group(store, mode="r+")["runs/run-net-1"]
    values = group["log_probs"][...]
    group.create_array("log_probs", data=values, chunks=(2, 10, 3), overwrite=True)
    assert np.array_equal(infogeo.load(store).log_probs[:], trajectories().log_probs[:])


def test_predictions_are_kept_only_where_memory_is_plenty(store):
    size = trajectories().log_probs[:].nbytes
    assert infogeo.load(store, memory=4 * size).bytes_in_memory == size
    lazy = infogeo.load(store, memory=4 * size - 1)
    assert lazy.bytes_in_memory == 0
    assert np.array_equal(lazy.log_probs[3:9, 2:11], trajectories().log_probs[3:9, 2:11])


def test_a_store_from_the_future_is_refused(store):
    meta = json.loads((store / "zarr.json").read_text())
    meta["attributes"]["infogeo"]["format"] = 99
    (store / "zarr.json").write_text(json.dumps(meta))
    with pytest.raises(infogeo.InputError, match="written by a newer infogeo"):
        infogeo.load(store)


def test_stores_of_format_1_are_read(tmp_path):
    """These had no hash nor number of samples, chunks in folders, and runs that were written whole."""
    given = trajectories(runs=1)
    group = zarr.create_group(tmp_path / "old", zarr_format=3)
    group.attrs["infogeo"] = {"format": 1, "content": "log-probabilities, nats", "classes": list("012"), "probe": "x"}
    run = group.create_group("runs/run-net-0", attributes={"run": "net-0", "metadata": {"arch": "conv"}})
    prints = np.array([list(bytes.fromhex(text)) for text in given.fingerprints], dtype=np.uint8)
    arrays = {"log_probs": given.log_probs[:], "step": given.points["step"].astype(np.int64), "fingerprint": prints}
    for name, values in arrays.items():
        chunks = (1, *values.shape[1:]) if name == "log_probs" else values.shape
        run.create_array(name, data=values, chunks=chunks, compressors=None)
    assert (tmp_path / "old/runs/run-net-0/log_probs/c/0/0/0").is_file()
    back = infogeo.load(tmp_path / "old")
    assert np.array_equal(back.log_probs, given.log_probs)
    assert back.n_samples == given.n_samples
    with pytest.raises(infogeo.InputError, match="run 'net-0': is finished"):
        infogeo.Recorder(tmp_path / "old", run="net-0", resume=True)


@pytest.mark.parametrize("name", ["a/b", "..", ".", "résumé 模型", "50%", "con:x?*", "__x", "模" * 300])
def test_run_names_may_be_anything(tmp_path, name):
    values = random_log_probs(0, 2, 5, 3)
    with StoreWriter.create(tmp_path / "s", 5, ["a", "b", "c"]) as writer:
        writer.write_run(name, [3, 9], values)
    back = infogeo.load(tmp_path / "s")
    assert back.points.runs == [name]
    assert back.points["step"].tolist() == [3, 9]
    assert back.label_space.names == ("a", "b", "c")


def test_one_chunk_holds_one_checkpoint_up_to_16_megabytes():
    assert chunk_shape(1000, 10) == (1, 1000, 10)
    assert chunk_shape(50_000, 1000) == (1, 4167, 1000)  # 12 parts, as few as 16 MiB allow, with 4 rows to spare


@given(n=st.integers(1, 10**6), c=st.integers(1, 10**7))
def test_parts_of_a_checkpoint_are_few_and_waste_less_than_a_row_each(n, c):
    _, samples, _ = chunk_shape(n, c)
    parts, most = -(-n // samples), max(1, 2**24 // (4 * c))
    assert samples <= most
    assert most * (parts - 1) < n
    assert parts * samples - n < parts


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    with (
        pytest.raises(infogeo.InputError, match="run 'a': is in the store already"),
        StoreWriter.create(tmp_path / "s", 5, ["a", "b", "c"]) as writer,
    ):
        writer.write_run("a", [0, 1], random_log_probs(0, 2, 5, 3))
        writer.write_run("a", [0, 1], random_log_probs(0, 2, 5, 3))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("steps", "values", "message"),
    [
        ([0], random_log_probs(0, 2, 5, 3), r"log_probs \(2, 5, 3\) with steps \(1,\)"),
        ([0, 1], random_log_probs(0, 2, 4, 3), r"expected \[T, 5, 3\]"),
        ([0, 0.5], random_log_probs(0, 2, 5, 3), "steps must be whole numbers, each once"),
        ([3, 3], random_log_probs(0, 2, 5, 3), "steps must be whole numbers, each once"),
        ([0, 1], np.zeros((2, 5, 3)), "does not exponentiate to a sum of 1"),
    ],
)
def test_a_run_that_does_not_fit_is_refused(tmp_path, steps, values, message):
    with (
        pytest.raises(infogeo.InputError, match=message),
        StoreWriter.create(tmp_path / "s", 5, ["a", "b", "c"]) as writer,
    ):
        writer.write_run("a", steps, values)


def test_stores_on_different_probe_sets_are_not_mixed(tmp_path):
    values = random_log_probs(0, 2, 5, 3)
    for name, probe, classes in [("s", "x", "abc"), ("t", "y", "abc"), ("u", "x", "acb")]:
        with StoreWriter.create(tmp_path / name, 5, list(classes), probe=probe) as writer:
            writer.write_run(name, [0, 1], values)
    with pytest.raises(infogeo.InputError, match="its probe set 'y' is not 'x'"):
        infogeo.load([tmp_path / "s", tmp_path / "t"])
    with pytest.raises(infogeo.InputError, match="its classes and those of .* have another order"):
        infogeo.load([tmp_path / "s", tmp_path / "u"])


def test_log_probabilities_in_double_precision_are_stored_as_float32(tmp_path):
    values = log_softmax(np.random.default_rng(0).normal(size=(2, 5, 3)))
    with StoreWriter.create(tmp_path / "s", 5, ["a", "b", "c"]) as writer:
        writer.write_run("a", [0, 1], values)
    assert np.abs(infogeo.load(tmp_path / "s").log_probs[:] - values).max() <= 10 * 2.0**-24


def test_merged_predictions_come_back_with_the_classes_that_were_kept(tmp_path):
    given = trajectories(classes=9)
    merged = infogeo.merge_classes(given, keep=3)
    infogeo.write_store(tmp_path / "s", merged)
    back = infogeo.load(tmp_path / "s")
    assert same_merging(back.coarse_graining, merged.coarse_graining)
    assert back.label_space == merged.label_space
    assert np.array_equal(back.labels, merged.labels)
    assert np.abs(back.log_probs - merged.log_probs).max() <= 2.0**-20  # rows whose sum had rounded are normalised
    assert np.array_equal(back.references().log_probs, merged.references().log_probs)
    np.save(tmp_path / "labels.npy", given.labels)
    assert np.array_equal(infogeo.load(tmp_path / "s", labels=tmp_path / "labels.npy").labels, merged.labels)


def test_stores_that_are_merged_differently_are_not_mixed(tmp_path):
    given = trajectories(classes=9)
    for name, keep in [("s", 3), ("t", infogeo.merge_classes(given, 3).coarse_graining)]:
        infogeo.write_store(tmp_path / name, infogeo.merge_classes(given, keep))
    assert infogeo.load([tmp_path / "s", tmp_path / "t"]).n_points == 48
    first = infogeo.CoarseGraining(np.tile([0, 1, 2], (30, 1)), given.label_space)
    infogeo.write_store(tmp_path / "u", infogeo.merge_classes(replace(given, labels=None), first))
    with pytest.raises(infogeo.InputError, match="u: has other classes merged than .*s; merge both alike"):
        infogeo.load([tmp_path / "s", tmp_path / "u"])
    zarr.open_array(tmp_path / "s" / "kept_classes")[0, 0] = 99
    with pytest.raises(infogeo.InputError, match="damaged store .its labels, sample ids or kept classes are not those"):
        infogeo.load(tmp_path / "s")
