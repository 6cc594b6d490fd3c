import base64
import hashlib
import json
import math
import re

import pytest
from reader import Reader

from firstlight.report import write_audit

EVIL = "<script>alert(1)</script>"
QUOTES = "\"><img src=x onerror='alert(1)'>"


@pytest.fixture
def page(tmp_path):
    def build(audits, command=""):
        return write_audit(audits, tmp_path, command=command)[-1].read_text(encoding="utf-8")

    return build


def text_of(page):
    return re.sub(r"\s+", " ", " ".join(Reader(page).text))


def figures(page):
    kinds = [attrs.get("type") for tag, attrs in Reader(page).tags if tag == "script"]
    scripts = Reader(page).scripts
    return [json.loads(s) for s, k in zip(scripts, kinds, strict=True) if k is not None]


def hostile(made):
    """Every free text of an audit tries to get out of its place."""
    verdict = made.verdicts((EVIL,))[0]
    fields = ("check", "message", "source", "advice")
    bad = type(verdict)(
        level="failure", where=(EVIL, QUOTES), **dict.fromkeys(fields, f"{EVIL} {QUOTES}")
    )
    return made.audit(
        model=EVIL,
        how=QUOTES,
        device=EVIL,
        weights=(made.weight(EVIL, kind=QUOTES, note=EVIL, same_as=(QUOTES,)),),
        activations=(made.activation(EVIL, weight=EVIL, activation=QUOTES),),
        verdicts=(bad,),
        versions=((EVIL, QUOTES),),
    )


def test_no_name_becomes_markup(made, page):
    name = made.weight("a").name
    clean = made.audit(
        weights=(made.weight(name),), activations=(made.activation("act", weight=name),)
    )
    clean = Reader(page({"a": clean, "b": clean}))
    text = page({EVIL: hostile(made), QUOTES: hostile(made)}, command=f"{EVIL} {QUOTES}")
    dirty = Reader(text)
    assert len(dirty.scripts) == len(clean.scripts)
    assert not any("onerror" in attrs or attrs.get("src") == "x" for _, attrs in dirty.tags)
    said = " ".join(dirty.text)
    assert EVIL in said
    assert QUOTES in said
    for figure in figures(text):  # Plotly reads tags in names
        shown = [trace["name"] for trace in figure["data"]] + figure["shared"]["customdata"]
        assert not any("<" in name for name in shown)


def test_the_browser_is_told_to_run_our_scripts_and_no_others(made, page):
    reader = Reader(page(made.rich()))
    (policy,) = [tag["content"] for _, tag in reader.tags if "http-equiv" in tag]
    types = [attrs.get("type") for tag, attrs in reader.tags if tag == "script"]
    scripts = [text for kind, text in zip(types, reader.scripts, strict=True) if kind is None]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert len(scripts) == 3
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes


def test_loads_nothing_from_anywhere(made, page):
    text = page(made.side_by_side())
    for tag, attrs in Reader(text).tags:
        for name in ("src", "href", "srcset", "data", "poster", "action"):
            value = attrs.get(name, "data:")
            assert value.startswith(("data:", "#")), (tag, value)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    assert all(found.startswith("#") for found in re.findall(r"url\((.*?)\)", style))
    assert "@import" not in style


def test_links_lead_somewhere_and_no_id_is_there_twice(made, page):
    for audits in (made.side_by_side(), made.rich(), made.audit(layers=0)):
        tags = Reader(page(audits)).tags
        ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
        links = {attrs["href"][1:] for _, attrs in tags if attrs.get("href", "").startswith("#")}
        assert len(ids) == len(set(ids))
        assert links <= set(ids)
        labels = {attrs["aria-labelledby"] for _, attrs in tags if "aria-labelledby" in attrs}
        assert labels <= set(ids)


def test_verdicts_come_first_with_word_number_remedy_and_place(made, page):
    names = tuple(f"layers.{index}.weight" for index in range(9))
    audit = made.audit(layers=9, judged=made.verdicts(names))
    text = text_of(page(audit))
    assert "1 failure and 1 warning; 3 checks made." in text
    for part in (
        "failure rank half is missing Where layers.0.weight worst 0.5, threshold 0.25",
        "· arXiv 2505.12909 Remedy firstlight.initialize(model, 'harmonic')",
        "warning twin rows rows agree Where layers.0.weight , layers.1.weight , layers.2.weight ,",
        "5 more",
        "1 check ok",
    ):
        assert part in text
    assert text.index("half is missing") < text.index("Each activation in order")


