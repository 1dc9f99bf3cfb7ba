import json
import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infogeo import report
from infogeo.core import output
from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.embed import Projection, inpca
from infogeo.nulls import GeodesicNull
from infogeo.pairwise import PairwiseMatrix
from infogeo.report.payload import plain


def data_of(path: Path) -> dict:
    text = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1))


def without_plotly(text: str) -> str:
    start = text.index("* plotly.js v")
    return text[:start] + text[text.index("</script>", start) :]


@pytest.fixture(scope="module")
def full(sample, tmp_path_factory) -> Path:
    provenance = {
        "command": "infogeo embed",
        "inputs": [f"file-{i}" for i in range(30)],
        "n": np.int64(3),
        "bad": np.nan,
    }
    return report.write(
        tmp_path_factory.mktemp("report") / "report.html",
        sample.embedding,
        matrix=sample.matrix,
        references=sample.references,
        projected=sample.projected,
        null=sample.null,
        provenance=provenance,
    )


def test_plotly_is_in_the_page_once_and_nothing_is_loaded(full):
    text = full.read_text(encoding="utf-8")
    assert text.count("* plotly.js v") == 1
    assert not re.search(r"(src|href)\s*=\s*[\"']", without_plotly(text))
    assert not re.search(r"https?://|@import|url\(", without_plotly(text))
    assert "default-src 'none'" in text


def test_the_page_says_the_numbers_in_words(full, sample):
    text = full.read_text(encoding="utf-8")
    share = f"{100 * sample.embedding.explained_stress[2]:.1f} %"
    for words in ("4 runs", "50 probe samples", share, "Bhattacharyya", "1/8 ds²", "is time-like"):
        assert words in text.replace("are time-like", "is time-like")
    assert "they still explain" in text


def test_coordinates_are_in_the_page_as_float32(full, sample):
    data = data_of(full)
    raw = np.frombuffer(b64decode(data["coords"]["bdata"]), dtype="<f4").reshape(-1, 5)
    expected = np.concatenate([sample.embedding.coords, sample.projected.coords])
    np.testing.assert_array_equal(raw, expected.astype(np.float32))
    assert (data["fitted"], data["total"]) == (24, 30)


def test_spectrum_and_null_are_in_the_page_in_full(full, sample):
    spectrum = data_of(full)["spectrum"]
    assert spectrum["eigenvalue"] == sample.embedding.eigenvalues.tolist()
    assert spectrum["null_mean"] == sample.null.null_mean.tolist()


def test_a_null_without_chance_has_no_p_value(sample, tmp_path):
    null = replace(sample.null, model=GeodesicNull(), replicates=sample.null.replicates[:1])
    data = data_of(report.write(tmp_path / "r.html", sample.embedding, null=null))
    assert data["spectrum"]["null_p_value"] == [None] * 5


def test_long_lists_of_the_provenance_are_folded(full):
    text = full.read_text(encoding="utf-8")
    assert "<summary>30 entries</summary>" in text
    assert "<li>file-29</li>" in text
    assert data_of(full)["provenance"]["n"] == 3
    assert data_of(full)["provenance"]["bad"] == "nan"


def test_hostile_names_stay_inside_the_data(sample, tmp_path):
    hostile = "</script><script>window.pwned=1</script><!--"
    points = sample.embedding.points
    points = points.with_columns(run=np.where(points["run"] == "run/a0", hostile, points["run"]))
    path = report.write(tmp_path / "r.html", replace(sample.embedding, points=points), provenance={hostile: hostile})
    text = path.read_text(encoding="utf-8")
    assert "window.pwned=1</script>" not in text
    assert hostile in data_of(path)["columns"][0]["levels"]


def test_an_eigensolver_that_did_not_converge_is_a_visible_warning(sample, tmp_path):
    good = report.write(tmp_path / "good.html", sample.embedding).read_text(encoding="utf-8")
    bad = report.write(tmp_path / "bad.html", replace(sample.embedding, converged=False)).read_text(encoding="utf-8")
    warning = "The eigensolver did not converge"
    assert (bad.count(warning), good.count(warning)) == (1, 0)
    share = f"{sample.embedding.residual / sample.embedding.norm:.1g} of the norm of the matrix"
    assert f"converged, largest residual {share}" in good
    assert f"did not converge, largest residual {share}" in bad


