"""The page on the layout tells the truth: its ten lines read a store without infogeo."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import infogeo
from tests.store.training import PROBE, predicted

PAGE = Path(__file__).parents[2] / "docs" / "store.md"


def test_the_lines_of_the_page_read_a_store_without_infogeo(tmp_path):
    recorder = infogeo.Recorder(tmp_path / "runs.zarr", run="still/going", probe=PROBE, meta={"arch": "mlp"})
    for step in (0, 3, 7):
        recorder.log(step, predicted(step))
    recorder.flush()
    with infogeo.Recorder(tmp_path / "runs.zarr", run="done", probe=PROBE) as finished:
        finished.log(1, predicted(1))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert "infogeo" not in code.replace('attrs["infogeo"]', "")
    out = (
        "import numpy, sys; assert 'infogeo' not in sys.modules\n"
        "numpy.savez('found.npz', labels=labels, classes=classes, names=list(runs), meta=str(runs['still/going'][2]), "
        "**{f'{k}{i}': v[k] for i, v in enumerate(runs.values()) for k in (0, 1)})"
    ).replace("f'{k}{i}'", "'steps values'.split()[k] + str(i)")
    subprocess.run([sys.executable, "-c", code + out], cwd=tmp_path, check=True)
    recorder.close()
    with np.load(tmp_path / "found.npz") as found:
        assert sorted(found["names"].tolist()) == ["done", "still/going"]
        at = found["names"].tolist().index("still/going")
        assert found[f"steps{at}"].tolist() == [0, 3, 7]
        assert np.array_equal(found[f"values{at}"], [predicted(step) for step in (0, 3, 7)])
        assert found["labels"].tolist() == list(PROBE.labels)
        assert found["classes"].tolist() == list("01234")
        assert str(found["meta"]) == "{'arch': 'mlp'}"


@pytest.mark.parametrize("name", ["format", "content", "classes", "probe", "samples", "n_samples", "checksum"])
def test_every_fact_of_a_store_is_on_the_page(tmp_path, name):
    with infogeo.Recorder(tmp_path / "s", run="a") as recorder:
        recorder.log(0, predicted(0))
    import zarr

    facts = dict(zarr.open_group(tmp_path / "s", mode="r").attrs["infogeo"])
    assert set(facts) == {"format", "content", "classes", "probe", "samples", "n_samples", "checksum"}
    assert f"`{name}`" in PAGE.read_text()


def test_checksums_are_what_the_page_says(tmp_path):
    from hashlib import blake2b

    with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE) as recorder:
        for step in (2, 5):
            recorder.log(step, predicted(step))
    import zarr

    store = zarr.open_group(tmp_path / "s", mode="r")
    run, facts = store["runs/run-a"], store.attrs["infogeo"]
    rows = zip(run["step"][...].tolist(), run["fingerprint"][...], strict=True)
    content = b"".join(step.to_bytes(8, "little") + row.tobytes() for step, row in rows)
    assert run.attrs["checksum"] == blake2b(content, digest_size=16).hexdigest()
    assert run.attrs["checkpoints"] == 2
    found = blake2b(f"{facts['n_samples']} {facts['samples']}".encode(), digest_size=16)
    for name in ("labels", "sample_ids"):
        found.update(f" {name} {store[name].shape} ".encode() + store[name][...].astype("<i8").tobytes())
    assert facts["checksum"] == found.hexdigest()
