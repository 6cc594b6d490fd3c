"""The page in a real browser, opened from a file: no network, no errors, keyboard, phone."""

import pytest
from browsing import media, shown, tab_to

from firstlight.report import write

pytest.importorskip("selenium", reason="needs selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

NUMBERS = ".setting > .scroll table"


@pytest.fixture
def show(visit, tmp_path):
    """Open the report of a comparison; the browser must have nothing to complain about."""

    def open_page(comparison, **look):
        return visit(write(comparison, tmp_path)[-1], **look)

    return open_page


def column(page, table, index):
    rows = page.find_elements(By.CSS_SELECTOR, f"{table} tbody tr")
    return [row.find_elements(By.CSS_SELECTOR, "th, td")[index].text for row in rows]


def test_the_plots_are_drawn_with_one_line_for_each_scheme(make, show):
    page = show(make.two_settings())
    assert len(shown(page, ".plot .main-svg")) >= 4
    assert not shown(page, ".static")
    lines = page.execute_script(
        "return [...document.querySelectorAll('.plot')].map(plot =>"
        " plot.data.filter(trace => trace.hovertemplate).map(trace => trace.y.length))"
    )
    assert lines == [[12] * 6, [12] * 6, [20] * 6, [20] * 6]
    paths = page.execute_script(
        "return [...document.querySelectorAll('.plot')].map(plot =>"
        " plot.querySelectorAll('.scatterlayer path.js-line').length)"
    )
    assert all(count >= 12 for count in paths)


def test_tables_sort_by_keyboard(make, show):
    page = show(make.with_failures())
    first = column(page, NUMBERS, 0)
    heads = page.find_elements(By.CSS_SELECTOR, f"{NUMBERS} thead th")
    at = next(i for i, head in enumerate(heads) if head.text.startswith("Epoch 1,"))
    button = heads[at].find_element(By.CSS_SELECTOR, "button")
    tab_to(page, button)
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert heads[at].get_attribute("aria-sort") == "descending"
    down = [float(text.split()[0]) for text in column(page, NUMBERS, at)[:-1]]
    assert down == sorted(down, reverse=True)
    assert column(page, NUMBERS, 0)[-1] == "lsuv"  # no value: last
    page.switch_to.active_element.send_keys(Keys.SPACE)
    assert heads[at].get_attribute("aria-sort") == "ascending"
    up = [float(text.split()[0]) for text in column(page, NUMBERS, at)[:-1]]
    assert up == sorted(down)
    assert column(page, NUMBERS, 0)[-1] == "lsuv"
    page.find_element(By.CSS_SELECTOR, f"{NUMBERS} thead button").send_keys(Keys.ENTER)
    assert column(page, NUMBERS, 0) == sorted(first)


def test_a_scheme_can_be_hidden_by_keyboard(make, show):
    page = show(make.sweep())
    button = page.find_element(By.CSS_SELECTOR, ".legend button[data-scheme=lsuv]")

    def visible():
        return page.execute_script(
            "return [...new Set([...document.querySelectorAll('.plot')].flatMap(plot =>"
            " plot.data.filter(trace => trace.visible).map(trace => trace.meta)))].sort()"
        )

    everything = visible()
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-pressed") == "false"
    assert visible() == [name for name in everything if name != "lsuv"]
    button.send_keys(Keys.ENTER)
    assert visible() == everything


@pytest.mark.parametrize("name", ["with_failures", "two_settings", "long_names"])
def test_a_phone_scrolls_no_page_sideways(make, show, name):
    page = show(getattr(make, name)(), width=375)
    page.execute_script("document.querySelector('details').open = true")
    inside = page.execute_script("return document.documentElement.scrollWidth")
    assert inside <= 375
    plots = page.find_elements(By.CSS_SELECTOR, ".plot .main-svg")
    assert max(plot.rect["x"] + plot.rect["width"] for plot in plots) <= 375


def test_the_plots_follow_the_theme(make, show):
    colours = {}
    for theme in ("light", "dark"):
        page = show(make.sweep(), theme=theme)
        colours[theme] = page.execute_script(
            "const plot = document.querySelector('.plot');"
            "const line = plot.data.find(trace => trace.hovertemplate && trace.meta === 'default');"
            "return [line.line.color, getComputedStyle(document.documentElement).backgroundColor]"
        )
    assert colours["light"] == ["#1a1a1a", "rgb(255, 255, 255)"]
    assert colours["dark"] == ["#f2f2f2", "rgb(18, 21, 27)"]


def test_without_javascript_there_are_tables_and_still_pictures(make, show):
    page = show(make.sweep(), script=False)
    (picture,) = shown(page, ".static")
    assert picture.size["width"] > 800
    assert not shown(page, ".panels")
    assert not shown(page, "thead button")
    assert len(shown(page, ".setting tbody tr")) == 6
    assert len(shown(page, ".forest .point")) == 5


def test_print_shows_the_still_pictures_and_every_run(make, show):
    page = show(make.sweep(), theme="dark")
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    media(page, "print", "dark")
    assert len(shown(page, ".static")) == 1
    assert not shown(page, ".panels")
    assert len(shown(page, "details:not(.strength) tbody tr")) == 18
    assert len(shown(page, ".strength tbody tr")) == 5
    paper = "return getComputedStyle(document.documentElement).backgroundColor"
    assert page.execute_script(paper) == "rgb(255, 255, 255)"


def test_a_hostile_name_is_text(make, show):
    evil = "<script>document.title = 'taken'</script>"
    accuracies = {"default": 0.01, evil: 0.02, "<b>bold</b>": 0.03}
    runs = [
        make.run(scheme, seed, accuracy=[0.5 + gain * seed, 0.6 + gain * seed**2], model=evil)
        for scheme, gain in accuracies.items()
        for seed in range(3)
    ]
    page = show(make.of(tuple(runs)))
    assert "taken" not in page.title.replace(evil, "")
    assert page.find_element(By.TAG_NAME, "h1").text == f"{evil} on digits"
    assert not page.find_elements(By.TAG_NAME, "b")
    names = [button.text for button in page.find_elements(By.CSS_SELECTOR, ".legend button")]
    assert sorted(names) == sorted(accuracies)
