import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest
from reader import Reader

from firstlight.report.curves import curves
from firstlight.report.group import groups
from firstlight.report.html import page

EVIL = "<script>alert(1)</script>"


def build(comparison):
    shown = groups(comparison)
    return page(comparison, shown, [curves(group) for group in shown], "results")


@pytest.fixture
def hostile(make):
    """Every free text of a comparison tries to get out of its place."""
    runs = [
        make.run(scheme, seed, accuracy=[0.5 + 0.01 * seed, 0.6], model=EVIL, data='"><img src=x>')
        for scheme in ("default", EVIL, "</script><b>")
        for seed in range(2)
    ]
    reason = f"{EVIL} & 'quoted' </td>"
    crash = make.run(EVIL, 2, accuracy=[], status="crashed", reason=reason, model=EVIL, epochs=2)
    runs.append(crash.model_copy(update={"spec": runs[0].spec.model_copy(update={"seed": 2})}))
    return make.of(tuple(runs))


def test_no_name_or_reason_becomes_markup(make, hostile):
    clean, dirty = Reader(build(make.sweep(seeds=2))), Reader(build(hostile))
    assert [tag for tag, _ in dirty.tags if tag in ("img", "b")] == ["img"]  # the curves
    assert len(dirty.scripts) == len(clean.scripts)
    text = " ".join(dirty.text)
    for free in (EVIL, '"><img src=x>', "</script><b>", f"{EVIL} & 'quoted' </td>"):
        assert free in text


def test_the_browser_is_told_to_run_our_scripts_and_no_others(make):
    reader = Reader(build(make.sweep()))
    (policy,) = [tag["content"] for _, tag in reader.tags if "http-equiv" in tag]
    types = [attrs.get("type") for tag, attrs in reader.tags if tag == "script"]
    scripts = [text for kind, text in zip(types, reader.scripts, strict=True) if kind is None]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert len(scripts) == 2
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in re.search(r"script-src[^;]*", policy).group()


def test_loads_nothing_from_anywhere(make):
    reader = Reader(build(make.two_settings()))
    for tag, attrs in reader.tags:
        for name in ("src", "href", "srcset", "data", "poster", "action"):
            value = attrs.get(name, "data:")
            assert value.startswith(("data:", "#")), (tag, value)
        assert "url(" not in (attrs.get("style") or "")
    style = re.search(r"<style>(.*?)</style>", build(make.sweep()), re.DOTALL).group(1)
    assert "url(" not in style
    assert "@import" not in style


def test_plotly_is_in_the_page_once_whatever_the_number_of_settings(make):
    one, two = build(make.sweep()), build(make.two_settings())
    assert two.count("plotly.js v") == one.count("plotly.js v") >= 1
    assert len(two) - len(one) < 1_000_000


def test_numbers_figures_and_failures_are_in_the_page(make):
    reader = Reader(build(make.with_failures()))
    text = re.sub(r"\s+", " ", " ".join(reader.text))  # no-break spaces become plain ones
    for part in (
        "harmonic reaches 96.3 %, +6.77 points against default",
        "4 of 18 runs failed.",
        "Not distinguishable from default at 5 %: he_normal, sinusoidal.",
        "lsuv, seeds 0, 1, 2: crashed: out of memory",
        "96.3 ± 1.1",
        "--schemes default,he_normal,orthogonal,sinusoidal,harmonic,lsuv",
        "2.13.0",
        "--out results",
        "18 runs, 4 failed",
        "with its 95 % band",
        "1.1 [\N{MINUS SIGN}0.2, 3.9]",
        "3 seeds can give no p below 0.250",
    ):
        assert part in text
    kinds = [attrs.get("type") for tag, attrs in reader.tags if tag == "script"]
    data = [json.loads(s) for s, k in zip(reader.scripts, kinds, strict=True) if k is not None]
    assert len(data) == 2
    pictures = [attrs["src"] for tag, attrs in reader.tags if tag == "img"]
    assert len(pictures) == 1
    assert base64.b64decode(pictures[0].partition(",")[2]).startswith(b"\x89PNG")


def test_several_settings_get_an_overview_and_links(make):
    reader = Reader(build(make.two_settings()))
    targets = {attrs.get("id") for _, attrs in reader.tags}
    links = [attrs["href"][1:] for tag, attrs in reader.tags if tag == "a"]
    assert len(links) == 2
    assert set(links) <= targets
    assert "overview" in targets
    assert "overview" not in {attrs.get("id") for _, attrs in Reader(build(make.sweep())).tags}


def test_the_runs_that_chose_the_learning_rates_are_shown(make):
    text = " ".join(Reader(build(make.tuned())).text)
    assert "6 runs that chose the learning rates" in text
    assert "and the learning rate, which was chosen for each scheme" in text
    assert "--tune-lr" in text
    assert "that chose the learning rates" not in " ".join(Reader(build(make.sweep())).text)


def test_one_seed_is_not_shown_as_a_result(make):
    reader = Reader(build(make.sweep(seeds=1)))
    text = " ".join(reader.text)
    assert "One seed has no error bar" in text
    assert "95 % band" not in text
    classes = {attrs.get("class") for _, attrs in reader.tags}
    assert not classes & {"forest", "strength"}


def test_one_run_is_counted_as_one(make):
    text = " ".join(Reader(build(make.sweep(("default",), seeds=1))).text)
    assert "1 run, 0 failed" in text


def test_the_rates_have_a_column_where_they_were_tuned_even_if_they_are_equal(make):
    plain, tuned = make.sweep(seeds=1), make.of(make.sweep(seeds=1).results, tuning=[])
    tuned = replace(tuned, sweep=tuned.sweep.model_copy(update={"tune_lr": True}))
    heads = [re.findall(r"data-sortable[^>]*>Rate<", build(found)) for found in (plain, tuned)]
    assert [len(found) for found in heads] == [0, 1]


def test_the_same_comparison_gives_the_same_page(make):
    assert build(make.sweep()) == build(make.sweep())
