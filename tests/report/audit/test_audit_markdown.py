"""The Markdown against stored text: read golden/*.md to see what it looks like."""

import re
from pathlib import Path

import pytest

from firstlight.report import write_audit
from firstlight.report.audit.markdown import code, escaped

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def markdown(tmp_path):
    def build(audits, command=""):
        return write_audit(audits, tmp_path, command=command)[1].read_text(encoding="utf-8")

    return build


@pytest.mark.parametrize("name", ["side_by_side", "rich"])
def test_looks_as_stored(made, markdown, name):
    found = markdown(getattr(made, name)(), "firstlight audit --model net")
    assert found == (GOLDEN / f"{name}.md").read_text(encoding="utf-8")


def cells(line):
    """Split a row of a table where GitHub does."""
    return re.split(r"(?<!\\)\|", line)[1:-1]


def test_no_name_breaks_a_table_or_becomes_markup(made, markdown):
    evil = "a|b`c <script>*x*\n# [y](z)"
    weight = made.weight(evil, same_as=(evil,))
    verdict = made.verdicts((evil,))[0]
    audit = made.audit(model=evil, weights=(weight,), judged=(verdict,), activations=())
    text = markdown({evil: audit, "b": audit}, command="```\nlist")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(cells(line)) for line in rows[:3]}) == 1
    assert {len(cells(line)) for line in rows if "scheme" in line.lower()} == {10, 12}
    outside = re.sub(r"(`+).*?\1", "", text)
    assert not re.search(r"(?<!\\)<", outside)
    assert "````text\n```\nlist\n````" in text


@pytest.mark.parametrize("text", ["", "`", "``a", "a``", "a b", "|"])
def test_code_holds_anything(text):
    fence = re.match("`+", code(text)).group()
    inside = code(text)[len(fence) : -len(fence)]
    assert fence not in inside
    assert inside.strip() == text


def test_nothing_is_escaped_without_need():
    assert escaped("3.2e-7 of (x), 50 %: fine!") == "3.2e-7 of (x), 50 %: fine!"
