"""Several audits side by side: a column for each scheme, a row for each measure and check."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table

from firstlight.auditing.result import Audit
from firstlight.auditing.text import state
from firstlight.auditing.verdict import LEVELS, Verdict
from firstlight.cli.show.notation import BRIEF, MARKS, NONE, STYLES, Write, joined, short, writer
from firstlight.cli.show.summary import SUMMARY


@dataclass(frozen=True)
class SideBySide:
    """Audits of one network by scheme, laid out for a terminal or a pipe.

    Attributes:
        title: what the network is called.
        about: what the batch is.
        audits: by scheme, in the order of the columns.
    """

    title: str
    about: str
    audits: Mapping[str, Audit]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        write = writer(options)
        yield write(f"{self.title} under {len(self.audits)} schemes", "bold")
        yield write(f"batch: {self.about}", "dim")
        yield write("")
        rows = _rows(self.audits)
        gap, blocks = _fitting(rows, tuple(self.audits), options.max_width)
        for schemes in blocks:
            yield _table(rows, schemes, write, gap)
            yield write("")
        for scheme, audit in self.audits.items():
            ending = write(f"{MARKS[audit.level]} {state(audit)}", STYLES[audit.level])
            yield joined(write(f"{scheme}: ", "bold"), ending)
            for verdict in (*audit.failures, *audit.warnings):
                said = f"{verdict.level}: {verdict.check}: {verdict.message}"
                yield Padding(write(said), (0, 0, 0, 2), expand=False)


@dataclass(frozen=True)
class Row:
    """One measure or check: its name, its cells by scheme, and their styles."""

    name: str
    cells: Mapping[str, str]
    styles: Mapping[str, str]
    last: bool = False


def _rows(audits: Mapping[str, Audit]) -> list[Row]:
    measures = []
    for name, measure in SUMMARY.items():
        cells = {scheme: measure(audit) for scheme, audit in audits.items()}
        if set(cells.values()) != {NONE}:
            measures.append(Row(name, cells, {}))
    if measures:
        measures[-1] = Row(measures[-1].name, measures[-1].cells, {}, last=True)
    return measures + [_check(name, audits) for name in _checks(audits)]


def _checks(audits: Mapping[str, Audit]) -> list[str]:
    """Return the names of all checks, those with the most and worst faults first."""
    names = dict.fromkeys(v.check for audit in audits.values() for v in audit.verdicts)

    def faults(name: str) -> tuple[int, int]:
        found = [worst for audit in audits.values() if (worst := _worst(audit, name))]
        levels = [verdict.level for verdict in found]
        return -levels.count("failure"), -levels.count("warning")

    return sorted(names, key=faults)


def _worst(audit: Audit, check: str) -> Verdict | None:
    found = [verdict for verdict in audit.verdicts if verdict.check == check]
    return max(found, key=lambda verdict: LEVELS.index(verdict.level), default=None)


def _check(name: str, audits: Mapping[str, Audit]) -> Row:
    cells, styles = {}, {}
    for scheme, audit in audits.items():
        worst = _worst(audit, name)
        if worst is None:
            cells[scheme] = NONE
            continue
        number = "" if worst.number is None else f" {short(worst.number)}"
        cells[scheme] = f"{MARKS[worst.level]} {BRIEF[worst.level]}{number}"
        styles[scheme] = STYLES[worst.level]
    return Row(name, cells, styles)


def _fitting(
    rows: Sequence[Row], schemes: tuple[str, ...], width: int
) -> tuple[int, list[tuple[str, ...]]]:
    """Return the gap between columns, and which schemes stand beside each other."""
    wide, narrow = (list(_blocks(rows, schemes, width, gap)) for gap in (2, 1))
    return (2, wide) if len(wide) == len(narrow) else (1, narrow)


def _blocks(
    rows: Sequence[Row], schemes: tuple[str, ...], width: int, gap: int
) -> Iterator[tuple[str, ...]]:
    """Yield as many schemes at a time as fit beside the names of the rows."""
    label = max(len(row.name) for row in rows) if rows else 0
    block: list[str] = []
    taken = label
    for scheme in schemes:
        own = gap + max([_head_width(scheme), *(cell_len(row.cells[scheme]) for row in rows)])
        if block and taken + own > width:
            yield tuple(block)
            block, taken = [], label
        block.append(scheme)
        taken += own
    yield tuple(block)


def _head(scheme: str) -> str:
    """Break a scheme with options before an option."""
    return re.sub(r"(?<=:)(?=.)", "\n", scheme)


def _head_width(scheme: str) -> int:
    return max(map(len, _head(scheme).split("\n")))


def _table(rows: Sequence[Row], schemes: tuple[str, ...], write: Write, gap: int) -> Table:
    padding = (0, gap - 1, 0, 0)  # beside the box's own column
    table = Table(box=box.SIMPLE_HEAD, padding=padding, pad_edge=False, show_edge=False)
    table.add_column(overflow="crop", no_wrap=True)
    for scheme in schemes:
        table.add_column(write(_head(scheme)), no_wrap=True, overflow="crop", vertical="bottom")
    for row in rows:
        cells = [write(row.cells[scheme], row.styles.get(scheme, "")) for scheme in schemes]
        table.add_row(write(row.name), *cells, end_section=row.last)
    return table
