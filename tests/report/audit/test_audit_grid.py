import math

import pytest

from firstlight.report.audit.grid import number, share, text
from firstlight.report.notation import MINUS, NONE, significant


@pytest.mark.parametrize(
    "value", [0, 3, 254, 0.5, 1e-9, 2.5e7, -0.25, 1234567, 99999, 0.00012, math.inf, -math.inf]
)
@pytest.mark.parametrize("note", ["", "(0.5)"])
def test_the_page_sorts_by_the_value_itself(value, note):
    cell = number(value, note)
    key = cell.text if cell.key is None else cell.key
    assert float(key) == pytest.approx(value, rel=6e-3)


@pytest.mark.parametrize("cell", [number(None), number(math.nan), share(None), share(math.inf)])
def test_what_has_no_value_comes_last(cell):
    assert cell.key == ""


def test_words_sort_as_they_are_read():
    assert text("conv").key is None
    assert text("").key == ""
    assert text("").text == NONE


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1e-45, "1e-45"),
        (123456.0, "1.23e5"),
        (99950.0, "100000"),
        (99950, "99950"),
        (12345678, "1.23e7"),
        (math.nan, "not a number"),
    ],
)
def test_numbers_of_any_size_are_short(value, written):
    assert significant(value) == written
    if value > 0:
        assert significant(-value) == f"{MINUS}{written}"
