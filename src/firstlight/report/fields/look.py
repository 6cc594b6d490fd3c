"""What the rows of a study look like: which panel each belongs to, its colour and its label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from matplotlib import colormaps
from matplotlib.colors import to_hex

from firstlight.report.canvas import plain, short
from firstlight.report.palette import styles

if TYPE_CHECKING:
    from firstlight.fields.studying.result import Study, StudyRow

#: The row that ``choose_alpha`` made, wherever colours stand for alpha.
AUTO = "#D55E00"
#: The part of viridis that is dark enough on white.
_FROM, _TO = 0.0, 0.72


@dataclass(frozen=True)
class Look:
    """One row in a panel.

    Attributes:
        row: of the study.
        label: what tells it from the others of its panel.
        colour: of its line.
    """

    row: "StudyRow"
    label: str
    colour: str

    @property
    def weight(self) -> str:
        """The automatic choice stands out."""
        return "bold" if self.row.auto else "normal"

    @property
    def width(self) -> float:
        """Of its line, in points."""
        return 2.2 if self.row.auto else 1.6


@dataclass(frozen=True)
class Panel:
    """Rows that are drawn together: one network at several alphas, or several networks.

    Attributes:
        name: of the network; empty where there are several.
        looks: the rows.
    """

    name: str
    looks: tuple[Look, ...]

    @property
    def shown(self) -> str:
        """The name as Matplotlib takes it."""
        return plain(short(self.name, 22))


def panels(study: "Study") -> tuple[Panel, ...]:
    """Sort the rows: a network of several alphas has a panel of its own, all others share one."""
    names: dict[str, list[StudyRow]] = {}
    for row in study.rows:
        names.setdefault(row.name, []).append(row)
    found = [Panel(name, _by_alpha(rows)) for name, rows in names.items() if len(rows) > 1]
    single = [rows[0] for rows in names.values() if len(rows) == 1]
    if single:
        looks = styles(row.label for row in single)
        shared = [Look(row, named(row.label), looks[row.label].light) for row in single]
        found.append(Panel("", tuple(shared)))
    return tuple(found)


def by_name(shown: Sequence[Panel]) -> tuple[Panel, ...]:
    """The same panels, to be drawn as one: a colour for each network where there are several."""
    names = [panel.name for panel in shown if panel.name]
    if len(shown) == 1 or not names:
        return tuple(shown)
    rest = [look.row.label for panel in shown if not panel.name for look in panel.looks]
    looks = styles([*names, *rest])
    return tuple(
        replace(
            panel,
            looks=tuple(
                replace(look, colour=looks[panel.name or look.row.label].light)
                for look in panel.looks
            ),
        )
        for panel in shown
    )


def _by_alpha(rows: "list[StudyRow]") -> tuple[Look, ...]:
    """Colours from dark to light as alpha grows."""
    given = sorted((row for row in rows if not row.auto), key=lambda row: row.alpha or 0.0)
    last = max(1, len(given) - 1)
    colours = {
        row.label: to_hex(colormaps["viridis"](_FROM + (_TO - _FROM) * place / last))
        for place, row in enumerate(given)
    }
    return tuple(Look(row, alpha_of(row), colours.get(row.label, AUTO)) for row in rows)


def alpha_of(row: "StudyRow") -> str:
    """Its weight scale in a few letters."""
    if row.alpha is None:
        return named(row.label)
    return f"auto {row.alpha:.2f}" if row.auto else f"\N{GREEK SMALL LETTER ALPHA} {row.alpha:g}"


def named(label: str) -> str:
    """A name that Matplotlib shows as it is, not too long."""
    return plain(short(label, 30))


def caption(study: "Study", what: str) -> str:
    """What the marks of a figure stand for, with the number of seeds."""
    return what.format(seeds=len(study.seeds)) if len(study.seeds) > 1 else "one seed"


def title(study: "Study", what: str) -> str:
    """A figure's title."""
    name = PurePath(study.signal).name or study.signal
    return f"{what}: {plain(short(name, 40))}"
