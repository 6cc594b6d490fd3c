"""The registry is whole, and the page shows all of it."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from firstlight.errors import FirstlightError, OptionError
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.page import page
from firstlight.papers.registry import ENTRIES, find
from firstlight.papers.reproduce import Reproduced, kept_preset, read, reproduce


def test_names_are_unique_and_every_entry_says_what_it_is():
    assert len(ENTRIES) >= 60
    for name, entry in ENTRIES.items():
        assert re.fullmatch(r"(sinusoidal|weight-scaling|odd-sigmoid)/[a-z0-9-]+", name)
        assert entry.asks.endswith("?"), name
        # what the paper leaves open it may say nothing of
        assert entry.published or entry.kind in ("question", "check"), name
        assert entry.where, name


@pytest.mark.parametrize(
    "name",
    [
        *(f"sinusoidal/table{number}" for number in range(1, 6)),
        *(f"sinusoidal/figure{number}" for number in (1, 3, 4, 5, 7, 8, 9)),
    ],
)
def test_every_table_and_figure_of_the_sinusoidal_paper_has_an_entry(name):
    assert name in ENTRIES


def test_questions_and_checks_are_entries_too():
    kinds = {
        paper: {e.kind for e in ENTRIES.values() if e.paper == paper}
        for paper in ("sinusoidal", "weight-scaling", "odd-sigmoid")
    }
    assert all("question" in each and "check" in each for each in kinds.values())


def test_find_takes_entries_and_papers_and_refuses_others():
    assert [e.name for e in find(["sinusoidal/table1"])] == ["sinusoidal/table1"]
    assert {e.paper for e in find(["odd-sigmoid"])} == {"odd-sigmoid"}
    assert len(find([])) == len(ENTRIES)
    with pytest.raises(OptionError, match="no entry is called 'sinusoidal/table99'"):
        find(["sinusoidal/table99"])


def tiny(name: str = "sinusoidal/tiny") -> Entry:
    return Entry(
        name=name,
        kind="claim",
        where="Section 1",
        asks="Is one | two?",
        published="yes",
        presets={
            preset: {"value": number} for number, preset in enumerate(("quick", "standard", "full"))
        },
        measure=lambda work: pd.DataFrame({"value": [work["value"]]}),
        judge=lambda frame: [
            Finding("it is | so", "1", str(int(frame["value"].iloc[0])), "same", "by counting")
        ],
    )


def test_what_is_kept_is_read_again_and_judged_anew(tmp_path):
    made = reproduce(tiny(), "standard", out=tmp_path)
    assert made.findings[0].ours == "1"
    kept = read(tiny(), tmp_path)
    assert kept is not None
    assert (kept.findings, kept.about["preset"]) == (made.findings, "standard")
    assert read(tiny("sinusoidal/other"), tmp_path) is None
    (tmp_path / "sinusoidal/tiny/results.parquet").write_bytes(b"no table")
    with pytest.raises(FirstlightError, match=r"does not hold results of sinusoidal/tiny"):
        read(tiny(), tmp_path)
    with pytest.raises(OptionError, match="preset must be one of quick, standard, full"):
        reproduce(tiny(), "medium")


def test_the_page_shows_measured_and_missing_entries(tmp_path):
    made = reproduce(tiny(), "standard", out=tmp_path)
    other = tiny("odd-sigmoid/missing")
    text = page([tiny(), other], {"sinusoidal/tiny": made}, Path("../results"))
    assert "2 entries, 1 measured (1 at its standard preset)" in text
    assert r"| it is \| so | 1 | 1 | same | by counting |" in text
    assert "`firstlight reproduce sinusoidal/tiny --preset standard`" in text
    assert "Not measured yet: odd-sigmoid/missing." in text
    assert isinstance(made, Reproduced)


def test_a_smaller_preset_replaces_no_larger_one(tmp_path):
    reproduce(tiny(), "standard", out=tmp_path)
    before = (tmp_path / "sinusoidal/tiny/about.json").read_bytes()
    assert reproduce(tiny(), "quick", out=tmp_path).about["preset"] == "quick"
    assert (tmp_path / "sinusoidal/tiny/about.json").read_bytes() == before
    assert kept_preset(tmp_path / "sinusoidal/tiny") == "standard"
    reproduce(tiny(), "full", out=tmp_path)
    assert kept_preset(tmp_path / "sinusoidal/tiny") == "full"


def test_the_page_lists_what_differs(tmp_path):
    entry = replace(
        tiny(), judge=lambda _: [Finding("it is so", "1", "2", "differs", "as counted")]
    )
    text = page([entry], {entry.name: reproduce(entry, out=tmp_path)}, Path("results"))
    assert "## What came out differently" in text
    assert "| [sinusoidal/tiny](#sinusoidal-tiny) | it is so | 1 | 2 |" in text
    assert '<a id="sinusoidal-tiny"></a>' in text


def test_a_folder_that_cannot_be_is_refused_before_anything_is_measured(tmp_path):
    (tmp_path / "file").write_text("")
    never = replace(tiny(), measure=lambda _: pytest.fail("measured for nothing"))
    with pytest.raises(FirstlightError, match=r"cannot write to .*: .*file is a file"):
        reproduce(never, out=tmp_path / "file")
