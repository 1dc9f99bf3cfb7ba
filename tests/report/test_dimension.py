"""The page of a study of dimensions: its text, and the same page in a real browser."""

import re
from base64 import b64encode
from dataclasses import replace

import numpy as np
import pytest

from infogeo.core.errors import InputError
from infogeo.dimension.runs import with_run
from infogeo.report import write_dimension
from infogeo.report.dimension_words import cautions, null_sentence, number, sentence, summarise_dimension
from tests.dimensions import WORDS, bare_study, small_study
from tests.report.test_browser import COUNT_COLOURS, DRAWN, browser, opened, picture, settle  # noqa: F401
from tests.report.test_page import data_of, without_plotly

PLOTS = ("scale", "progress", "runs", "samples", "estimates")
HOSTILE = ("</script><script>window.pwned=1</script>", "<img src=x onerror='window.pwned=2'>")


@pytest.fixture(scope="module")
def study():
    return small_study()


@pytest.fixture(scope="module")
def full(study, tmp_path_factory):
    path = tmp_path_factory.mktemp("dimension") / "report.html"
    return write_dimension(path, study, provenance={"command": "infogeo dimension", "seed": 0})


def words_of(path):
    return path.read_text(encoding="utf-8").replace("\u00a0", " ").replace("&#39;", "'")


def test_plotly_is_in_the_page_once_and_nothing_is_loaded(full):
    text = full.read_text(encoding="utf-8")
    assert text.count("* plotly.js v") == 1
    assert not re.search(r"(src|href)\s*=\s*[\"']", without_plotly(text))
    assert not re.search(r"https?://|@import|url\(", without_plotly(text))
    assert "default-src 'none'" in text
    assert full.stat().st_size < 6e6


def test_the_sentence_holds_the_dimensions_their_interval_and_scale(study):
    across, total = study.across, study.total
    low, high = across.interval()
    assert sentence(study) == (
        f"Across runs the checkpoints have {across.value:.1f} dimensions ({low:.1f} to {high:.1f} at 95 %, at distance "
        f"{across.scale:.2g}), {total.value:.1f} in all with the one along the run."
    )


def test_points_that_are_no_runs_have_one_dimension():
    cloud = bare_study()
    low, high = cloud.total.interval()
    assert sentence(cloud) == (
        f"The points have {cloud.total.value:.1f} dimensions ({low:.1f} to {high:.1f} at 95 %, at distance "
        f"{cloud.total.scale:.2g})."
    )
    assert sentence(replace(cloud, total=replace(cloud.total, standard_error=np.nan, scale=np.nan))) == (
        f"The points have {cloud.total.value:.1f} dimensions."
    )
    assert null_sentence(cloud) == ""


def test_what_cannot_be_told_is_said_with_its_reason(study):
    lost = replace(study.across, value=np.nan, standard_error=np.nan, warnings=("no scaling range",))
    text = sentence(replace(study, across=lost))
    assert text == "How many dimensions the checkpoints have across runs cannot be told: no scaling range."
    assert cautions(replace(study, across=lost, total=with_run(lost))) == study.notes  # it was said
    assert "none of them is the answer" in summarise_dimension(replace(study, across=lost)).captions["estimates"]
    tiles = summarise_dimension(replace(study, across=lost)).tiles
    values = study.curves[0].values
    assert tiles[0] == (f"{values.min():.1f}–{values.max():.1f}", "dimensions across runs, by distance")
    assert not any("at which it was looked" in word for _, word in tiles)


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.05, "2.0"), (0.034, "0.034"), (12.34, "12.3"), (99.97, "100"), (1234.5, "1,234"), (np.nan, "–"), (np.inf, "∞")],
)
def test_a_dimension_has_the_digits_that_matter(value, text):
    assert number(value) == text


def test_the_null_is_held_against_the_same_distance(study):
    text = null_sentence(study)
    data, null = study.null.data, study.null.curves
    where = max(data.at[0], np.quantile([curve.at[0] for curve in null], 0.5))  # where half of the replicates reach
    assert text.startswith(f"At distance {where:.2g} the dimension across runs is ")
    assert f"with {WORDS}, it is " in text
    assert text.endswith(" in all 5 replicates).")
    expected = np.interp(np.log(where), np.log(data.at), data.values)
    assert float(re.search(r"runs is ([\d.]+);", text).group(1)) == pytest.approx(expected, abs=0.06)


def test_a_null_at_other_distances_is_not_compared(study):
    far = tuple(replace(curve, at=100 * curve.at) for curve in study.null.curves)
    apart = replace(study, null=replace(study.null, curves=far))
    assert null_sentence(apart).startswith(f"With {WORDS}, neighbours are at distances of ")
    assert ", where the data have none; " in null_sentence(apart)
    assert "Grey is the null" in summarise_dimension(study).captions["scale"]
    assert "Grey" not in summarise_dimension(apart).captions["scale"]
    assert null_sentence(replace(study, null=None)) == ""


