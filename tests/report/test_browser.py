"""The page in a real browser: Debian's Chromium with software WebGL."""

import csv
import io
import json
import os
import re
import shutil
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infogeo import report
from infogeo.embed import residuals
from infogeo.plots import palette

pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("INFOGEO_CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PLOTS = (
    "plot-map",
    "plot-stress",
    "plot-spectrum",
    "plot-misfit-runs",
    "plot-misfit",
    "plot-shepard",
    "plot-accuracy",
    "plot-loss",
    "plot-matrix",
)
HOSTILE = [
    "</script><script>window.pwned=1</script>",
    "<b>x</b>",
    "<img src=x onerror='window.pwned=2'>",
    'Ω „ünï“, "q" 🙂',
]
COUNT_COLOURS = """async (png) => {
  const image = new Image(); image.src = 'data:image/png;base64,' + png; await image.decode();
  const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height;
  const context = canvas.getContext('2d', {willReadFrequently: true}); context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size;
}"""
DRAWN = """(id) => document.getElementById(id)._fullData.reduce((sum, trace) => sum + Array.from(
  trace.type === 'heatmap' ? trace.z.flatMap((row) => [...row]) : trace.x
).filter((value) => Number.isFinite(+value)).length, 0)"""


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright to look at the page")
    if CHROMIUM is None:
        missing = "no Chromium: apt-get install chromium, or name one in INFOGEO_CHROMIUM"
        (pytest.fail if os.environ.get("INFOGEO_BROWSER_REQUIRED") else pytest.skip)(missing)
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@contextmanager
def opened(browser, path: Path, width: int = 1280, height: int = 800, **options):
    """The page when all is drawn, with what it said and asked for; it must have said nothing wrong."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    view = context.new_page()
    said, asked = [], []
    view.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    view.on("pageerror", lambda error: said.append(str(error)))
    view.on("request", lambda request: asked.append(request.url))
    view.goto(path.as_uri())
    view.wait_for_selector("html[data-ready=yes]", timeout=120_000)
    yield view
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
    context.close()


def write(sample, folder: Path, **changes) -> Path:
    given = {"matrix": sample.matrix, "references": sample.references, "null": sample.null}
    given |= {"projected": sample.projected, "rows": sample.rows, "errors": sample.errors}
    given |= {"provenance": {"command": "infogeo embed", "seed": 0}, **changes}
    embedding = given.pop("embedding", sample.embedding)
    return report.write(folder / "report.html", embedding, **given)


@pytest.fixture(scope="module")
def laptop(browser, sample, tmp_path_factory):
    with opened(browser, write(sample, tmp_path_factory.mktemp("laptop")), color_scheme="light") as view:
        yield view


def choose(view, selector: str, value: str) -> None:
    view.select_option(selector, value)
    settle(view)


def settle(view) -> None:
    """Wait until the redraw that a control has started is over."""
    view.wait_for_selector("html[data-ready=yes]")


def picture(view, plot: str) -> bytes:
    return view.locator(f"#{plot}").screenshot()


@pytest.mark.parametrize("plot", PLOTS)
def test_every_picture_shows_its_points(laptop, plot, sample):
    counts = {"plot-map": 30, "plot-stress": 10, "plot-spectrum": 5, "plot-misfit-runs": 8, "plot-misfit": 30}
    least = {**counts, "plot-shepard": 276, "plot-matrix": 24 * 24}.get(plot, 24)
    assert laptop.evaluate(DRAWN, plot) >= least
    assert laptop.evaluate(COUNT_COLOURS, b64encode(picture(laptop, plot)).decode()) > 20


def test_axes_can_be_chosen_and_the_third_left_out(laptop):
    choose(laptop, "#axis-y", "4")
    assert "axis 4" in laptop.evaluate("document.getElementById('plot-map').layout.scene.yaxis.title.text")
    choose(laptop, "#axis-z", "0")
    flat = laptop.evaluate("document.getElementById('plot-map').data.map((trace) => trace.type)")
    assert set(flat) == {"scatter"}
    choose(laptop, "#axis-x", "step")
    assert "step" in laptop.evaluate("document.getElementById('plot-map').layout.xaxis.title.text")
    for selector, value in (("#axis-x", "1"), ("#axis-y", "2"), ("#axis-z", "3")):
        choose(laptop, selector, value)
    assert "scatter3d" in laptop.evaluate("document.getElementById('plot-map').data.map((trace) => trace.type)")


def test_time_like_axes_are_marked_in_the_choice(laptop, sample):
    texts = laptop.locator("#axis-x option").all_text_contents()[:5]
    assert ["time-like" in text for text in texts] == (sample.embedding.signature < 0).tolist()


def test_the_view_survives_a_change_of_colour(laptop):
    eye = "Object.values(document.getElementById('plot-map')._fullLayout.scene._scene.getCamera().eye)"
    laptop.locator("#plot-map").scroll_into_view_if_needed()
    box = laptop.locator("#plot-map").bounding_box()
    start = laptop.evaluate(eye)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    laptop.mouse.move(*middle)
    laptop.mouse.down()
    laptop.mouse.move(middle[0] + 150, middle[1] + 40, steps=5)
    laptop.mouse.up()
    laptop.wait_for_timeout(500)
    turned = laptop.evaluate(eye)
    choose(laptop, "#color-by", "run")
    kept = laptop.evaluate(eye)
    # plotly stores the view when the button is let go and glides on for a few frames, so it is kept only about
    assert np.linalg.norm(np.subtract(kept, turned)) < 0.25 * np.linalg.norm(np.subtract(turned, start))
    choose(laptop, "#color-by", "group")


def test_colour_by_changes_the_map_and_the_learning_curves(laptop):
    choose(laptop, "#color-by", "group")
    before = picture(laptop, "plot-map"), picture(laptop, "plot-loss")
    choose(laptop, "#color-by", "step")
    assert laptop.locator("#chips-color .chip").all_text_contents() == ["projected"]
    after = picture(laptop, "plot-map"), picture(laptop, "plot-loss")
    assert before[0] != after[0]
    assert before[1] != after[1]
    choose(laptop, "#color-by", "group")


def test_chips_hide_and_show_groups_everywhere(laptop):
    choose(laptop, "#color-by", "group")
    count = {plot: laptop.evaluate(DRAWN, plot) for plot in ("plot-map", "plot-accuracy")}
    laptop.click('.chip[data-level="b"]')
    settle(laptop)
    assert laptop.get_attribute('.chip[data-level="b"]', "aria-pressed") == "false"
    assert {plot: count[plot] - laptop.evaluate(DRAWN, plot) for plot in count} == {"plot-map": 12, "plot-accuracy": 12}
    laptop.click('.chip[data-level="projected"]')
    settle(laptop)
    assert count["plot-map"] - laptop.evaluate(DRAWN, "plot-map") == 18
    laptop.click('.chip[data-level="projected"]')
    laptop.click("#chips-color .bulk >> nth=0")
    settle(laptop)
    assert laptop.evaluate(DRAWN, "plot-map") == count["plot-map"]


def test_a_second_column_filters_on_top(laptop):
    choose(laptop, "#filter-by", "run")
    before = laptop.evaluate(DRAWN, "plot-map")
    laptop.click('#chips-filter .chip[data-level="run/a0"]')
    settle(laptop)
    assert before - laptop.evaluate(DRAWN, "plot-map") == 6
    laptop.click("#chips-filter .bulk >> nth=0")
    choose(laptop, "#filter-by", "")


def test_the_theme_button_turns_page_and_pictures(laptop):
    paper = "document.getElementById('plot-stress')._fullLayout.paper_bgcolor"
    light = laptop.evaluate(paper)
    laptop.click("#theme")
    settle(laptop)
    assert laptop.evaluate(paper) != light
    assert laptop.get_attribute("html", "data-theme") == "dark"
    laptop.click("#theme")
    settle(laptop)
    assert laptop.evaluate(paper) == light


def test_the_table_sorts_by_keyboard_and_says_so(laptop):
    head = laptop.locator("#table-runs thead button", has_text="x1")
    head.press("Enter")
    column = laptop.locator("#table-runs thead th").all_text_contents().index("x1")
    shown = [float(t) for t in laptop.locator(f"#table-runs tbody tr > :nth-child({column + 1})").all_text_contents()]
    assert len(shown) == 5
    assert shown == sorted(shown)
    assert laptop.locator('#table-runs th[aria-sort="ascending"]').text_content() == "x1"
    head.press("Enter")
    turned = [float(t) for t in laptop.locator(f"#table-runs tbody tr > :nth-child({column + 1})").all_text_contents()]
    assert turned == shown[::-1]


def downloaded(view, selector: str) -> tuple[str, bytes]:
    with view.expect_download() as waiting:
        view.click(selector)
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_the_numbers_come_back_from_the_download(laptop, sample):
    name, content = downloaded(laptop, '[data-download="embedding.csv"]')
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert name == "embedding.csv"
    assert [row["run"] for row in rows] == sample.embedding.points["run"].tolist()
    assert [int(row["step"]) for row in rows] == sample.embedding.points["step"].tolist()
    assert [float(row["loss"]) for row in rows] == sample.embedding.points["loss"].tolist()
    coords = np.array([[float(row[f"x{k}"]) for k in range(1, 6)] for row in rows])
    # stored as float32 (half a unit in the last place) and written with 9 digits, which lose nothing of a float32
    np.testing.assert_allclose(coords, sample.embedding.coords, rtol=np.finfo(np.float32).eps, atol=0)


def test_spectrum_and_provenance_come_back_in_full(laptop, sample):
    rows = list(csv.DictReader(io.StringIO(downloaded(laptop, '[data-download="spectrum.csv"]')[1].decode())))
    assert [float(row["eigenvalue"]) for row in rows] == sample.embedding.eigenvalues.tolist()
    assert [float(row["null_mean"]) for row in rows] == sample.null.null_mean.tolist()
    provenance = json.loads(downloaded(laptop, '[data-download="provenance.json"]')[1])
    assert provenance == {"command": "infogeo embed", "seed": 0}


def test_the_misfit_comes_back_from_the_download(laptop, sample):
    rows = list(csv.DictReader(io.StringIO(downloaded(laptop, '[data-download="misfit.csv"]')[1].decode())))
    found = [residuals(matrix, sample.embedding) for matrix in (sample.matrix, sample.rows)]
    for name in ("misfit", "bias"):
        expected = np.concatenate([getattr(part, name) for part in found])
        # stored as float32
        assert [np.float32(row[name]) for row in rows] == expected.astype(np.float32).tolist()


def test_the_section_on_the_fit_is_there_with_its_table_and_sentences(laptop):
    assert laptop.locator("#h-fit").text_content() == "Does it fit?"
    assert laptop.locator("#table-fit thead th").all_text_contents() == ["", "one axis", "2 axes", "3 axes"]
    assert laptop.locator("#table-fit tbody tr").count() == 8
    assert laptop.locator("section[aria-labelledby=h-fit] .sentences li").count() == 4


def test_pairs_and_bars_say_whose_they_are_in_full(laptop, sample):
    pair = laptop.evaluate("document.getElementById('plot-shepard').data[1].text[0]")
    assert re.fullmatch(r"<b>run/\w\d</b> · step \d+<br><b>run/\w\d</b> · step \d+", pair)
    bar = laptop.evaluate("document.getElementById('plot-misfit-runs').data[0].text[0]")
    assert bar.startswith("<b>run/")


def test_the_map_can_be_coloured_by_misfit_and_the_misfit_follows_the_groups(laptop):
    choose(laptop, "#color-by", "misfit on 3 axes")
    assert "misfit" in laptop.evaluate("document.getElementById('plot-map').layout.coloraxis.colorbar.title.text")
    choose(laptop, "#color-by", "group")
    before = laptop.evaluate(DRAWN, "plot-misfit")
    laptop.click('.chip[data-level="b"]')
    settle(laptop)
    assert before - laptop.evaluate(DRAWN, "plot-misfit") == 12
    laptop.click("#chips-color .bulk >> nth=0")
    settle(laptop)


@pytest.mark.parametrize("plot", ["plot-map", "plot-stress"])
def test_pictures_can_be_saved(laptop, plot):
    name, content = downloaded(laptop, f'.save button[data-plot="{plot}"][data-format="png"]')
    assert name.endswith(".png")
    assert content.startswith(b"\x89PNG")
    name, content = downloaded(laptop, f'.save button[data-plot="{plot}"][data-format="svg"]')
    assert content.startswith(b"<svg")


def test_hostile_names_are_shown_and_do_nothing(browser, sample, tmp_path):
    points = sample.embedding.points
    renamed = np.repeat(HOSTILE, 6)
    embedding = replace(sample.embedding, points=points.with_columns(run=renamed, group=renamed))
    matrix = replace(sample.matrix, points=embedding.points)
    provenance = {HOSTILE[2]: HOSTILE[0]}
    path = write(sample, tmp_path, embedding=embedding, matrix=matrix, rows=None, provenance=provenance)
    with opened(browser, path) as view:
        assert view.evaluate("window.pwned") is None
        choose(view, "#color-by", "run")
        names = view.locator("#chips-color .chip").all_text_contents()
        assert names[:4] == HOSTILE
        assert view.locator("#table-runs tbody th").all_text_contents()[:4] == HOSTILE
        hover = view.evaluate("document.getElementById('plot-map').data[1].text[0]")
        assert hover.startswith("<b>&lt;b&gt;x&lt;/b&gt;</b>")
        content = downloaded(view, '[data-download="embedding.csv"]')[1].decode()
        assert [row["run"] for row in csv.DictReader(io.StringIO(content))] == renamed.tolist()
        assert view.evaluate("window.pwned") is None


def test_a_phone_scrolls_only_downwards(browser, sample, tmp_path):
    path = write(sample, tmp_path)
    with opened(browser, path, 390, 844, is_mobile=True, has_touch=True, color_scheme="dark") as view:
        assert view.evaluate("document.documentElement.scrollWidth") <= 390
        assert view.get_attribute("html", "data-theme") == "dark"
        for plot in PLOTS:
            box = view.locator(f"#{plot}").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390


def test_on_a_phone_only_the_map_has_a_bar_of_colours(browser, sample, tmp_path):
    shown = "(id) => document.getElementById(id)._fullLayout.coloraxis.showscale"
    with opened(browser, write(sample, tmp_path), 390, 844) as view:
        view.select_option("#color-by", "step")
        view.wait_for_selector("html[data-ready=yes]")
        assert [view.evaluate(shown, plot) for plot in ("plot-map", "plot-accuracy", "plot-misfit")] == [
            True,
            False,
            False,
        ]


def test_finished_pictures_take_the_colours_of_dark_paper_and_pairs_keep_their_names(browser, sample, tmp_path):
    with opened(browser, write(sample, tmp_path), color_scheme="dark") as view:
        colours = view.evaluate("document.getElementById('plot-spectrum')._fullData.map((t) => t.marker?.color)")
        assert palette.ON_DARK[palette.SPACE_LIKE] in colours
        assert palette.SPACE_LIKE not in colours
        texts = view.evaluate("document.getElementById('plot-shepard').data.find((t) => t.mode === 'markers').text")
        assert texts[0].count("step") == 2


def test_a_table_that_goes_on_to_the_right_fades_until_its_end_is_reached(browser, sample, tmp_path):
    with opened(browser, write(sample, tmp_path), 700, 800) as view:
        box = view.locator(".scroll:has(#table-runs)")
        assert "more" in box.get_attribute("class")
        box.evaluate("(box) => { box.scrollLeft = box.scrollWidth; }")
        view.wait_for_selector(".scroll:not(.more) > #table-runs")


def test_a_page_without_scores_matrix_and_null_is_whole(browser, sample, tmp_path):
    points = sample.embedding.points
    bare = type(points)({name: points[name] for name in ("run", "step")})
    path = report.write(tmp_path / "bare.html", replace(sample.embedding, points=bare))
    with opened(browser, path) as view:
        assert view.locator(".plot").count() == 3
        assert view.evaluate(DRAWN, "plot-map") == 24
