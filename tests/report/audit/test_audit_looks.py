"""How the page of an audit looks in a real browser: widths, themes, contrast, paper."""

import base64
from dataclasses import replace

import pytest
from browsing import BY_CSS, media, shown

pytest.importorskip("selenium", reason="needs selenium")


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_no_width_scrolls_the_page_sideways(made, show, width):
    long = "a_module_with_a_name_that_goes_on_and_on." * 4
    acts = (made.activation(long, weight=long),)
    audit = made.audit(weights=(made.weight(long),), activations=acts, **made.spectra(20))
    judged = made.verdicts((long, long))
    page = show({"default": audit, f"a:{long}": replace(audit, verdicts=judged)}, width=width)
    page.execute_script("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    plots = page.find_elements(BY_CSS, ".plot .main-svg")
    assert max(plot.rect["x"] + plot.rect["width"] for plot in plots) <= width


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
    for wish, found in (("no-preference", "smooth"), ("reduce", "auto")):
        media(page, "", **{"prefers-reduced-motion": wish})
        assert page.execute_script(behaviour) == found
