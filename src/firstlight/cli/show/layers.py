"""The layers of an audit as a table: each weight, and the first activation behind it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

from firstlight.auditing.measures import ActivationMeasures, WeightMeasures
from firstlight.auditing.result import Audit
from firstlight.auditing.verdict import LEVELS, Level
from firstlight.cli.show.notation import (
    MARKS,
    NONE,
    STYLES,
    TIMES,
    joined,
    percent,
    short,
    shortened,
    writer,
)


@dataclass(frozen=True)
class Row:
    """A weight, an activation that no single weight stands before, or both."""

    name: str
    level: Level
    weight: WeightMeasures | None = None
    after: ActivationMeasures | None = None


@dataclass(frozen=True)
class Layers:
    """The table, as wide as the terminal lets it be."""

    audit: Audit

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found = rows(self.audit)
        if not found:
            return
        columns = {name: [cell(row) for row in found] for name, cell in _COLUMNS.items()}
        # what no row has says nothing
        columns = {name: cells for name, cells in columns.items() if set(cells) - {"", NONE}}
        names = [row.name for row in found]
        gone = _left_out(columns, names, options.max_width)
        kept = {name: cells for name, cells in columns.items() if name not in gone}
        room = options.max_width - _taken(kept) - 2
        yield _table([(row.level, shortened(row.name, room)) for row in found], kept, options)
        yield writer(options)("\n".join(_notes(kept, gone)), "dim")


def _notes(kept: dict[str, list[str]], gone: Iterable[str]) -> list[str]:
    """Explain the headings that need it, and say which ones had no room."""
    said = [note for name, note in _NOTES.items() if name in kept]
    if any("(" in cell for name in _NOTES for cell in kept.get(name, ())):
        said[-1] += _PREDICTED
    left = ", ".join("".join(name.split()).replace("-", "") for name in gone)
    return [*said, f"Left out for want of room: {left}."] if left else said


def rows(audit: Audit) -> list[Row]:
    """Lay out the layers; an activation that no single weight stands before gets its own row."""
    worst = _worst(audit)
    names = {weight.parameter for weight in audit.weights}
    first: dict[str, ActivationMeasures] = {}
    others: dict[str, list[ActivationMeasures]] = {}
    for one in audit.activations:
        if one.weight in names and one.weight not in first:
            first[one.weight] = one
        else:
            others.setdefault(_before(one, audit.weights), []).append(one)
    made = [_alone(one, worst) for one in others.pop("", [])]
    for weight in audit.weights:
        made.append(_row(weight, first.pop(weight.parameter, None), worst))
        made += [_alone(one, worst) for one in others.pop(weight.name, [])]
    return made


def _before(one: ActivationMeasures, weights: tuple[WeightMeasures, ...]) -> str:
    """Return the name of the last weight on the way to an activation; "" if none is known."""
    known = [(w.depth, at, w.name) for at, w in enumerate(weights) if w.depth is not None]
    return max((found for found in known if found[0] < one.depth), default=(0, 0, ""))[2]


def _row(weight: WeightMeasures, after: ActivationMeasures | None, worst: dict[str, Level]) -> Row:
    found = [worst.get(name, "ok") for name in (weight.name, weight.parameter)]
    found += [worst.get(after.path, "ok")] if after else []
    return Row(_plain(weight.name), max(found, key=LEVELS.index), weight, after)


def _alone(one: ActivationMeasures, worst: dict[str, Level]) -> Row:
    return Row(one.path or "(root)", worst.get(one.path, "ok"), None, one)


def _worst(audit: Audit) -> dict[str, Level]:
    found: dict[str, Level] = {}
    for verdict in reversed(audit.verdicts):  # failures come first there, and last here
        found.update(dict.fromkeys(verdict.where, verdict.level))
    return found


def _plain(name: str) -> str:
    """Leave out what every weight is called.

    Example:
        >>> _plain("layer1.0.conv1.weight"), _plain("0.in_proj_weight[q]"), _plain("weight")
        ('layer1.0.conv1', '0.in_proj[q]', 'weight')
    """
    return re.sub(r"[._]weight(?=\[|$)", "", name) or name


def _of(
    part: str, cell: Callable[[WeightMeasures], str] | Callable[[ActivationMeasures], str]
) -> Callable[[Row], str]:
    def written(row: Row) -> str:
        measures = getattr(row, part)
        return "" if measures is None else cell(measures)

    return written


def _rank(weight: WeightMeasures) -> str:
    if weight.rank is None:
        return NONE
    return "full" if weight.rank == weight.full_rank else f"{weight.rank}/{weight.full_rank}"


def _skewed(degree: int) -> Callable[[ActivationMeasures], str]:
    def cell(one: ActivationMeasures) -> str:
        predicted = getattr(one, f"skewed_{degree}_predicted")
        beside = "" if predicted is None else f" ({percent(predicted)})"
        return percent(getattr(one, f"skewed_{degree}")) + beside

    return cell


#: By heading; a number that no verdict and no reader needs first is left out first.
_COLUMNS: dict[str, Callable[[Row], str]] = {
    "shape": _of("weight", lambda w: TIMES.join(map(str, w.shape))),
    "rms": _of("weight", lambda w: short(w.rms)),
    "rank": _of("weight", _rank),
    "S\nratio": _of("weight", lambda w: short(round(w.row_sum_ratio, 2))),
    "grad.\nnorm": _of("weight", lambda w: short(w.gradient_norm, 2)),
    "acti-\nvation": _of("after", lambda a: a.activation),
    "E z²": _of("after", lambda a: short(a.second_moment)),
    "skew\n.1 %": _of("after", _skewed(10)),
    "skew\n.3 %": _of("after", _skewed(30)),
    "dead\n%": _of("after", lambda a: percent(a.dead)),
    "OUI": _of("after", lambda a: NONE if a.oui is None else f"{a.oui:.2f}"),
}
_DISPENSABLE = (
    *("shape", "OUI", "rms", "acti-\nvation", "rank", "dead\n%", "skew\n.1 %", "S\nratio"),
    *("grad.\nnorm", "skew\n.3 %"),
)
_NOTES = {
    "S\nratio": "S ratio: row sums over those of independent entries of the same size.",
    "skew\n.3 %": "skew: units that are on, or off, for over 60 % (.1) or 80 % (.3) of the batch.",
}
_PREDICTED = " In brackets: as theory predicts for these weights (arXiv 2505.12909)."
_LEFT = ("acti-\nvation",)
_LEAST = 14  # of a layer's name


def _left_out(columns: dict[str, list[str]], names: list[str], width: int) -> tuple[str, ...]:
    """Return the headings that must go so that the layers' names can be told apart."""
    wanted = min(max(map(len, ["layer", *names])), _LEAST)
    able = [name for name in _DISPENSABLE if name in columns]
    for count in range(len(able)):
        kept = {name: cells for name, cells in columns.items() if name not in able[:count]}
        if _taken(kept) + 2 + wanted <= width:
            return tuple(able[:count])
    return tuple(able)


def _taken(columns: dict[str, list[str]]) -> int:
    """Return the room that columns need, with a gap before each."""
    return sum(
        1 + max(map(cell_len, [*cells, *name.split("\n")])) for name, cells in columns.items()
    )


def _table(
    names: list[tuple[Level, str]], columns: dict[str, list[str]], options: ConsoleOptions
) -> Table:
    write = writer(options)
    longest = max(len(name) for name in ["layer", *(name for _, name in names)])
    wide = longest + 3 + _taken(columns) + len(columns)
    gap = (0, 1 if wide <= options.max_width else 0, 0, 0)
    table = Table(box=box.SIMPLE_HEAD, padding=gap, pad_edge=False, show_edge=False)
    table.add_column(write("\n  layer"), no_wrap=True, overflow="crop")
    for name in columns:
        head = name if "\n" in name else f"\n{name}"
        justify: Literal["left", "right"] = "left" if name in _LEFT else "right"
        table.add_column(write(head), justify=justify, no_wrap=True, overflow="crop")
    for (level, name), *cells in zip(names, *columns.values(), strict=True):
        mark = " " if level == "ok" else MARKS[level]
        first = joined(write(f"{mark} ", STYLES[level]), write(name))
        table.add_row(first, *map(write, cells))
    return table
