import json
import re
from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest

from infogeo import report
from infogeo.core.errors import InputError
from infogeo.embed import explained_distance, explained_distance_l1, inpca, residuals
from infogeo.nulls import GeodesicNull
from infogeo.pairwise import PairwiseMatrix
from infogeo.report import fit as fit_module
from infogeo.report.fit import fit_of, fit_words, percent_with_error
from infogeo.report.payload import payload
from infogeo.report.records import MapRecords


def records_of(sample, **changes) -> MapRecords:
    given = {"matrix": sample.matrix, "null": sample.null, "errors": sample.errors, **changes}
    return MapRecords(given.pop("embedding", sample.embedding), **given)


def rows_of(sample, **changes) -> dict[str, tuple[str, ...]]:
    records = records_of(sample, **changes)
    return {name.replace("\u00a0", " "): cells for name, *cells in fit_words(fit_of(records), records).table.rows}


def text_of(sample, folder, **changes) -> str:
    records = {"matrix": sample.matrix, "null": sample.null, "errors": sample.errors, **changes}
    path = report.write(folder / "r.html", records.pop("embedding", sample.embedding), **records)
    text = path.read_text(encoding="utf-8")
    start = text.index('<section aria-labelledby="h-fit">')
    return text[start : text.index("</section>", start)].replace("\u00a0", " ")


def percent(values) -> list[str]:
    return [f"{100 * value:.1f}\u00a0%" for value in values]


def test_the_table_has_stress_interval_null_and_explained_divergences(sample):
    rows, embedding = rows_of(sample), sample.embedding
    assert list(rows["explained stress"]) == percent(embedding.explained_stress[:3])
    low, high = sample.errors.stress_interval()
    assert rows["95 % interval"][2] == f"{100 * low[2]:.2f} to {100 * high[2]:.2f}\u00a0%"
    assert list(rows["explained stress under the null"]) == percent(sample.null.null_mean[:3])
    assert rows["unexplained, relative to the null"][1] == f"{sample.null.effect[1]:.2f}"
    assert rows["p"][0] == f"{sample.null.p_value[0]:.2g}"
    assert list(rows["verdict"]) == [sample.null.verdict(k).name for k in (1, 2, 3)]
    assert list(rows["divergences explained, by root mean square"]) == percent(explained_distance(embedding)[:3])
    assert list(rows["divergences explained, by mean"]) == percent(explained_distance_l1(sample.matrix, embedding)[:3])


def test_the_part_held_against_the_null_has_a_row_where_its_stress_is_another(sample):
    part = replace(sample.null, statistic=sample.null.statistic - 0.02, n_points=1200, n_samples=80)
    name = "explained stress of 1,200 checkpoints on 80 samples"
    assert name not in rows_of(sample)
    rows = rows_of(sample, null=part)
    assert list(rows[name]) == percent(part.statistic[:3])
    assert list(rows["explained stress of these under the null"]) == percent(part.null_mean[:3])


def test_without_null_errors_and_matrix_what_the_map_itself_tells_is_left(sample):
    rows = rows_of(sample, matrix=None, null=None, errors=None)
    assert list(rows) == ["explained stress", "divergences explained, by root mean square"]
    records = MapRecords(sample.embedding)
    assert fit_words(fit_of(records), records).sentences == ()


def test_a_null_that_knows_fewer_axes_leaves_gaps(sample):
    short = replace(sample.null, statistic=sample.null.statistic[:2], replicates=sample.null.replicates[:, :2])
    assert rows_of(sample, null=short)["verdict"][2] == "–"


def test_a_null_without_chance_has_no_p_value(sample):
    null = replace(sample.null, model=GeodesicNull(), replicates=sample.null.replicates[:1])
    assert list(rows_of(sample, null=null)["p"]) == ["–"] * 3


@pytest.mark.parametrize("k", [1, 2])
def test_maps_of_few_axes_have_as_many_columns(sample, k):
    embedding = inpca(sample.matrix, k)
    records = records_of(sample, embedding=embedding, null=None, errors=None)
    assert len(fit_words(fit_of(records), records).table.heads) == 1 + k


def test_the_page_names_runs_and_axes(sample, tmp_path):
    text = text_of(sample, tmp_path)
    assert residuals(sample.matrix, sample.embedding).sentence().split(":")[0] in text
    assert re.search(r"eigenvalues of axes [\d to and]+ lie within two standard errors", text)
    assert "sure to ±" in text
    assert "Does it fit?" in text


def test_axes_that_are_well_apart_are_said_to_be(sample, tmp_path):
    sure = replace(sample.errors, eigenvalues=np.full(5, 1e-9))
    assert "the axes can be told apart" in text_of(sample, tmp_path, errors=sure)


