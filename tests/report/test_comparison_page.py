"""The page of a comparison: its text, and the same page in a real browser."""

import re
from base64 import b64decode, b64encode
from dataclasses import replace

import numpy as np
import pytest

from infogeo.core.errors import InputError
from infogeo.report import write_comparison
from infogeo.report.comparison_data import colour_columns
from tests.comparisons import small_comparison
from tests.report.test_browser import COUNT_COLOURS, DRAWN, browser, choose, opened, picture, settle  # noqa: F401
from tests.report.test_page import data_of, without_plotly

PLOTS = ("map", "progress", "road", "roads", "tubes", "dendrogram", "importance")
HOSTILE = ("</script><script>window.pwned=1</script>", "<img src=x onerror='window.pwned=2'>")
MARKERS = "(name) => [...document.getElementById('plot-map').data.at(-1)[name]]"
COLOURS = (
    "(id) => JSON.stringify(document.getElementById(`plot-${id}`).data.map((t) => [t.line?.color, t.marker?.color]))"
)


@pytest.fixture(scope="module")
def made():
    return small_comparison()


@pytest.fixture(scope="module")
def full(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("comparison") / "report.html"
    return write_comparison(path, *made, provenance={"command": "infogeo compare", "seed": 0})


def decoded(entry, kind):
    return np.frombuffer(b64decode(entry["bdata"]), dtype=kind)


def test_plotly_is_in_the_page_once_and_nothing_is_loaded(full):
    text = full.read_text(encoding="utf-8")
    assert text.count("* plotly.js v") == 1
    assert not re.search(r"(src|href)\s*=\s*[\"']", without_plotly(text))
    assert not re.search(r"https?://|@import|url\(", without_plotly(text))
    assert "default-src 'none'" in text
    assert full.stat().st_size < 6e6


def test_the_answer_comes_first_and_every_sentence_is_there(full, made):
    comparison, text = made[0], full.read_text(encoding="utf-8").replace("\u00a0", " ").replace("&#39;", "'")
    start = text.index("<h1>")
    answer = text.index(comparison.sentence())
    assert start < answer < text.index("<main")
    assert text.index("progress compared") < text.index("<main")
    for part in (*comparison.tests, *comparison.paces):
        assert part.sentence() in text
    assert all(note in text for note in comparison.notes)
    assert start < text.index(comparison.block.sentence()) < text.index("<main")
    assert "means over pairs of runs that agree in seed" in text
    assert "0.80" in text  # the leading factor's importance
    assert "infogeo compare" in text


def test_without_a_block_the_page_speaks_of_none(made, tmp_path):
    text = write_comparison(tmp_path / "r.html", replace(made[0], block=None)).read_text(encoding="utf-8")
    assert "set apart" not in text
    assert "means over their runs" in text
    assert "<dt>Block</dt><dd>none</dd>" in text


def test_runs_move_at_equal_progress_between_their_checkpoints(full, made):
    comparison, embedding = made
    moving = decoded(data_of(full)["moving"], "<f4").reshape(12, len(comparison.grid), 3)
    points, values = embedding.points, comparison.progress.values
    for r, run in enumerate(points.runs):
        rows = points.of_run(run)
        assert (np.diff(values[rows]) > 0).all()
        for k in range(3):
            expected = np.interp(comparison.grid, values[rows], embedding.coords[rows, k])
            np.testing.assert_allclose(moving[r, :, k], expected, rtol=2**-22, atol=1e-7)


def test_a_map_with_other_points_in_another_order_serves_as_well(made, full, tmp_path):
    comparison, embedding = made
    order = np.random.default_rng(0).permutation(len(embedding.points))
    mixed = replace(embedding, points=embedding.points.take(order), coords=embedding.coords[order])
    path = write_comparison(tmp_path / "mixed.html", comparison, mixed)
    assert data_of(path)["moving"] == data_of(full)["moving"]


def test_a_map_that_lacks_a_checkpoint_is_refused(made, tmp_path):
    comparison, embedding = made
    short = replace(embedding, points=embedding.points.take(np.arange(90)), coords=embedding.coords[:90])
    with pytest.raises(InputError, match="embedding: lacks 6 of 96 checkpoints"):
        write_comparison(tmp_path / "r.html", comparison, short)
    assert list(tmp_path.iterdir()) == []


def test_runs_are_coloured_by_what_is_constant_along_them(made):
    points = made[0].progress.points.with_columns(loss=np.arange(96.0), one=np.zeros(96))
    assert colour_columns(points, ("lr", "arch")) == ["lr", "arch", "seed", "run"]


def test_a_page_that_exists_is_kept_unless_told_otherwise(made, tmp_path):
    path = tmp_path / "r.html"
    path.write_text("mine")
    with pytest.raises(InputError, match="overwrite"):
        write_comparison(path, made[0])
    assert path.read_text() == "mine"
    assert write_comparison(path, made[0], overwrite=True) == path
    assert path.stat().st_size > 1e6


def test_paths_that_cannot_be_written_are_refused(made, tmp_path):
    with pytest.raises(InputError, match=r"\.html"):
        write_comparison(tmp_path / "r.txt", made[0])
    with pytest.raises(InputError, match="make it first"):
        write_comparison(tmp_path / "nowhere" / "r.html", made[0])


@pytest.fixture(scope="module")
def laptop(browser, full):  # noqa: F811
    with opened(browser, full, color_scheme="light") as view:
        yield view


@pytest.mark.browser
@pytest.mark.parametrize("plot", PLOTS)
def test_every_picture_is_drawn(laptop, plot):
    least = {"map": 96 + 12, "progress": 96, "road": 96, "roads": 12, "tubes": 6, "dendrogram": 36, "importance": 4}
    assert laptop.evaluate(DRAWN, f"plot-{plot}") >= least[plot]
    assert laptop.evaluate(COUNT_COLOURS, b64encode(picture(laptop, f"plot-{plot}")).decode()) > 15


@pytest.mark.browser
def test_the_slider_moves_all_runs_to_its_progress(laptop, made, full):
    comparison = made[0]
    moving = decoded(data_of(full)["moving"], "<f4").reshape(12, len(comparison.grid), 3)
    slider = laptop.locator("#progress")
    slider.press("Home")
    settle(laptop)
    for key, at in (("Home", 0), ("ArrowRight", 1), ("End", len(comparison.grid) - 1)):
        slider.press(key)
        settle(laptop)
        for k, axis in enumerate("xyz"):
            np.testing.assert_array_equal(laptop.evaluate(MARKERS, axis), moving[:, at, k])
        assert laptop.locator("#progress-value").text_content() == f"{comparison.grid[at]:.2f}"
        assert slider.get_attribute("aria-valuetext") == f"progress {comparison.grid[at]:.2f}"


@pytest.mark.browser
def test_playing_walks_to_the_end_and_stops(laptop, made):
    laptop.locator("#progress").evaluate("(s) => { s.value = +s.max - 2; s.dispatchEvent(new Event('input')); }")
    laptop.click("#play")
    laptop.wait_for_selector('#play:text-is("Play")')
    settle(laptop)
    assert laptop.locator("#progress-value").text_content() == f"{made[0].grid[-1]:.2f}"


@pytest.mark.browser
def test_the_colour_goes_through_all_pictures(laptop):
    plots = [name for name in PLOTS if name != "importance"]
    before = {name: laptop.evaluate(COLOURS, name) for name in plots}
    choose(laptop, "#color-by", "lr")
    assert laptop.locator("#chips-color .chip").count() == 3
    after = {name: laptop.evaluate(COLOURS, name) for name in plots}
    assert all(before[name] != after[name] for name in plots)
    choose(laptop, "#color-by", "seed")
    assert "8C8C8C" in laptop.evaluate(COLOURS, "tubes")  # seeds are averaged there
    choose(laptop, "#color-by", "arch")
    assert {name: laptop.evaluate(COLOURS, name) for name in plots} == before


@pytest.mark.browser
def test_chips_hide_and_show_groups_everywhere(laptop):
    plots = ("plot-map", "plot-progress", "plot-road", "plot-roads")
    count = {plot: laptop.evaluate(DRAWN, plot) for plot in plots}
    laptop.click('.chip[data-level="mlp"]')
    settle(laptop)
    assert {plot: laptop.evaluate(DRAWN, plot) * 2 for plot in plots} == count
    laptop.locator("#progress").press("Home")
    settle(laptop)
    assert len(laptop.evaluate(MARKERS, "x")) == 6
    laptop.click('.chip[data-level="mlp"]')
    settle(laptop)
    assert {plot: laptop.evaluate(DRAWN, plot) for plot in plots} == count


@pytest.mark.browser
def test_the_map_can_be_flat(laptop):
    laptop.select_option("#view", label="1, 3")
    settle(laptop)
    assert laptop.evaluate("document.getElementById('plot-map').data.at(-1).type") == "scatter"
    assert "axis 3" in laptop.evaluate("document.getElementById('plot-map').layout.yaxis.title.text")
    laptop.select_option("#view", label="1, 2, 3")
    settle(laptop)


@pytest.mark.browser
@pytest.mark.parametrize(("table", "head"), [("runs", "length"), ("tests", "p")])
def test_tables_sort_and_say_so(laptop, table, head):
    heads = laptop.locator(f"#table-{table} thead th").all_text_contents()
    column = heads.index(head)
    button = laptop.locator(f"#table-{table} thead button").nth(column)
    cells = f"#table-{table} tbody tr > :nth-child({column + 1})"
    button.press("Enter")
    shown = [float(t) for t in laptop.locator(cells).all_text_contents()]
    assert shown == sorted(shown)
    assert laptop.locator(f'#table-{table} th[aria-sort="ascending"]').text_content() == head
    button.press("Enter")
    assert [float(t) for t in laptop.locator(cells).all_text_contents()] == shown[::-1]


@pytest.mark.browser
def test_the_theme_button_turns_page_and_pictures(laptop):
    paper = "document.getElementById('plot-dendrogram')._fullLayout.paper_bgcolor"
    light = laptop.evaluate(paper)
    laptop.click("#theme")
    settle(laptop)
    assert laptop.evaluate(paper) != light
    laptop.click("#theme")
    settle(laptop)
    assert laptop.evaluate(paper) == light


@pytest.mark.browser
def test_a_phone_scrolls_only_downwards(browser, full):  # noqa: F811
    with opened(browser, full, 390, 844, is_mobile=True, has_touch=True, color_scheme="dark") as view:
        assert view.evaluate("document.documentElement.scrollWidth") <= 390
        assert view.get_attribute("html", "data-theme") == "dark"
        for plot in PLOTS:
            box = view.locator(f"#plot-{plot}").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390


@pytest.mark.browser
def test_hostile_names_are_shown_and_do_nothing(browser, tmp_path):  # noqa: F811
    comparison, embedding = small_comparison(archs=HOSTILE, seeds=1)
    path = write_comparison(tmp_path / "hostile.html", comparison, embedding, provenance={HOSTILE[1]: HOSTILE[0]})
    assert "window.pwned=1</script>" not in path.read_text(encoding="utf-8")
    with opened(browser, path) as view:
        assert view.locator("#plot-tubes").count() == 0  # one run per configuration
        for color in ("arch", "lr", "run"):
            choose(view, "#color-by", color)
        assert view.locator("#table-runs tbody th").first.text_content().startswith(HOSTILE[0])
        assert view.evaluate("document.getElementById('plot-roads').data[0].text[0]").startswith("<b>&lt;/script")
        assert view.evaluate("window.pwned") is None


@pytest.mark.browser
def test_a_page_without_map_importance_and_shared_steps_is_whole(browser, made, tmp_path):  # noqa: F811
    bare = replace(made[0], importance=None, at_equal_steps=None, paces=())
    path = write_comparison(tmp_path / "bare.html", bare)
    with opened(browser, path) as view:
        assert view.locator(".plot").count() == 5
        assert view.locator("#progress").count() == 0
        assert view.evaluate(DRAWN, "plot-progress") == 96


@pytest.mark.browser
@pytest.mark.parametrize("axes", [1, 2])
def test_few_axes_make_a_map(browser, made, tmp_path, axes):  # noqa: F811
    comparison, embedding = made
    fewer = {name: getattr(embedding, name)[:axes] for name in ("eigenvalues", "signature", "explained_stress")}
    small = replace(embedding, coords=embedding.coords[:, :axes], **fewer)
    with opened(browser, write_comparison(tmp_path / "few.html", comparison, small)) as view:
        assert view.evaluate("document.getElementById('plot-map').data.at(-1).type") == "scatter"
        view.locator("#progress").press("End")
        settle(view)
        assert view.evaluate(DRAWN, "plot-map") >= 96 + 12