def test_ten_thousand_points_stay_under_12_megabytes(sample, tmp_path):
    runs, steps, k = 200, 50, 10
    rng = np.random.default_rng(0)
    points = Points.of_runs(
        [f"architecture-{i % 4}/optimiser-{i % 3}/run-{i}" for i in range(runs)],
        [np.arange(steps)] * runs,
        [{"architecture": f"a{i % 4}", "rate": float(rng.random())} for i in range(runs)],
    ).with_columns(accuracy=rng.random(runs * steps), loss=rng.random(runs * steps) + 0.1)
    large = replace(
        sample.embedding,
        points=points,
        coords=rng.normal(size=(runs * steps, k)),
        eigenvalues=np.geomspace(100, 1, k),
        signature=np.ones(k, dtype=np.int64),
        explained_stress=np.linspace(0.5, 0.9, k),
        column_means=np.ones(runs * steps),
        norm=300.0,
    )
    values = np.broadcast_to(rng.random(runs * steps), (runs * steps, runs * steps))
    path = report.write(tmp_path / "large.html", large, matrix=PairwiseMatrix(values, points))
    assert path.stat().st_size < 12e6


@pytest.mark.parametrize("k", [1, 2])
def test_few_components_make_a_page(sample, tmp_path, k):
    path = report.write(tmp_path / "few.html", inpca(sample.matrix, k))
    assert len(data_of(path)["axes"]) == k


def test_two_points_make_a_page(tmp_path):
    matrix = PairwiseMatrix.from_array([[0, 1], [1, 0]])
    path = report.write(tmp_path / "two.html", inpca(matrix), matrix=matrix)
    assert data_of(path)["total"] == 2


def test_a_page_that_exists_is_kept_unless_told_otherwise(sample, tmp_path):
    path = tmp_path / "r.html"
    path.write_text("mine")
    with pytest.raises(InputError, match="overwrite"):
        report.write(path, sample.embedding)
    assert path.read_text() == "mine"
    assert report.write(path, sample.embedding, overwrite=True) == path
    assert path.stat().st_size > 1e6


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_a_failure_midway_leaves_nothing_new(sample, tmp_path, monkeypatch, failure):
    path = tmp_path / "r.html"
    path.write_text("before")

    def fail(source, target):
        raise failure

    monkeypatch.setattr(output.os, "replace", fail)
    with pytest.raises(failure):
        report.write(path, sample.embedding, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]
    assert path.read_text() == "before"


def test_paths_that_cannot_be_written_are_refused(sample, tmp_path):
    with pytest.raises(InputError, match=r"\.html"):
        report.write(tmp_path / "r.txt", sample.embedding)
    with pytest.raises(InputError, match="make it first"):
        report.write(tmp_path / "nowhere" / "r.html", sample.embedding)


def test_records_that_disagree_are_refused(sample, tmp_path):
    with pytest.raises(InputError, match="matrix: 2 rows"):
        report.write(tmp_path / "r.html", sample.embedding, matrix=PairwiseMatrix.from_array([[0, 1], [1, 0]]))
    short = Projection(sample.references.points, sample.references.coords[:, :2])
    with pytest.raises(InputError, match="references"):
        report.write(tmp_path / "r.html", sample.embedding, references=short)
    assert list(tmp_path.iterdir()) == []


def test_the_records_are_left_as_they_were(sample, tmp_path):
    before = sample.embedding.coords.copy(), list(sample.embedding.points.columns)
    report.write(tmp_path / "r.html", sample.embedding, matrix=sample.matrix, projected=sample.projected)
    np.testing.assert_array_equal(sample.embedding.coords, before[0])
    assert list(sample.embedding.points.columns) == before[1]


def test_values_become_plain_json():
    given = {"a": np.float32(0.5), 1: (np.arange(2), None, True, np.inf), "p": Path("x")}
    assert plain(given) == {"a": 0.5, "1": [[0, 1], None, True, "inf"], "p": "x"}
