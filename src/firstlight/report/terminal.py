"""Tables on the terminal, in letters where it has no more, as rich as they fit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from rich import box
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

#: What stands where there is no number.
NONE = "\N{EN DASH}"
#: What a terminal without Unicode gets instead.
_ASCII = str.maketrans({NONE: "-", "∞": "inf"})

Row = TypeVar("Row")
Write = Callable[..., Text]


@dataclass(frozen=True)
class TableColumn(Generic[Row]):
    """One column.

    Attributes:
        name: by which it is left out.
        head: above it.
        cell: what it says of a row.
        justify: left or right.
    """

    name: str
    head: str
    cell: Callable[[Row], str]
    justify: Literal["left", "right"] = "right"


def writer(options: ConsoleOptions) -> Write:
    """Return what turns words and a style into Rich's text.

    Example:
        >>> options = Console().options.copy()
        >>> options.encoding = "ascii"
        >>> writer(options)(f"1{NONE}∞").plain
        '1-inf'
    """

    def write(text: str, style: str = "") -> Text:
        return Text(text.translate(_ASCII) if options.ascii_only else text, style)

    return write


def open_table() -> Table:
    """A table with a line below its head and none around it."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def richest_table(
    columns: Sequence[TableColumn[Row]],
    rows: Sequence[Row],
    style: Callable[[Row], str],
    dispensable: Sequence[str],
    console: Console,
    options: ConsoleOptions,
) -> Table:
    """The richest table that fits.

    Args:
        columns: all of them.
        rows: a line each.
        style: of a row.
        dispensable: names of columns that a narrow terminal does without, in this order.
        console: where it is shown.
        options: with the width that there is.
    """
    roomy = options.update(max_width=10_000)
    write = writer(options)
    for count in range(len(dispensable) + 1):
        table = open_table()
        kept = [column for column in columns if column.name not in dispensable[:count]]
        for column in kept:
            table.add_column(write(column.head), justify=column.justify, overflow="fold")
        for row in rows:
            table.add_row(*(write(column.cell(row), style(row)) for column in kept))
        if console.measure(table, options=roomy).maximum <= options.max_width:
            break
    return table
