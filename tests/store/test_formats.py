"""Every format gives the numbers that an .npy of the same numbers gives, and none of them runs code."""

import json
import pickle
import subprocess
import sys

import h5py
import hdf5plugin
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import safetensors.numpy
import zarr

import infogeo
from infogeo.store import loading
from tests.samples import log_softmax

T, N, C = 4, 12, 3


def probabilities(seed=0, dtype=np.float32):
    return np.exp(log_softmax(2 * np.random.default_rng(seed).normal(size=(T, N, C)))).astype(dtype)


def save_npy(path, runs):
    path.mkdir()
    for name, values in runs.items():
        np.save(path / f"{name}.npy", values)


def save_h5(path, runs):
    with h5py.File(path, "w") as file:
        for name, values in runs.items():
            file[name] = values


def save_pt(path, runs):
    torch = pytest.importorskip("torch")
    torch.save({name: torch.from_numpy(values) for name, values in runs.items()}, path)


def save_zarr(path, runs, zarr_format):
    group = zarr.create_group(path, zarr_format=zarr_format)
    for name, values in runs.items():
        group.create_array(name, data=values, chunks=(1, 5, C))


def rows_of(runs):
    return [
        (run, t, n, c, values[t, n, c].item())
        for run, values in runs.items()
        for t in range(T)
        for n in range(N)
        for c in range(C)
    ]


def save_csv(path, runs):
    write_csv(path, rows_of(runs))


def write_csv(path, rows, header="run,step,sample,class,p"):
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")


def save_parquet(path, runs):
    columns = list(zip(*rows_of(runs), strict=True))
    table = dict(zip(("run", "step", "sample", "class"), columns, strict=False))
    values = np.asarray(columns[4], dtype=next(iter(runs.values())).dtype)
    pyarrow.parquet.write_table(pyarrow.table({**table, "p": values}), path)


SAVED = {
    "x.h5": save_h5,
    "x.hdf5": save_h5,
    "x.safetensors": lambda path, runs: safetensors.numpy.save_file(runs, path),
    "x.pt": save_pt,
    "x.pth": save_pt,
    "x.csv": save_csv,
    "x.parquet": save_parquet,
    "x3.zarr": lambda path, runs: save_zarr(path, runs, 3),
    "x2.zarr": lambda path, runs: save_zarr(path, runs, 2),
}
RUNS = {"a": probabilities(0), "b": probabilities(1)}


def assert_same(found, expected):
    assert np.array_equal(found.log_probs[:], expected.log_probs[:])
    assert found.fingerprints == expected.fingerprints
    assert found.points["step"].tolist() == expected.points["step"].tolist()


@pytest.mark.parametrize("name", SAVED)
def test_every_format_gives_what_npy_gives_bit_for_bit(tmp_path, name):
    save_npy(tmp_path / "npy", RUNS)
    SAVED[name](tmp_path / name, RUNS)
    found = infogeo.load(tmp_path / name)
    assert_same(found, infogeo.load(tmp_path / "npy"))
    assert found.notes == ("read as probabilities: 2 arrays",)
    named = name.endswith((".csv", ".parquet", ".zarr"))
    assert found.points.runs == (["a", "b"] if named else ["x/a", "x/b"])


@pytest.mark.parametrize("name", SAVED)
def test_the_formats_are_found_in_folders(tmp_path, name):
    (tmp_path / "runs" / "deep").mkdir(parents=True)
    SAVED[name](tmp_path / "runs" / "deep" / name, RUNS)
    assert infogeo.load(tmp_path / "runs").n_points == 2 * T


@pytest.mark.parametrize("name", [name for name in SAVED if not name.endswith((".csv", ".parquet", ".zarr"))])
def test_the_only_array_of_a_file_is_named_after_the_file(tmp_path, name):
    SAVED[name](tmp_path / name, {"inner": RUNS["a"]})
    assert infogeo.load(tmp_path / name).points.runs == ["x"]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_zarr_array_alone_is_a_run_named_after_its_directory(tmp_path, zarr_format):
    zarr.create_array(tmp_path / "net.zarr", data=RUNS["a"], zarr_format=zarr_format)
    np.save(tmp_path / "net.npy", RUNS["a"])
    found = infogeo.load(tmp_path / "net.zarr")
    assert found.points.runs == ["net"]
    assert_same(found, infogeo.load(tmp_path / "net.npy"))


