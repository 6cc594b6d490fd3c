"""Widths below 32 and below 16, where one scalar may no longer stand for a layer."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._compared import (
    BAND,
    FEW_RATES,
    accuracies,
    networks,
    strongest,
    tuned,
)
from firstlight.papers.odd_sigmoid._figures import Panel, lines, series
from firstlight.papers.odd_sigmoid._numbers import best, by_start, percent, span
from firstlight.papers.odd_sigmoid._studies import OURS, measure, studies

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_STARTS = (OURS, "isometric_diagonal", "glorot_normal", "edge_of_chaos", "orthogonal")
_STANDARD = {
    "widths": (2, 4, 8, 16, 32),
    "depths": 50,
    "schemes": _STARTS,
    "seeds": 5,
    "learning_rates": FEW_RATES,
    "steps": 400,
}
_PUBLISHED = "may break down below width 32; low confidence below 16"


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Signals, then training, width by width."""
    said: list[Finding] = []
    for name, rows in networks(frame):
        found = by_start(rows, "spread_ratio")[OURS]
        chi = by_start(rows, "chi")[OURS]
        said.append(
            Finding(
                f"{name}: is the signal kept?",
                _PUBLISHED,
                f"last spread over first {span(found)}, chi {span(chi)}",
                "answer",
                "Before training; medians with the least and most of the seeds.",
            )
        )
        said += list(tuned(rows, name, "a wide range of network widths"))[:1]
        others = by_start(rows)
        rivals = {start: values for start, values in others.items() if start != OURS}
        top = strongest(rivals, list(rivals)) or OURS
        said.append(
            Finding(
                f"{name}: which start is best?",
                "",
                f"{percent(others[OURS])} from diagonal plus noise; best other: "
                f"{percent(rivals[top])} from {top}",
                "answer",
                f"Rates {', '.join(f'{rate:g}' for rate in sorted(rows.learning_rate.unique()))}; "
                f"the advised band ends at {BAND[1]:g} omega.",
            )
        )
    return said


def draw(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    """Signal and accuracy over the width."""
    shown = best(frame).assign(width=lambda table: table.widths.astype(int))
    spread = series(shown, "start", "width", "spread_ratio")
    learnt = series(shown, "start", "width", "accuracy", 100.0)
    chance = 100 * float(frame.chance.iloc[0])
    panels = [
        Panel("before training", spread, "width", "spread, last / first", "xy"),
        Panel("after training", learnt, "width", "test accuracy, %", "x", level=chance),
    ]
    depth = ", ".join(map(str, sorted(frame.depth.unique())))
    title, caption = f"Narrow networks, {depth} hidden layers", "median or mean, and the seeds"
    return {
        "width": lines(title, caption, panels),
        "accuracy": accuracies(frame, title),
    }


NARROW = Entry(
    name="odd-sigmoid/narrow",
    kind="question",
    where="limitations; reviewers: the theory assumes width one",
    asks="does it hold at widths below 32 and 16?",
    published=_PUBLISHED,
    presets={
        "quick": studies(
            digits={
                **_STANDARD,
                "widths": (4, 16),
                "depths": 10,
                "seeds": 2,
                "learning_rates": (1e-3,),
                "steps": 40,
            }
        ),
        "standard": studies(digits=_STANDARD),
        "full": studies(
            mnist={
                **_STANDARD,
                "data": "mnist",
                "depths": (50, 100),
                "seeds": 10,
                "learning_rates": (1e-5, 3e-5, 1e-4, *FEW_RATES),
                "steps": 20 * 54_000 // 64,
            }
        ),
    },
    measure=measure,
    judge=judge,
    draw=draw,
    needs="MNIST (download), and days",
)
