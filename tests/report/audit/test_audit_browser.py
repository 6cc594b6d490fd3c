"""The page of an audit in a real browser: offline, keyboard, themes, phone, print."""

import base64
import json
import time

import pytest

from firstlight.report import write_audit

pytest.importorskip("selenium", reason="needs selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


@pytest.fixture
def show(visit, tmp_path):
    """Open the report of audits; the browser must have nothing to complain about."""

    def open_page(audits, **look):
        return visit(write_audit(audits, tmp_path)[-1], **look)

    return open_page


def shown(page, selector):
    return [
        found for found in page.find_elements(By.CSS_SELECTOR, selector) if found.is_displayed()
    ]


def column(page, table, index):
    rows = shown(page, f"{table} tbody tr")
    return [row.find_elements(By.CSS_SELECTOR, "th, td")[index].text for row in rows]


def tab_to(page, wanted, most=150):
    """Move the focus as a reader without a mouse does."""
    for _ in range(most):
        page.switch_to.active_element.send_keys(Keys.TAB)
        if page.switch_to.active_element == wanted:
            return
    raise AssertionError("the keyboard does not reach it")


def media(page, kind, theme="light"):
    features = [{"name": "prefers-color-scheme", "value": theme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": features})


def test_nothing_is_asked_of_any_network(made, show):
    page = show(made.rich())
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {
        event["params"]["request"]["url"].partition(":")[0]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }
    assert asked <= {"file", "data", "blob"}
    assert "file" in asked


def test_every_panel_is_drawn_with_a_line_for_each_scheme(made, show):
    page = show(made.side_by_side(layers=6))
    assert len(shown(page, ".plot .main-svg")) >= 9
    assert not shown(page, ".static")
    traces = page.execute_script(
        "return [...document.querySelectorAll('.plot')].map(plot =>"
        " plot.querySelectorAll('.scatterlayer .trace').length)"
    )
    assert traces == [4, 4, 8, 8, 8, 4, 4, 4, 4]
    names = page.execute_script("return document.querySelector('.plot').data[0].customdata")
    assert names[0] == "1: act.0 (relu)"


def test_spectra_are_drawn_on_logarithmic_axes(made, show):
    page = show(made.rich())
    kinds = page.execute_script(
        "return [...document.querySelectorAll('.plot')].slice(-3).map(plot =>"
        " [plot._fullLayout.xaxis.type, plot._fullLayout.yaxis.type])"
    )
    assert kinds == [["log", "log"], ["linear", "log"], ["linear", "linear"]]


def test_the_layer_table_sorts_by_keyboard(made, show):
    weights = [
        made.weight(f"layers.{index}.weight", rms=rms, condition=condition)
        for index, rms, condition in ((2, 0.3, float("inf")), (10, 2e-7, None), (1, 12.0, 5.0))
    ]
    page = show(made.audit(weights=tuple(weights)))
    heads = page.find_elements(By.CSS_SELECTOR, ".filtered thead th")
    at = {head.text.split("\n")[0].rstrip(" ↕"): index for index, head in enumerate(heads)}
    rms = heads[at["rms"]].find_element(By.CSS_SELECTOR, "button")
    tab_to(page, rms)
    rms.send_keys(Keys.ENTER)
    assert heads[at["rms"]].get_attribute("aria-sort") == "descending"
    assert column(page, "[aria-label^='Weights in order']", at["rms"]) == ["12", "0.3", "2e-7"]
    rms.send_keys(Keys.SPACE)
    assert column(page, "[aria-label^='Weights in order']", at["rms"]) == ["2e-7", "0.3", "12"]
    heads[at["Weight"]].find_element(By.CSS_SELECTOR, "button").send_keys(Keys.ENTER)
    assert column(page, "[aria-label^='Weights in order']", 0) == [
        "layers.1.weight",
        "layers.2.weight",
        "layers.10.weight",
    ]
    heads[at["Condition"]].find_element(By.CSS_SELECTOR, "button").send_keys(Keys.ENTER)
    found = column(page, "[aria-label^='Weights in order']", at["Condition"])
    assert found == ["∞", "5", "\N{EN DASH}"]  # no value: last


def test_a_layer_is_chosen_by_keyboard(made, show):
    page = show(made.side_by_side(layers=9))
    section = "section[aria-labelledby=patterns]"
    select = page.find_element(By.CSS_SELECTOR, f"{section} select")
    options = [option.text for option in select.find_elements(By.CSS_SELECTOR, "option")]
    assert len(options) == 5

    def chosen():
        return [row.text for row in shown(page, f"{section} .row h3")][3:]

    assert chosen() == [options[0]]
    tab_to(page, select)
    select.send_keys(Keys.ARROW_DOWN)
    assert chosen() == [options[1]]
    assert len(shown(page, f"{section} .row:not([hidden]) img")) == 16
    select.send_keys(Keys.END)
    assert chosen() == [options[-1]]


def test_long_tables_are_filtered_by_scheme_and_name(made, show):
    page = show(made.side_by_side(layers=12))
    table = ".filtered"
    assert len(shown(page, f"{table}:first-of-type tbody tr")) == 48
    filtered = page.find_element(By.CSS_SELECTOR, table)
    scheme = filtered.find_element(By.CSS_SELECTOR, ".by-scheme")
    scheme.send_keys("harm")
    name = filtered.find_element(By.CSS_SELECTOR, ".by-name")
    name.send_keys("LAYERS.1")
    rows = [
        row for row in filtered.find_elements(By.CSS_SELECTOR, "tbody tr") if row.is_displayed()
    ]
    assert [row.text.split()[0] for row in rows] == [f"layers.{i}.weight" for i in (1, 10, 11)]
    assert filtered.find_element(By.CSS_SELECTOR, "output").text == "3 of 48 rows"


def test_a_scheme_can_be_hidden_in_all_panels(made, show):
    page = show(made.side_by_side())
    button = page.find_element(By.CSS_SELECTOR, ".legend button[data-scheme=harmonic]")
    button.send_keys(Keys.ENTER)
    visible = page.execute_script(
        "return [...new Set([...document.querySelectorAll('.plot')].flatMap(plot =>"
        " plot.data.filter(trace => trace.visible).map(trace => trace.meta)))].sort()"
    )
    assert visible == ["default", "he_normal", "sinusoidal"]


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_no_width_scrolls_the_page_sideways(made, show, width):
    long = "a_module_with_a_name_that_goes_on_and_on." * 4
    acts = (made.activation(long, weight=long),)
    audit = made.audit(weights=(made.weight(long),), activations=acts, **made.spectra(20))
    judged = made.verdicts((long, long))
    page = show(
        {"default": audit, "harmonic:" + long: made.audit(judged=judged, **vars_of(audit))}
        if width != 1280
        else made.side_by_side(),
        width=width,
    )
    page.execute_script("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    plots = page.find_elements(By.CSS_SELECTOR, ".plot .main-svg")
    assert max(plot.rect["x"] + plot.rect["width"] for plot in plots) <= width


def vars_of(audit):
    """The fields of an audit that a second one is to share."""
    names = ("weights", "activations", "kernel", "jacobian")
    return {name: getattr(audit, name) for name in names}


CONTRAST = """
const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number);
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
const ground = (e) => { for (; e; e = e.parentElement) {
  const c = getComputedStyle(e).backgroundColor;
  if (c !== 'rgba(0, 0, 0, 0)') return c; } return 'rgb(255, 255, 255)'; };
return [...document.querySelectorAll(arguments[0])].map((e) => {
  const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
  return [e.className + ' ' + e.textContent.trim().slice(0, 30), (a + 0.05) / (b + 0.05)]; });
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(made, show, theme):
    page = show(made.side_by_side(), theme=theme)
    found = page.execute_script(
        CONTRAST, ".level, .outcome, .basis, .message, code, .quiet, .said, caption, th, dt, a"
    )
    assert len(found) > 100
    assert not [pair for pair in found if pair[1] < 4.5]


def test_levels_differ_in_word_and_shape_not_only_in_colour(made, show):
    page = show(made.side_by_side())
    levels = page.execute_script(
        "return [...document.querySelectorAll('.matrix .level')].map(level =>"
        " [level.textContent.trim(), level.querySelector('use').getAttribute('href')])"
    )
    assert {tuple(level) for level in levels} == {
        ("ok", "#level-ok"),
        ("warning", "#level-warning"),
        ("failure", "#level-failure"),
    }


def test_the_page_follows_the_theme(made, show):
    seen = {}
    for theme in ("light", "dark"):
        page = show(made.side_by_side(), theme=theme)
        seen[theme] = page.execute_script(
            "const style = (e) => getComputedStyle(document.querySelector(e));"
            "return [style('html').backgroundColor, style('.level.failure').color,"
            " document.querySelector('.plot').data[0].line.color]"
        )
    assert seen["light"] == ["rgb(255, 255, 255)", "rgb(179, 18, 58)", "#1a1a1a"]
    assert seen["dark"] == ["rgb(18, 21, 27)", "rgb(255, 143, 163)", "#f2f2f2"]


def test_without_javascript_all_is_there(made, show):
    page = show(made.side_by_side(layers=9), script=False)
    assert len(shown(page, ".static")) == 1
    assert not shown(page, ".panels")
    assert not shown(page, "thead button")
    assert not shown(page, ".filters")
    assert not shown(page, ".choose")
    assert len(shown(page, ".filtered:first-of-type tbody tr")) == 36
    assert len(shown(page, "details.more summary")) == 3


def test_print_shows_still_pictures_all_findings_and_whole_tables(made, show):
    page = show(made.side_by_side(layers=30), theme="dark")
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    media(page, "print", "dark")
    assert len(shown(page, ".static")) == 1
    assert not shown(page, ".panels")
    assert not shown(page, ".filters")
    assert len(shown(page, ".finding .where code")) == 31
    assert len(shown(page, ".filtered:first-of-type tbody tr")) == 120
    cut = page.execute_script(
        "return [...document.querySelectorAll('.tall')].filter(e =>"
        " e.scrollHeight > e.clientHeight + 1).length"
    )
    assert cut == 0
    paper = "return getComputedStyle(document.documentElement).backgroundColor"
    assert page.execute_script(paper) == "rgb(255, 255, 255)"


def test_it_prints_on_paper(made, show):
    page = show(made.side_by_side())
    found = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    paper = base64.b64decode(found["data"])
    assert paper.startswith(b"%PDF")
    assert len(paper) > 50_000
    assert 4 <= paper.count(b"/Type /Page\n") <= 30


def test_pixels_stay_sharp_and_fill_their_place(made, show):
    page = show(made.audit())
    found = page.execute_script(
        "return [...document.querySelectorAll('.pixels')].map(e =>"
        " [getComputedStyle(e).imageRendering, e.naturalWidth % 4, e.clientWidth > 150])"
    )
    assert len(found) == 5
    assert {tuple(one) for one in found} == {("pixelated", 0, True)}


def test_motion_is_left_out_where_asked(made, show):
    page = show(made.audit())
    behaviour = "return getComputedStyle(document.documentElement).scrollBehavior"
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    assert page.execute_script(behaviour) == "auto"


def test_a_hostile_name_is_text(made, show):
    evil = "<script>document.title = 'taken'</script><b>bold</b>"
    audit = made.audit(
        model=evil,
        weights=(made.weight(evil),),
        activations=(made.activation(evil, weight=evil, activation=evil),),
        judged=made.verdicts((evil,)),
    )
    page = show({evil: audit, "b": audit})
    assert "taken" not in page.title.replace(evil, "")
    assert page.find_element(By.TAG_NAME, "h1").text == f"{evil} under 2 schemes"
    assert not page.find_elements(By.TAG_NAME, "b")
    assert page.find_elements(By.CSS_SELECTOR, ".finding .where code")[0].text == evil


def test_two_hundred_layers_open_soon(made, show):
    start = time.monotonic()
    page = show(made.side_by_side(layers=200))
    assert time.monotonic() - start < 120
    assert len(shown(page, "section[aria-labelledby=weights] .row")) == 4
