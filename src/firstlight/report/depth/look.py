"""Which rows of a depth study a figure shows, and what they look like."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from firstlight.report.canvas import plain, short
from firstlight.report.depth.depth_table import network_name
from firstlight.report.palette import Style, styles

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthRow, DepthStudy

#: Networks that one figure can hold.
MOST = 24


def compared(rows: "Sequence[DepthRow]") -> "list[DepthRow]":
    """Rows that are starts to choose from, not steps of a sweep."""
    return [row for row in rows if not is_sweep(row) and not row.found.failure]


def is_sweep(row: "DepthRow") -> bool:
    """Whether a row's start is wrong on purpose, or has a negative rate of its own."""
    start = row.start
    return (start.scale, start.noise, start.omega) != (1, 1, 1) or ":negative_rate=" in start.scheme


def looks(study: "DepthStudy") -> dict[str, Style]:
    """A look for each start, the same in all figures."""
    return styles(row.start.label for row in study.rows if not is_sweep(row))


def groups(study: "DepthStudy") -> "tuple[tuple[DepthRow, ...], ...]":
    """Networks that have rows to compare, as many as a figure can hold."""
    return tuple(rows for rows in study.groups() if compared(rows))[:MOST]


def heading(row: "DepthRow") -> str:
    """The network's name above its panel."""
    return plain(short(network_name(row), 60))


def data_name(study: "DepthStudy") -> str:
    """The data set in a title."""
    return plain(short(study.data.rpartition("/")[2], 40))
