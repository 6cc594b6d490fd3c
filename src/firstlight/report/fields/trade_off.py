"""Speed against held-out quality over alpha, and what ``choose_alpha`` expected of it."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from firstlight.report.canvas import QUIET, SOFT, plain_axes
from firstlight.report.fields.labels import Label, label_points
from firstlight.report.fields.look import AUTO, Look, Panel, by_name, caption, panels, title
from firstlight.report.fields.sheet import Sheet
from firstlight.report.palette import INK

if TYPE_CHECKING:
    from firstlight.fields.studying.result import Over, Study, StudyChoice

#: Points of a line.
Line = list[tuple[float, float]]

_HEIGHT = 3.1
_FAINT = "#c4c4c4"


def trade_off(study: "Study") -> Figure | None:
    """Draw all rows by speed and quality, and each choice of alpha beside what came of it.

    Returns:
        The figure; None where nothing was held out.
    """
    shown = panels(study)
    if not shown or any(look.row.held_out is None for panel in shown for look in panel.looks):
        return None
    chosen = [(choice, _panel(shown, choice)) for choice in study.choices if choice.expected]
    swept = [(choice, panel) for choice, panel in chosen if panel is not None]
    said = caption(study, "median and range of {seeds} seeds")
    if not all(_is_reached(look) for panel in shown for look in panel.looks) and study.target_psnr:
        said += f"; hollow: {study.target_psnr:g} dB not reached in {study.steps:,} steps"
    sheet = Sheet(4.3, _HEIGHT, 2, right=0.35)
    heading = title(study, "Speed against quality between samples")
    figure, axes = sheet.figure(1 + len(swept), heading, said)
    _draw_speed(axes[0], study, by_name(shown))
    for each, (choice, panel) in zip(axes[1:], swept, strict=True):
        _draw_expected(each, study, choice, panel)
    return figure


def _panel(shown: Sequence[Panel], choice: "StudyChoice") -> Panel | None:
    """The panel of a network that was compared at several alphas."""
    return next((panel for panel in shown if panel.name == choice.name), None)


class _Mark(NamedTuple):
    """A row's place: speed, held-out PSNR."""

    at: "Over"
    height: "Over"
    look: Look

    @property
    def drawn(self) -> bool:
        """Whether there is a place: a network that collapsed at once has none."""
        return math.isfinite(self.at.median) and math.isfinite(self.height.median)


def _draw_speed(axes: Axes, study: "Study", shown: Sequence[Panel]) -> None:
    labels: list[Label] = []
    lines: list[Line] = []
    for panel in shown:
        marks = [_Mark(*_speed(study, look), look) for look in panel.looks]
        marks = [mark for mark in marks if mark.drawn]
        lines.append(_by_alpha(panel, marks))
        axes.plot(*_columns(lines[-1]), color=_FAINT, lw=1, zorder=1)
        for mark in marks:
            reached = study.target_psnr is None or _is_reached(mark.look)
            _draw_mark(axes, mark, filled=reached)
            lines += _cross(mark)
            name = f"{panel.shown} " if len(shown) > 1 and panel.name else ""
            labels.append(_label(name + mark.look.label, mark))
    plain_axes(axes, "")
    _name_axes(axes, study)
    axes.margins(0.12, 0.12)
    # steps are whole
    whole = study.target_psnr is not None
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=whole, min_n_ticks=1))
    label_points(axes, labels, lines)


def _by_alpha(panel: Panel, marks: Sequence[_Mark]) -> Line:
    """Through the rows of one network, as alpha grows; nothing where they are several networks."""
    given = [mark for mark in marks if panel.name and not mark.look.row.auto]
    given.sort(key=lambda mark: mark.look.row.alpha or 0.0)
    return [(mark.at.median, mark.height.median) for mark in given]


def _columns(line: Line) -> tuple[list[float], list[float]]:
    return [x for x, _ in line], [y for _, y in line]


def _label(name: str, mark: _Mark) -> Label:
    look = mark.look
    return Label(name, mark.at.median, mark.height.median, look.colour, look.weight)


def _name_axes(axes: Axes, study: "Study") -> None:
    if study.target_psnr is None:
        axes.set_xlabel(f"PSNR of what is fitted after {study.steps} steps, dB", size=9, color=SOFT)
        better = "better: up, right"
    else:
        axes.set_xlabel(f"steps to {study.target_psnr:g} dB", size=9, color=SOFT)
        better = "better: up, left"
    axes.set_ylabel("held-out PSNR, dB", size=9, color=SOFT)
    axes.text(0, 1.03, better, transform=axes.transAxes, size=8.5, color=QUIET)


