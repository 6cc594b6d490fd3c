"""The page of an audit in a real browser: offline, and usable with a keyboard alone."""

import json
import time

import pytest
from browsing import shown, tab_to

pytest.importorskip("selenium", reason="needs selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def column(page, table, index):
    rows = shown(page, f"{table} tbody tr")
    return [row.find_elements(By.CSS_SELECTOR, "th, td")[index].text for row in rows]


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
