"""The terminal's table against stored text: read golden/*.txt to see what it looks like."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from firstlight.report import table
from firstlight.report.group import groups
from firstlight.report.notation import percent, points

GOLDEN = Path(__file__).parent / "golden"


def rendered(comparison, width, encoding="utf-8"):
    buffer = io.BytesIO()
    file = io.TextIOWrapper(buffer, encoding=encoding)
    console = Console(file=file, width=width, color_system=None, legacy_windows=False)
    console.print(table(comparison))
    file.flush()
    return buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [100, 80])
@pytest.mark.parametrize("name", ["sweep", "with_failures", "two_settings"])
def test_looks_as_stored(make, name, width):
    found = rendered(getattr(make, name)(), width)
    assert found == (GOLDEN / f"{name}-{width}.txt").read_text(encoding="utf-8")


def test_one_seed_looks_as_stored(make):
    found = rendered(make.sweep(seeds=1, epochs=4), 80)
    assert found == (GOLDEN / "one_seed-80.txt").read_text(encoding="utf-8")


def test_a_terminal_without_unicode_gets_plain_letters(make):
    found = rendered(make.with_failures(), 100, encoding="ascii")
    assert found == (GOLDEN / "with_failures-ascii.txt").read_text(encoding="ascii")


@pytest.mark.parametrize("width", range(62, 130, 3))
def test_nothing_is_cut_or_wider_than_the_terminal(make, width):
    text = rendered(make.with_failures(), width)
    assert max(len(line) for line in text.splitlines()) <= width
    for whole in ("★ harmonic", "96.3 ± 1.1", "+6.77 [+5.53, +8.00]", "0.007*", "2/3"):
        assert whole in text


@pytest.mark.parametrize("width", range(30, 101, 2))
@pytest.mark.parametrize("name", ["with_failures", "long_names"])
def test_no_cell_is_cut_on_a_narrow_terminal(make, name, width):
    comparison = getattr(make, name)()
    text = rendered(comparison, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    (group,) = groups(comparison)
    words = text.replace("[", " ").replace("]", " ").replace(",", " ").split()
    for row in group.rows:
        assert row.style.marker.glyph in words
        assert row.scheme.partition(":")[0] in text
        if row.finished:
            assert percent(row.measures["accuracy_max"].mean) in words
            if not row.is_baseline:
                assert points(row.difference.mean) in words


def test_the_narrower_the_terminal_the_less_it_shows(make):
    def shown(width):
        text = rendered(make.with_failures(), width)
        return ["96.3 ± 1.1" in text, "0.007*" in text, "[+5.53, +8.00]" in text, "2/3" in text]

    assert shown(30) == [False, False, False, False]
    assert shown(40) == [True, False, False, False]
    assert shown(48) == [True, True, False, False]
    assert shown(56) == [True, True, True, False]
    assert shown(72) == [True, True, True, True]
    # no grid fits names like these here: each scheme has lines of its own, with everything
    lines = rendered(make.long_names(), 40).splitlines()
    at = lines.index("★ harmonic:")
    assert lines[at + 3 : at + 9] == [
        "  epoch 1 55.2 ± 1.9",
        "  epoch 10 95.9 ± 1.8",
        "  maximum 96.3 ± 1.1",
        "  AUC 10.75",
        "  Δ baseline +6.77 [+5.53, +8.00]",
        "  p 0.009*",
    ]


def test_the_table_says_why_an_interval_without_0_may_not_count(make):
    text = rendered(make.sweep(), 100)
    assert "intervals are not corrected: one may leave out 0 although p is above 5 %" in text


def test_a_scheme_with_many_options_breaks_between_them(make):
    text = rendered(make.long_names(), 80)
    assert max(len(line) for line in text.splitlines()) <= 80
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("★"))
    assert lines[at].split()[:3] == ["★", "harmonic:", "55.2"]
    assert lines[at + 1].strip() == "activation=gudermannian:"
    assert lines[at + 2].strip() == "gain=1.4142"


def test_a_name_without_a_place_to_break_is_folded_not_cut(make):
    name = "a" * 30 + "b" * 30
    gains = {"default": 0.01, name: 0.02}
    runs = [
        make.run(scheme, seed, accuracy=[0.5 + gain * seed**2])
        for scheme, gain in gains.items()
        for seed in range(3)
    ]
    text = rendered(make.of(runs), 80)
    assert max(len(line) for line in text.splitlines()) <= 80
    column = "".join(line[:30] for line in text.splitlines())
    assert column.count("a" * 5) >= 5
    assert name in column.replace(" ", "").replace("■", "")


def test_the_best_mean_of_each_column_is_bold(make):
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    bold = [
        segment.text.strip()
        for segment in console.render(table(make.sweep()))
        if segment.style and segment.style.bold and "±" in segment.text
    ]
    assert bold == ["55.2 ± 1.9", "95.9 ± 1.8", "96.3 ± 1.1"]


def test_a_name_is_never_read_as_markup(make):
    runs = [make.run("[bold red]evil[/]", seed, accuracy=[0.5 + 0.1 * seed]) for seed in range(3)]
    assert "[bold red]evil[/]" in rendered(make.of(tuple(runs)), 80)
    assert Text.from_markup("[bold red]evil[/]").plain == "evil"  # what it would have become