def test_datasets_of_two_axes_are_checkpoints_and_others_are_no_matter(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for step in (10, 2):
            file[f"net/epoch{step}"] = probabilities(step)[0]
        file["labels"] = np.arange(N) % C
        file["names"] = ["cat", "dog", "cow"]
    points = infogeo.load(tmp_path / "x.h5").points
    assert points["run"].tolist() == ["x/net", "x/net"]
    assert points["step"].tolist() == [2, 10]


def test_the_published_data_lz4_compressed_float16_rounded_to_5_decimals(tmp_path):
    rng = np.random.default_rng(0)
    sure = np.exp(log_softmax(6 * rng.normal(size=(T, 200, 10))))
    values = np.round(sure, 5).astype(np.float16)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("yh", data=values, chunks=(1, 200, 10), **hdf5plugin.LZ4())
    np.save(tmp_path / "x.npy", values)
    found = infogeo.load(tmp_path / "x.h5")
    assert_same(found, infogeo.load(tmp_path / "x.npy"))
    zeros = np.count_nonzero(values == 0)
    assert found.floored == zeros > 0
    assert found.notes == (
        "read as probabilities: 1 array",
        f"{zeros} probabilities of zero, or below e^-174, were raised to e^-174",
    )


def test_lz4_is_brought_by_the_package_that_knows_it(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("yh", data=RUNS["a"], chunks=(1, N, C), **hdf5plugin.LZ4())
    code = f"import infogeo; print(infogeo.load({str(tmp_path / 'x.h5')!r}).n_points)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(T)


def test_a_compression_that_nobody_knows_is_named(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("yh", data=RUNS["a"], chunks=(1, N, C), compression="gzip")
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda code: False)
    with pytest.raises(infogeo.InputError, match=r"x.h5, 'yh': is compressed by HDF5 filter 1, which is not there"):
        infogeo.load(tmp_path / "x.h5")


@pytest.mark.parametrize("name", ["x.h5", "x3.zarr", "x2.zarr"])
def test_large_files_are_read_block_by_block_and_never_whole(tmp_path, monkeypatch, name):
    SAVED[name](tmp_path / name, RUNS)
    whole = infogeo.load(tmp_path / name)
    monkeypatch.setattr(loading, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(loading, "BLOCK_BYTES", 4 * N * C)
    largest = []
    kinds = {"x.h5": h5py.Dataset}.get(name, zarr.Array)
    plain = kinds.__getitem__

    def watched(array, block):
        values = plain(array, block)
        largest.append(np.size(values))
        return values

    monkeypatch.setattr(kinds, "__getitem__", watched)
    monkeypatch.setattr("infogeo.core.checks.TYPICAL_CHECKPOINTS", 1)
    lazy = infogeo.load(tmp_path / name)
    assert not isinstance(lazy.log_probs, np.ndarray)
    assert np.array_equal(lazy.log_probs[2:7, 3:9], whole.log_probs[2:7, 3:9])
    assert lazy.fingerprints == whole.fingerprints
    assert largest
    assert max(largest) == N * C


def test_bfloat16_is_read_as_it_is_stored_in_safetensors_and_torch(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    tensor = torch.from_numpy(probabilities()).to(torch.bfloat16)
    np.save(tmp_path / "x.npy", tensor.float().numpy())
    expected = infogeo.load(tmp_path / "x.npy", kind="logits")
    save_file({"x": tensor}, tmp_path / "x.safetensors")
    torch.save(tensor, tmp_path / "x.pt")
    for name in ("x.safetensors", "x.pt"):
        assert_same(infogeo.load(tmp_path / name, kind="logits"), expected)
        found = infogeo.load(tmp_path / name)
        assert found.notes == ("read as probabilities: 1 array",)
        # every number, and so their sum of one, is off by 2^-8 of its size at most; the sum of C float32 by C 2^-24
        assert 0 < found.correction <= (1 + C * 2.0**-24) * (1 + 2.0**-8) - 1


@pytest.mark.parametrize("content", ["tensor", "list", "nested", "legacy", "strided"])
def test_tensors_may_lie_in_lists_and_dictionaries(tmp_path, content):
    torch = pytest.importorskip("torch")
    a, b = (torch.from_numpy(values) for values in RUNS.values())
    saved, names = {
        "tensor": (a, ["x"]),
        "list": ([a, b], ["x/0", "x/1"]),
        "nested": ({"net": {"a": a}, "b": b}, ["x/b", "x/net/a"]),
        "legacy": ({"a": a, "b": b}, ["x/a", "x/b"]),
        "strided": (a.permute(2, 0, 1).contiguous().permute(1, 2, 0), ["x"]),
    }[content]
    torch.save(saved, tmp_path / "x.pt", _use_new_zipfile_serialization=content != "legacy")
    found = infogeo.load(tmp_path / "x.pt")
    assert found.points.runs == names
    np.save(tmp_path / "x.npy", RUNS["a"])
    rows = {"list": "x/0", "nested": "x/net/a", "legacy": "x/a"}.get(content, "x")
    assert np.array_equal(found.log_probs[found.points.of_run(rows)], infogeo.load(tmp_path / "x.npy").log_probs)


class Bomb:
    """Makes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("form", ["zip", "legacy", "bare pickle", "inside a dictionary"])
def test_a_torch_file_that_would_run_code_is_refused_and_does_not_run(tmp_path, form):
    torch = pytest.importorskip("torch")
    mark, path = tmp_path / "exploded", tmp_path / "x.pt"
    if form == "bare pickle":
        path.write_bytes(pickle.dumps(Bomb(mark)))
    else:
        content = {"a": torch.zeros(2, 3, 2), "b": Bomb(mark)} if form == "inside a dictionary" else Bomb(mark)
        torch.save(content, path, _use_new_zipfile_serialization=form != "legacy")
    with pytest.raises(infogeo.InputError, match=r"x\.pt: .*pickle, which can run code and is never opened"):
        infogeo.load(path)
    assert not mark.exists()


def test_the_bomb_of_these_tests_is_one(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "exploded"))).close()
    assert (tmp_path / "exploded").exists()


@pytest.mark.parametrize("spelling", ["pickle", "\\u0070ickle"])
def test_a_zarr_array_whose_codec_is_pickle_is_refused_and_does_not_run(tmp_path, spelling):
    mark, path = tmp_path / "exploded", tmp_path / "x.zarr"
    path.mkdir()
    facts = {"zarr_format": 2, "shape": [2, N, C], "chunks": [2, N, C], "dtype": "<f4", "order": "C", "fill_value": 0.0}
    text = json.dumps({**facts, "compressor": None, "filters": [{"id": "CODEC"}]}).replace("CODEC", spelling)
    (path / ".zarray").write_text(text)
    (path / "0.0.0").write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(infogeo.InputError, match=r"x\.zarr: needs pickle, which can run code and is never opened"):
        infogeo.load(path)
    assert not mark.exists()


def test_a_pytorch_in_which_files_could_run_code_is_not_used(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    save_pt(tmp_path / "x.pt", RUNS)
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(infogeo.InputError, match=r"x.pt: PyTorch 2.5.1\+cpu may run code .*; update it to 2.6"):
        infogeo.load(tmp_path / "x.pt")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("name", ["x.h5", "x.safetensors", "x.pt", "x.parquet"])
def test_truncated_files_are_one_line_that_names_the_file(tmp_path, name, keep):
    SAVED[name](tmp_path / name, RUNS)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(infogeo.InputError, match=f"{name}: .*damaged") as refusal:
        infogeo.load(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_a_damaged_chunk_is_an_error_that_names_the_array(tmp_path):
    zarr.create_array(tmp_path / "x.zarr", data=RUNS["a"], chunks=(1, N, C))
    chunk = next(path for path in (tmp_path / "x.zarr" / "c").rglob("*") if path.is_file())
    chunk.write_bytes(b"no zstd")
    with pytest.raises(infogeo.InputError, match=r"x.zarr: is truncated or damaged"):
        infogeo.load(tmp_path / "x.zarr")


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("x.h5", "h5py", "h5"),
        ("x.safetensors", "safetensors", "safetensors"),
        ("x.parquet", "pyarrow", "parquet"),
        ("x.pt", "torch", "torch"),
    ],
)
def test_a_missing_package_is_an_error_that_names_the_extra(tmp_path, monkeypatch, name, package, extra):
    (tmp_path / name).write_bytes(b"something")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs the package '{package}': pip install 'infogeo\[{extra}\]'"):
        infogeo.load(tmp_path / name)


def test_lz4_without_its_package_names_the_extra(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("yh", data=RUNS["a"], chunks=(1, N, C), **hdf5plugin.LZ4())
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda code: False)
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    with pytest.raises(ImportError, match=r"needs the package 'hdf5plugin': pip install 'infogeo\[h5\]'"):
        infogeo.load(tmp_path / "x.h5")


def test_the_store_loads_without_the_packages_of_the_formats():
    heavy = ("h5py", "hdf5plugin", "torch", "safetensors", "pyarrow", "jax", "pandas")
    code = f"import infogeo.store, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_missing_and_a_double_row_are_named(tmp_path, form):
    rows = rows_of(RUNS)
    at = rows.index(next(row for row in rows if row[:4] == ("b", 2, 7, 1)))
    for case, changed in (("no row", rows[:at] + rows[at + 1 :]), ("two rows", [*rows, rows[at]])):
        path = tmp_path / f"x.{form}"
        if form == "csv":
            write_csv(path, changed)
        else:
            names = ("run", "step", "sample", "class", "p")
            pyarrow.parquet.write_table(pyarrow.table(dict(zip(names, zip(*changed, strict=True), strict=True))), path)
        message = rf"x.{form}: run 'b' has {case} for step 2, sample 7, class 1; every step"
        with pytest.raises(infogeo.InputError, match=message):
            infogeo.load(path)


def test_the_last_row_missing_or_double_is_named_too(tmp_path):
    rows = rows_of({"a": RUNS["a"]})
    for case, changed in (("no row", rows[:-1]), ("two rows", [*rows, rows[-1]])):
        write_csv(tmp_path / "x.csv", changed)
        with pytest.raises(infogeo.InputError, match=f"has {case} for step 3, sample 11, class 2"):
            infogeo.load(tmp_path / "x.csv")


def test_rows_of_a_table_may_come_in_any_order(tmp_path):
    rows = rows_of(RUNS)
    write_csv(tmp_path / "x.csv", [rows[i] for i in np.random.default_rng(0).permutation(len(rows))])
    save_npy(tmp_path / "npy", RUNS)
    assert_same(infogeo.load(tmp_path / "x.csv"), infogeo.load(tmp_path / "npy"))


def test_numbers_order_as_numbers_and_names_as_names(tmp_path):
    names = {0: "cat", 1: "ant", 2: "bee"}
    write_csv(tmp_path / "x.csv", [(r, 10 * t, f"s{n}", names[c], p) for r, t, n, c, p in rows_of({"a": RUNS["a"]})])
    found = infogeo.load(tmp_path / "x.csv", labels=["cat"] * N)
    assert found.points["step"].tolist() == [0, 10, 20, 30]
    assert found.label_space.names == ("ant", "bee", "cat")
    assert found.labels.tolist() == [2] * N
    by_text = sorted(range(N), key=lambda n: f"s{n}")
    np.save(tmp_path / "x.npy", RUNS["a"][:, by_text][..., [1, 2, 0]])
    assert np.array_equal(found.log_probs, infogeo.load(tmp_path / "x.npy").log_probs)
    assert found.probe.ids.tolist() == [f"s{n}" for n in by_text]


def test_a_table_without_runs_is_one_run_named_after_the_file(tmp_path):
    rows = [row[1:] for row in rows_of({"a": RUNS["a"]})]
    write_csv(tmp_path / "net.csv", rows, "Step,Sample,Class,Prob")
    assert infogeo.load(tmp_path / "net.csv").points.runs == ["net"]


@pytest.mark.parametrize(("column", "kind"), [("logp", "log-probabilities"), ("log_p", "log-probabilities")])
def test_the_name_of_the_column_says_what_its_numbers_are(tmp_path, column, kind):
    logs = log_softmax(np.log(RUNS["a"]))
    write_csv(tmp_path / "x.csv", rows_of({"a": logs}), f"run,step,sample,class,{column}")
    assert infogeo.load(tmp_path / "x.csv").notes == (f"read as {kind}: 1 array",)
    write_csv(tmp_path / "x.csv", rows_of({"a": logs}), "run,step,sample,class,logit")
    assert infogeo.load(tmp_path / "x.csv").notes == ("read as logits: 1 array",)


def test_other_tables_in_a_folder_are_left_alone(tmp_path):
    np.save(tmp_path / "a.npy", RUNS["a"])
    (tmp_path / "labels.csv").write_text("\n".join(map(str, range(N))))
    (tmp_path / "meta.csv").write_text("run,lr\na,1\n")
    (tmp_path / "latin.csv").write_bytes(b"caf\xe9,th\xe9\n1,2\n")
    (tmp_path / "empty.csv").write_text("")
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a"]}), tmp_path / "corpus.parquet")
    assert infogeo.load(tmp_path, meta=tmp_path / "meta.csv").points.runs == ["a"]


def test_networks_beside_predictions_are_left_out_and_named(tmp_path):
    torch = pytest.importorskip("torch")
    np.save(tmp_path / "a.npy", RUNS["a"])
    torch.save({"weight": torch.zeros(7, 5)}, tmp_path / "model.pt")
    found = infogeo.load(tmp_path)
    assert found.points.runs == ["a"]
    assert found.notes[-1] == (
        f"{tmp_path}: 1 file left out that may hold networks (model.pt); give them by name to read them"
    )


def test_the_matrix_of_an_earlier_map_in_a_folder_is_no_prediction(tmp_path):
    np.save(tmp_path / "a.npy", RUNS["a"])
    infogeo.PairwiseMatrix.from_array(1 - np.eye(N)).save(tmp_path / "map" / "divergence.zarr")
    assert infogeo.load(tmp_path).points.runs == ["a"]


def test_tables_on_other_samples_are_not_mixed(tmp_path):
    for name, letter in (("x", "s"), ("y", "t")):
        rows = [(name, t, f"{letter}{n}", c, p) for _, t, n, c, p in rows_of({"a": RUNS["a"]})]
        write_csv(tmp_path / f"{name}.csv", rows)
    with pytest.raises(infogeo.InputError, match=r"its probe samples are not those of .*x\.csv"):
        infogeo.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run,step,sample,p\na,0,0,1\n", "has no column 'class'; a table of predictions has the columns"),
        ("run,step,sample,class\na,0,0,1\n", "has no column 'p'"),
        ("step,sample,class,p,logit\n0,0,0,1,0\n", "has columns p, logit; "),
        ("step,sample,class,p\n", "holds no rows"),
        ("step,sample,class,p\n0,0,0,0.5\n0,0,1\n", "line 3 has too few cells"),
        ("step,sample,class,p\n0,0,0,half\n", "line 2: 'half' is no number"),
        ("step,sample,class,p\nlate,0,0,1\n", "step 'late' is no whole number"),
        ("step,sample,class,p\n99999999999999999999,0,0,1\n", "is no whole number"),
        ("step,sample,class,p\n0,0,0,1\n", "has one class"),
        ("", "has no column 'step'"),
    ],
)
def test_a_table_that_is_none_is_one_clear_line(tmp_path, text, message):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(infogeo.InputError, match=message):
        infogeo.load(tmp_path / "x.csv")


def test_an_empty_cell_of_parquet_is_an_error(tmp_path):
    columns = {"step": [0, 0], "sample": [0, None], "class": [0, 1], "p": [0.5, 0.5]}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "x.parquet")
    with pytest.raises(infogeo.InputError, match="has an empty cell in column 'sample'"):
        infogeo.load(tmp_path / "x.parquet")


def test_categories_that_no_row_uses_are_no_classes(tmp_path):
    classes = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0, 2] * 2), ["a", "b", "c"])
    columns = {"step": [0] * 4, "sample": [0, 0, 1, 1], "class": classes, "p": [0.25, 0.75] * 2}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "x.parquet")
    assert infogeo.load(tmp_path / "x.parquet").label_space.names == ("a", "c")


def test_files_that_hold_something_else_say_what(tmp_path):
    torch = pytest.importorskip("torch")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["labels"] = np.arange(3)
    torch.save({"epoch": 3}, tmp_path / "x.pt")
    torch.save({}, tmp_path / "y.pt")
    torch.save(torch.eye(3).to(torch.float8_e4m3fn), tmp_path / "z.pt")
    safetensors.numpy.save_file({"labels": np.arange(3)}, tmp_path / "x.safetensors")
    messages = {
        "x.h5": "holds no dataset",
        "x.pt": "'epoch': is of type int, expected a tensor",
        "y.pt": "holds no tensor",
        "z.pt": "expected plain floats or integers",
        "x.safetensors": "has 1 dimension, .* if these are labels",
    }
    for name, message in messages.items():
        with pytest.raises(infogeo.InputError, match=message):
            infogeo.load(tmp_path / name)