def test_several_schemes_are_compared_check_by_check(made, page):
    text = text_of(page(made.side_by_side()))
    assert "default, he_normal, sinusoidal: healthy. harmonic: 1 failure and 1 warning." in text
    assert "rank ok ok ok failure twin rows ok ok ok warning" in text
    assert "1 check ok under every scheme" in text


def test_every_measure_has_a_panel_with_a_line_for_each_scheme(made, page):
    found = figures(page(made.side_by_side()))
    assert [len(figure["data"]) for figure in found] == [4, 4, 8, 8, 8, 4, 4, 4, 4]
    assert all(len(trace["y"]) == 2 for figure in found for trace in figure["data"])
    assert found[0]["shared"]["customdata"] == ["1: act.0 (relu)", "2: act.1 (relu)"]


def test_what_was_not_measured_is_said(made, page):
    audit = made.audit(
        activations=(
            made.activation("a", oui=None, chi=None, chi_predicted=None, correlation=None),
        )
    )
    text = text_of(page(audit))
    assert "Not measured anywhere: Gradient factor χ, OUI" in text
    assert "Saturated elements." in text


def test_numbers_that_are_none_infinite_or_no_number_are_shown_as_such(made, page):
    name = "layers.0.weight"
    lost = made.weight(name, finite=False, rms=math.nan, sketch=None, rank=None, condition=math.inf)
    wild = {"second_moment": math.inf, "gradient_norm": math.nan, "correlation": None}
    audit = made.audit(
        layers=1,
        weights=(lost,),
        activations=(
            made.activation("a", weight=name, finite=False, **wild),
            made.activation("b", second_moment=0.0),
            made.activation("c"),
        ),
    )
    text = page(audit)
    said = text_of(text)
    assert "not a number" in said
    assert "∞" in said
    assert "1 not finite, not drawn; zeros lie on the bottom edge" in said
    assert "NaN" not in text[text.index("<main>") : text.index("plotly.js v")]
    assert "Infinity" not in json.dumps(figures(text))
    (moment,) = [f for f in figures(text) if "1 not" not in f and f["data"][0].get("text")][:1]
    assert moment["data"][0]["text"][1] == "0"


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_small_networks_have_a_page(made, page, layers):
    text = text_of(page(made.audit(layers=layers)))
    assert ("No weight was measured." in text) == (layers == 0)
    assert ("No activation was found" in text) == (layers < 2)
    assert ("Depth profiles" in text) == (layers == 2)


def test_a_picture_has_a_text_for_those_who_do_not_see_it(made, page):
    tags = Reader(page(made.side_by_side())).tags
    assert all(attrs.get("alt") for tag, attrs in tags if tag == "img")
    roles = [attrs for tag, attrs in tags if attrs.get("role") == "img"]
    assert all(attrs.get("aria-label") for attrs in roles)
    assert all(
        "aria-hidden" in attrs or attrs.get("aria-label") for tag, attrs in tags if tag == "svg"
    )


def test_all_tables_have_a_caption(made, page):
    tags = [tag for tag, _ in Reader(page(made.rich())).tags]
    assert tags.count("table") == tags.count("caption") >= 7


def test_optional_sections_are_there_where_measured(made, page):
    rich, bare = text_of(page(made.rich())), text_of(page(made.audit()))
    for heading in (
        "Spectra and attention",
        "Norms with running statistics",
        "Neural tangent kernel",
        "Input-output Jacobian",
    ):
        assert heading in rich
        assert f"{heading} " not in bare.partition("How to read this")[0].replace(
            f"{heading} Gradient", ""
        )
    assert "1.7" in rich


def test_a_deep_network_keeps_to_a_size_and_says_what_it_left_out(made, page):
    text = page(made.side_by_side(layers=150))
    assert len(text.encode()) < 8_000_000
    said = text_of(text)
    assert "24 of 149 activations are in this page" in said
    assert "24 of 150 weights are in this page" in said


def test_shared_parts_are_in_the_page_once(made, page):
    text = page(made.side_by_side(layers=20))
    assert text.count('<symbol id="scheme-0"') == 1
    assert text.count("plotly.js v") >= 1