def test_the_tile_has_half_an_interval_where_errors_are_given(sample, tmp_path):
    path = report.write(tmp_path / "r.html", sample.embedding, matrix=sample.matrix, errors=sample.errors)
    stress, reach = sample.embedding.explained_stress[2], sample.errors.t_factor() * sample.errors.explained_stress[2]
    text = path.read_text(encoding="utf-8")
    assert f"<dd>{100 * stress:.1f} ± {100 * reach:.1f} %</dd>" in text
    assert "jackknife over 16 groups" in text


@pytest.mark.parametrize(
    ("reach", "text"),
    [(0.002, "98.3 ± 0.2 %"), (0.02, "98.3 ± 2.0 %"), (0.00004, "98.340 ± 0.004 %"), (0, "98.3 ± 0.0 %")],
)
def test_an_error_has_the_digits_that_tell_it(reach, text):
    assert percent_with_error(0.9834, reach) == text


def test_too_many_points_are_left_out_and_said_so(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(fit_module, "MOST_POINTS", 23)
    text = text_of(sample, tmp_path)
    assert "24 points are more than 23" in text
    assert "plot-misfit" not in text


def test_points_placed_afterwards_get_their_own_misfit(sample):
    records = MapRecords(sample.embedding, sample.matrix, projected=sample.projected, rows=sample.rows)
    fit = fit_of(records)
    column = next(c for c in payload(records, fit, None)["columns"] if c["name"] == "misfit on 3 axes")
    raw = np.frombuffer(b64decode(column["values"]["bdata"]), dtype="<f4")
    new = residuals(sample.rows, sample.embedding)
    expected = np.concatenate([residuals(sample.matrix, sample.embedding).misfit, new.misfit])
    np.testing.assert_array_equal(raw, expected.astype(np.float32))
    words = fit_words(fit, records).sentences[1].replace("\u00a0", " ")
    assert f"placed afterwards are off by {100 * new.per_run().misfit[0]:.1f} %" in words


def test_new_points_alone_are_known_where_the_matrix_is_not_given(sample, tmp_path):
    records = {"matrix": None, "null": None, "errors": None, "projected": sample.projected, "rows": sample.rows}
    text = text_of(sample, tmp_path, **records)
    assert "placed afterwards are off by" in text
    assert 'id="plot-misfit"' in text
    assert "plot-misfit-runs" not in text
    assert "plot-shepard" not in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": "rows"}, "rows: 6 of them; give one for each point of `projected`"),
        ({"matrix": "rows"}, "matrix: 6 rows for an embedding of 24 points"),
    ],
)
def test_records_that_disagree_are_refused(sample, tmp_path, changes, message):
    given = {name: getattr(sample, what) for name, what in changes.items()}
    with pytest.raises(InputError, match=re.escape(message)):
        report.write(tmp_path / "r.html", sample.embedding, **given)


def test_errors_and_matrices_of_other_maps_are_refused(sample, tmp_path):
    with pytest.raises(InputError, match="errors: of a map of"):
        report.write(tmp_path / "r.html", inpca(sample.matrix, 3), errors=sample.errors)
    other = replace(sample.matrix, points=sample.matrix.points.take(np.arange(24)[::-1]))
    with pytest.raises(InputError, match="not to the points of this map"):
        report.write(tmp_path / "r.html", sample.embedding, matrix=other)
    assert list(tmp_path.iterdir()) == []


def test_a_weighted_map_gets_its_section(sample, tmp_path):
    weighted = inpca(sample.matrix, 3, weights=np.arange(1, 25))
    rows = rows_of(sample, embedding=weighted, null=None, errors=None)
    assert list(rows["divergences explained, by mean"]) == percent(explained_distance_l1(sample.matrix, weighted)[:3])


def test_a_map_that_is_right_has_nothing_to_draw_and_a_bare_matrix_no_unit(tmp_path):
    places = np.random.default_rng(0).normal(size=(12, 3))
    matrix = PairwiseMatrix.from_array(np.square(places[:, None] - places).sum(axis=-1))
    embedding = inpca(matrix, 3)
    page = report.write(tmp_path / "given.html", embedding, matrix=matrix).read_text(encoding="utf-8")
    words = page[: page.index('<script type="application/json"')]
    assert "the divergences of every run are right to 0.05 %" in words.replace("\u00a0", " ")
    assert "plot-misfit" not in words
    assert "given; unit not known" in words
    assert "nats" not in words
    data = json.loads(page.split('id="data">', 1)[1].split("</script>", 1)[0])
    assert "nats" not in json.dumps(data["figures"])