def test_the_answer_comes_first_then_what_it_means_then_pictures(full, study):
    text = words_of(full)
    places = [
        text.index(part)
        for part in (
            "<h1>",
            sentence(study),
            null_sentence(study),
            "What these numbers mean",
            "A dimension belongs to a distance",
            "Neighbours among all points",
            "How many axes a map needs is another question",
            'id="plot-scale"',
            'id="plot-estimates"',
            'id="table-estimates"',
            'id="provenance"',
        )
    ]
    assert places == sorted(places)
    assert all(note in text for note in cautions(study))
    assert "2.04 ± 0.21" in text
    assert "infogeo dimension" in text


def test_the_table_has_every_estimate_with_its_notes(study):
    table = summarise_dimension(study).estimates
    for row, estimate in zip(table.rows, study.estimates, strict=True):
        low, high = estimate.interval()
        assert row[:2] == (estimate.estimator, f"{estimate.value:.3g}")
        assert row[2] == ("–" if np.isnan(low) else f"{low:.3g} to {high:.3g}")
    assert table.rows[-1][-2:] == ("3 points, 5 pairs", "no error is known")


def test_figures_in_the_page_hold_the_numbers_of_the_study(full, study):
    figures = data_of(full)["figures"]
    assert list(figures) == list(PLOTS)
    assert len(figures["estimates"]["layout"]["annotations"]) == len(study.estimates)


def test_absent_curves_leave_no_empty_charts(tmp_path):
    text = write_dimension(tmp_path / "r.html", bare_study()).read_text(encoding="utf-8")
    assert re.findall(r'id="plot-(\w+)"', without_plotly(text)) == ["estimates"]
    assert "across runs" not in without_plotly(text).split("<main")[0]
    assert "Neighbours among all points" not in text


def test_a_page_that_exists_is_kept_unless_told_otherwise(study, tmp_path):
    path = tmp_path / "r.html"
    path.write_text("mine")
    with pytest.raises(InputError, match="overwrite"):
        write_dimension(path, study)
    assert path.read_text() == "mine"
    assert write_dimension(path, study, overwrite=True) == path
    with pytest.raises(InputError, match=r"\.html"):
        write_dimension(tmp_path / "r.txt", study)
    with pytest.raises(InputError, match="study: is of the type list"):
        write_dimension(tmp_path / "other.html", [])


@pytest.fixture(scope="module")
def laptop(browser, full):  # noqa: F811
    with opened(browser, full, color_scheme="light") as view:
        yield view


@pytest.mark.browser
@pytest.mark.parametrize("plot", PLOTS)
def test_every_picture_is_drawn(laptop, plot):
    least = {"scale": 8, "progress": 4, "runs": 3, "samples": 3, "estimates": 7}
    assert laptop.evaluate(DRAWN, f"plot-{plot}") >= least[plot]
    assert laptop.evaluate(COUNT_COLOURS, b64encode(picture(laptop, f"plot-{plot}")).decode()) > 15


@pytest.mark.browser
def test_the_theme_button_turns_page_and_pictures(laptop):
    paper = "document.getElementById('plot-estimates')._fullLayout.paper_bgcolor"
    light = laptop.evaluate(paper)
    laptop.click("#theme")
    settle(laptop)
    assert laptop.evaluate(paper) != light
    laptop.click("#theme")
    settle(laptop)
    assert laptop.evaluate(paper) == light


@pytest.mark.browser
def test_the_table_sorts_and_says_so(laptop):
    heads = laptop.locator("#table-estimates thead th").all_text_contents()
    column = heads.index("dimension")
    laptop.locator("#table-estimates thead button").nth(column).press("Enter")
    cells = f"#table-estimates tbody tr > :nth-child({column + 1})"
    shown = [float(t) for t in laptop.locator(cells).all_text_contents()]
    assert shown == sorted(shown)
    assert laptop.locator('#table-estimates th[aria-sort="ascending"]').text_content() == "dimension"


@pytest.mark.browser
def test_a_phone_scrolls_only_downwards_and_hostile_names_do_nothing(browser, study, tmp_path):  # noqa: F811
    named = replace(
        study,
        divergence=HOSTILE[0],
        null=replace(study.null, model=HOSTILE[1]),
        notes=HOSTILE,
        estimates=tuple(replace(e, estimator=HOSTILE[0], warnings=HOSTILE) for e in study.estimates),
        curves=tuple(replace(curve, name=HOSTILE[1]) for curve in study.curves),
    )
    path = write_dimension(tmp_path / "hostile.html", named, provenance={HOSTILE[1]: HOSTILE[0]})
    assert "window.pwned=1</script>" not in path.read_text(encoding="utf-8")
    with opened(browser, path, 390, 844, is_mobile=True, has_touch=True, color_scheme="dark") as view:
        assert view.evaluate("document.documentElement.scrollWidth") <= 390
        assert view.get_attribute("html", "data-theme") == "dark"
        for plot in PLOTS:
            box = view.locator(f"#plot-{plot}").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
        assert view.locator("#table-estimates tbody th").first.text_content() == HOSTILE[0]
        assert view.evaluate("window.pwned") is None
