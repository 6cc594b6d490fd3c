"""Critical-difference diagram: average ranks over many settings on one axis."""

from collections.abc import Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.comparison.ranks import Ranks
from firstlight.errors import check_choice
from firstlight.report.canvas import DPI, QUIET, SOFT, marker, plain, short
from firstlight.report.notation import count, p_value
from firstlight.report.palette import INK, Style, styles

# inches: the axis, a letter, from the axis to a name; from name to name, from bar to bar
_AXIS, _LETTER, _GAP, _STEP, _BAR = 4.6, 0.085, 0.6, 0.24, 0.14
_TITLE, _RULER, _FOOT = 0.24, 0.3, 0.2  # heights that they take

_TESTS = {
    "wilcoxon": "Wilcoxon's signed ranks, Holm's correction",
    "nemenyi": "Nemenyi's critical difference",
}


def draw_critical_difference(
    ranks: Ranks, *, by: Literal["wilcoxon", "nemenyi"] = "wilcoxon", title: str = ""
) -> Figure:
    """Draw the average rank of each scheme, the best on the left.

    A bar joins schemes of which no two are told apart; its dots are those schemes, for it may
    pass over one that is not among them.

    Args:
        ranks: what ``firstlight.comparison.ranks.rank`` returned.
        by: the test that bars stand for: Wilcoxon's signed ranks with Holm's correction, or
            Nemenyi's critical difference, which is then drawn as a ruler.
        title: above the diagram.

    Returns:
        A figure without Matplotlib's global state, as wide as its names need.

    Raises:
        OptionError: another test than these.

    Example:
        >>> import pandas as pd
        >>> from firstlight.comparison.ranks import rank
        >>> rows = [(at, name, level * at) for at in range(1, 7)
        ...         for name, level in (("default", 0.1), ("zero", 0.0), ("lsuv", 0.2))]
        >>> found = rank(pd.DataFrame(rows, columns=["setting", "scheme", "value"]))
        >>> [text.get_text() for text in draw_critical_difference(found).axes[0].texts]
        ['lsuv  1.00', 'default  2.00', '3.00  zero']

    Source: Demšar 2006, JMLR 7:1-30.
    """
    check_choice(by, tuple(_TESTS), "by")
    bars = ranks.alike_by_wilcoxon() if by == "wilcoxon" else ranks.alike_by_nemenyi()
    looks, schemes = styles(ranks.mean), len(ranks.mean)
    left, right = (max(map(_side, half)) for half in _halves(list(ranks.mean)))
    above = 0.8 + _TITLE * bool(title) + _RULER * (by == "nemenyi")
    below = 0.2 + _BAR * len(bars) + _STEP * ((schemes + 1) // 2)
    width, height = left + _AXIS + right, above + below + _FOOT
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    # heights are inches below the axis, which is the box's upper edge
    axes = figure.add_axes((left / width, _FOOT / height, _AXIS / width, below / height))
    axes.set(xlim=(1, schemes), ylim=(-below, 0))
    _axis(axes, schemes)
    if by == "nemenyi":
        _ruler(axes, ranks.critical_difference)
    for number, members in enumerate(bars):
        _bar(axes, [(ranks.mean[one], looks[one].light) for one in members], 0.16 + _BAR * number)
    _names(axes, ranks.mean, looks, 0.2 + _BAR * len(bars))
    _head(figure, ranks, by, title)
    return figure


def _halves(schemes: list[str]) -> tuple[list[str], list[str]]:
    """Return the better half, which is written on the left, and the others."""
    better = (len(schemes) + 1) // 2
    return schemes[:better], schemes[better:]


def _side(scheme: str) -> float:
    return _GAP + _LETTER * (len(short(scheme)) + 7)


def _axis(axes: Axes, schemes: int) -> None:
    axes.xaxis.tick_top()
    axes.set_xticks(range(1, schemes + 1))
    axes.set_yticks([])
    axes.spines[["left", "right", "bottom"]].set_visible(False)
    axes.spines["top"].set_color("#999999")
    axes.tick_params(labelsize=8.5, length=4, color="#999999", labelcolor=SOFT)
    axes.patch.set_visible(False)


def _ruler(axes: Axes, length: float) -> None:
    """Draw the critical difference above the axis, from the rank 1 on."""
    low, high = axes.get_xlim()
    end, label = 1 + length, f"CD {length:.2f}"
    if end > high:
        end, label = high, f"{label}, longer than the axis"
    axes.plot([low, end], [0.36, 0.36], "|-", color=INK[0], lw=1, ms=6, clip_on=False)
    axes.text((low + end) / 2, 0.42, label, size=8.5, ha="center", color=INK[0])


def _bar(axes: Axes, members: Sequence[tuple[float, str]], down: float) -> None:
    """Join the places of schemes; a dot of each one's colour says that it belongs to the bar."""
    places = [place for place, _ in members]
    axes.plot([min(places), max(places)], [-down] * 2, color=INK[0], lw=2.6, zorder=3)
    for place, colour in members:
        dot: dict[str, Any] = {
            "markerfacecolor": colour,
            "markeredgecolor": INK[0],
            "clip_on": False,
        }
        axes.plot(place, -down, "o", markersize=5.5, zorder=4, **dot)


def _names(axes: Axes, mean: dict[str, float], looks: dict[str, Style], top: float) -> None:
    """Write the names below the bars, on each side the outermost scheme on top."""
    low, high = axes.get_xlim()
    inch = (high - low) / _AXIS
    for side, half in zip((-1, 1), _halves(list(mean)), strict=True):
        end = (low if side < 0 else high) + side * (_GAP - 0.3) * inch
        for number, scheme in enumerate(half[::-side]):
            height, place, look = -top - _STEP * number, mean[scheme], looks[scheme]
            line: dict[str, Any] = {"color": look.light, "clip_on": False}
            axes.plot([place, place, end], [0, height, height], lw=1.3, **line)
            axes.plot(end, height, **line, **marker(look))
            name, value = plain(short(scheme)), f"{place:.2f}"
            text = axes.text(
                end + side * 0.1 * inch,
                height,
                f"{name}  {value}" if side < 0 else f"{value}  {name}",
                size=9,
                ha="right" if side < 0 else "left",
                weight="bold" if place == min(mean.values()) else "normal",
            )
            text.set(va="center_baseline", color=INK[0])


def _head(figure: Figure, ranks: Ranks, by: str, title: str) -> None:
    width, height = figure.get_size_inches()
    over = count(len(ranks.settings), "setting")
    if ranks.left_out:
        over += f" ({len(ranks.left_out)} left out)"
    said = f"average rank over {over}, 1 is best"
    if len(ranks.mean) > 2:
        p = p_value(ranks.friedman)
        said += f"; Friedman's test: p {p if p.startswith('<') else f'= {p}'}"
    said += f"\na bar joins schemes not told apart at 5 % ({_TESTS[by]})"
    left, top = 0.14 / width, 1 - 0.12 / height
    figure.text(left, top, plain(short(title, 60)), va="top", size=11, weight="bold", color=INK[0])
    under = top - _TITLE * bool(title) / height
    figure.text(left, under, said, va="top", size=8.5, color=QUIET, linespacing=1.3)