def _is_reached(look: Look) -> bool:
    return look.row.reached is not None and math.isfinite(look.row.reached.median)


def _speed(study: "Study", look: Look) -> "tuple[Over, Over]":
    """Steps, or the PSNR after equal steps; and held-out PSNR."""
    held_out = look.row.held_out
    at = look.row.psnr if study.target_psnr is None else look.row.reached
    assert at is not None
    assert held_out is not None
    if study.target_psnr is not None:  # never reached is as good as all steps
        at = at._replace(**{name: min(value, study.steps) for name, value in at._asdict().items()})
    return at, held_out


def _draw_mark(axes: Axes, mark: _Mark, *, filled: bool = True) -> None:
    look = mark.look
    axes.errorbar(
        mark.at.median,
        mark.height.median,
        xerr=_bar(mark.at),
        yerr=_bar(mark.height),
        color=look.colour,
        ecolor=look.colour,
        elinewidth=0.9,
        zorder=4 if look.row.auto else 3,
        marker="*" if look.row.auto else "o",
        markersize=12 if look.row.auto else 7,
        markerfacecolor=look.colour if filled else "white",
        markeredgecolor="white" if filled else look.colour,
        markeredgewidth=0.7,
    )


def _bar(over: "Over") -> list[list[float]]:
    """Lengths of a bar before and behind the median; none where an end is not finite."""
    low = over.low if math.isfinite(over.low) else over.median
    high = over.high if math.isfinite(over.high) else over.median
    return [[over.median - low], [high - over.median]]


def _cross(mark: _Mark) -> list[Line]:
    """The two bars of a mark."""
    x, y = mark.at.median, mark.height.median
    ((left,), (right,)), ((below,), (above,)) = _bar(mark.at), _bar(mark.height)
    return [[(x - left, y), (x + right, y)], [(x, y - below), (x, y + above)]]


def _draw_expected(axes: Axes, study: "Study", choice: "StudyChoice", panel: Panel) -> None:
    """Held-out PSNR over alpha, measured and computed."""
    marks = _over_alpha(panel, choice)
    curve = [(mark.at.median, mark.height.median) for mark in marks]
    axes.plot(*_columns(curve), color=_FAINT, lw=1, zorder=1)
    for mark in marks:
        _draw_mark(axes, mark)
    computed = {"kernel": list(choice.expected), "short fits": list(choice.probed)}
    for line, dashes in zip(computed.values(), ((4, 2), (1, 1.5)), strict=True):
        axes.plot(*_columns(line), color=INK[0], lw=1.3, linestyle=(0, dashes), zorder=2)
    axes.axvline(choice.alpha, color=AUTO, lw=0.8, zorder=0)
    plain_axes(axes, "")
    axes.set_xlabel("alpha", size=9, color=SOFT)
    axes.set_ylabel("PSNR between samples, dB", size=9, color=SOFT)
    axes.margins(0.06, 0.12)
    said = f"{panel.shown}: " if len(study.choices) > 1 else ""
    said += f"choose_alpha takes {choice.alpha:.2f}"
    if not all(_belongs(look, choice) for look in panel.looks):
        said += f" with omega_0 {choice.omega_0:g}"
    axes.text(0, 1.03, said, transform=axes.transAxes, size=8.5, color=AUTO)
    lines = [curve, *computed.values(), [(choice.alpha, each) for each in axes.get_ylim()]]
    ends = [Label(name, *line[-1], INK[0]) for name, line in computed.items() if line]
    ends += [Label("measured", *curve[-1], SOFT)] if curve else []
    label_points(axes, ends, [*lines, *(line for mark in marks for line in _cross(mark))])


def _over_alpha(panel: Panel, choice: "StudyChoice") -> list[_Mark]:
    """The rows that the expectation stands for, at their alphas."""
    marks = []
    for look in panel.looks:
        alpha, over = look.row.alpha, look.row.held_out
        if alpha is not None and over is not None and _belongs(look, choice):
            marks.append(_Mark(over._replace(median=alpha, low=alpha, high=alpha), over, look))
    return sorted((mark for mark in marks if mark.drawn), key=lambda mark: mark.at.median)


def _belongs(look: Look, choice: "StudyChoice") -> bool:
    """Whether a row has the first frequency that the expectation was computed for."""
    network: Any = look.row.network
    return (network.omega_0 or network.omega) == choice.omega_0
