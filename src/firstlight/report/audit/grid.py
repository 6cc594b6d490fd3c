"""Tables as data: the page shows them sortable, Markdown shows their main columns."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeVar

from firstlight.auditing.verdict import Level
from firstlight.report.notation import NONE, percent, significant

T = TypeVar("T")

#: Prose may take several lines.
Kind = Literal["number", "text", "prose", "name", "scheme"]


class Cell(NamedTuple):
    """What one cell shows.

    Attributes:
        text: as it is read.
        value: as it is sorted; None comes last.
        note: more, said quietly.
    """

    text: str
    value: float | str | None
    note: str = ""

    @property
    def key(self) -> str | None:
        """The value to sort by, where the text alone would not do."""
        if self.value is None:
            return ""
        if isinstance(self.value, str) or (self.text == str(self.value) and not self.note):
            return None
        if math.isinf(self.value):
            return "Infinity" if self.value > 0 else "-Infinity"
        return f"{self.value:.5g}" if self.note or not _plain(self.text) else None


def _plain(text: str) -> bool:
    """Return whether JavaScript reads a text as a number.

    Example:
        >>> _plain("3.2e-7"), _plain("3 of 4"), _plain("−1")
        (True, False, False)
    """
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


class Column(NamedTuple, Generic[T]):
    """One column.

    Attributes:
        head: its heading.
        cell: what it shows of a record.
        kind: how it is set; numbers sort as numbers.
        brief: whether Markdown shows it, too.
    """

    head: str
    cell: Callable[[T], Cell]
    kind: Kind = "number"
    brief: bool = False


class Line(NamedTuple):
    """One row: its scheme, and the worst level that a verdict gives it."""

    scheme: str
    level: Level | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        caption: what it shows, in one line.
        heads: of the columns: heading, kind, and whether it is a main one.
        lines: the rows.
    """

    caption: str
    heads: tuple[tuple[str, Kind, bool], ...]
    lines: tuple[Line, ...]


def grid(
    caption: str,
    columns: Sequence[Column[T]],
    records: Sequence[T],
    about: Callable[[T], tuple[str, Level | None]] = lambda _: ("", None),
) -> Grid:
    """Build a table of records.

    Args:
        caption: what it shows, in one line.
        columns: what it shows of each record.
        records: one for each row.
        about: the scheme of a record, and the worst level that a verdict gives it.
    """
    return Grid(
        caption,
        tuple((column.head, column.kind, column.brief) for column in columns),
        tuple(
            Line(*about(record), tuple(column.cell(record) for column in columns))
            for record in records
        ),
    )


def text(value: str) -> Cell:
    """Show words.

    Example:
        >>> text("linear").text, text("").value is None
        ('linear', True)
    """
    return Cell(value or NONE, value or None)


def shape(sizes: Sequence[int]) -> Cell:
    """Show the sizes of a tensor.

    Example:
        >>> shape((64, 3)).text == "64\N{MULTIPLICATION SIGN}3"
        True
    """
    return text("\N{MULTIPLICATION SIGN}".join(map(str, sizes)))


def number(value: float | None, note: str = "") -> Cell:
    """Show a number of any size.

    Example:
        >>> number(0.25), number(-2.0).key, number(float("inf")).key, number(None).key
        (Cell(text='0.25', value=0.25, note=''), '-2', 'Infinity', '')
    """
    known = None if value is None or math.isnan(value) else value
    return Cell(significant(value), known, note)


def share(value: float | None, predicted: float | None = None) -> Cell:
    """Show a share in percent, beside it what theory predicts.

    Example:
        >>> share(0.527, 0.5)
        Cell(text='52.7', value=0.527, note='(50.0)')
    """
    if value is None or not math.isfinite(value):
        return number(None)
    return Cell(percent(value), value, "" if predicted is None else f"({percent(predicted)})")
