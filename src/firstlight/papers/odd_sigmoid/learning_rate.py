"""The learning rate: is it between 1e-5 and 1e-3 omega, and does the band move with omega?"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._compared import BAND, EPOCH, RATES, mnist, networks
from firstlight.papers.odd_sigmoid._figures import Panel, lines, series
from firstlight.papers.odd_sigmoid._numbers import LITTLE, ahead
from firstlight.papers.odd_sigmoid._studies import OURS, measure, studies
from firstlight.theory import critical_gain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: tanh with omega 4, 1 and 1/4.
_SCALED = ("tanh(0.25x)", "tanh", "tanh(4x)")
_OMEGAS = {
    "depths": 50,
    "activations": _SCALED,
    "schemes": (OURS,),
    "learning_rates": tuple(round(10 ** (k / 2), 8) for k in range(-12, -2)),
    "steps": 400,
}
_MNIST = mnist(depths=50, learning_rates=RATES, steps=10 * EPOCH)
_FULL = {"data": "mnist", "seeds": 10, "steps": 40 * 54_000 // 64}


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Best rates and those that seeds do not tell from them, over omega; by data set."""
    said: list[Finding] = []
    untold: dict[str, dict[float, list[float]]] = {}
    for name, rows in networks(frame):
        omega = critical_gain(str(rows.activation.iloc[0]))
        own = rows[rows.start == OURS]
        rates = _untold(own)
        untold.setdefault(str(rows.data.iloc[0]), {})[omega] = rates
        said.append(_inside(name, own, omega, rates))
    for data, each in untold.items():
        if len(each) > 1:
            said.append(_moves(data, each, _spacing(frame[frame.data == data])))
    return said


def _untold(own: "pd.DataFrame") -> list[float]:
    """The best rate, and after it all that are not told from it: paired by seed, within chance."""
    by_rate = {
        float(rate): part.set_index("seed").accuracy for rate, part in own.groupby("learning_rate")
    }
    top = max(by_rate, key=lambda rate: float(by_rate[rate].mean()))
    rest = [rate for rate in by_rate if rate != top]
    return [top, *(rate for rate in rest if not ahead(by_rate[top], by_rate[rate]).low > 0)]


def _inside(name: str, own: "pd.DataFrame", omega: float, rates: list[float]) -> Finding:
    means = own.groupby("learning_rate").accuracy.mean()
    near = means[means >= means.max() - LITTLE].index / omega
    inside = [BAND[0] * (1 - 1e-6) <= rate / omega <= BAND[1] * (1 + 1e-6) for rate in rates]
    return Finding(
        f"{name}, omega {omega:g}: the best rate of Adam is between 1e-5 and 1e-3 omega",
        "1e-5 omega to 1e-3 omega",
        f"best {rates[0] / omega:.2g} omega, {100 * means.max():.1f} %; not told from it: "
        f"{min(rates) / omega:.2g} to {max(rates) / omega:.2g} omega; within 5 points: "
        f"{near.min():.2g} to {near.max():.2g} omega",
        "same" if all(inside) else "open" if any(inside) else "differs",
        f"Of {len(means)} rates from {means.index.min():g} to {means.index.max():g}; "
        f"{own.seed.nunique()} seeds. Same where the best and all that paired seeds do not tell "
        "from it lie in the band, differs where none of them does. Between the rates of the grid "
        "nothing is known.",
    )


def _spacing(frame: "pd.DataFrame") -> float:
    """How far apart rates are, as a logarithm: the usual step of the grid."""
    return float(np.median(np.diff(np.log(np.sort(frame.learning_rate.dropna().unique())))))


def _moves(data: str, untold: Mapping[float, Sequence[float]], spacing: float) -> Finding:
    omegas = sorted(untold)
    tops = ", ".join(
        f"omega {omega:g}: {untold[omega][0]:.2g} "
        f"({min(untold[omega]):.2g} to {max(untold[omega]):.2g})"
        for omega in omegas
    )
    low, high = _powers(untold, spacing / 2)
    holds = low <= 1 <= high
    return Finding(
        f"{data}: the best rate grows in proportion to omega",
        "a band scaled by omega",
        f"best rates, and those not told from them: {tops}; as omega to the power {low:.2g} to "
        f"{high:.2g}",
        "differs" if not holds else "same" if low > 0 else "open",
        "Of one data set. The powers are all that rates not told from the best, half a step of "
        "the grid further, allow. Same where they hold 1 and not 0; differs where they do not "
        "hold 1. Weights are as large as omega, so that equal steps are smaller beside them.",
    )


def _powers(untold: Mapping[float, Sequence[float]], half: float) -> tuple[float, float]:
    """Least and largest slope of log rate over log omega, each rate anywhere in its range."""
    omegas = np.log(sorted(untold))
    centred = omegas - omegas.mean()
    weights = centred / (centred**2).sum()
    ranges = [
        (np.log(min(untold[x])) - half, np.log(max(untold[x])) + half) for x in sorted(untold)
    ]
    ends = weights[:, None] * np.array(ranges)
    return float(ends.min(1).sum()), float(ends.max(1).sum())


def draw(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    """Accuracy over the rate, in units of omega."""
    panels = []
    for part, rows in frame.groupby("part", sort=False):
        omegas = {name: critical_gain(str(name)) for name in rows.activation.unique()}
        shown = rows[rows.start == OURS].assign(
            over=lambda table, omegas=omegas: table.learning_rate / table.activation.map(omegas)
        )
        own = series(shown, "activation", "over", "accuracy", 100.0)
        chance = 100 * float(rows.chance.iloc[0])
        panels.append(
            Panel(str(part), own, "learning rate / omega", "test accuracy, %", "x", level=chance)
        )
    caption = "diagonal plus noise; mean over seeds, and the seeds; tanh(cx) has omega 1 / c"
    return {"learning-rate": lines("The learning rate in units of omega", caption, panels)}


LEARNING_RATE = Entry(
    name="odd-sigmoid/learning-rate",
    kind="claim",
    where="advice on the learning rate",
    asks="is the best learning rate between 1e-5 omega and 1e-3 omega?",
    published="1e-5 omega to 1e-3 omega",
    presets={
        "quick": studies(
            omega={
                **_OMEGAS,
                "depths": 10,
                "seeds": 2,
                "learning_rates": (1e-5, 1e-4, 1e-3, 1e-2),
                "steps": 40,
            }
        ),
        "standard": studies(omega=_OMEGAS, mnist=_MNIST),
        "full": studies(omega={**_OMEGAS, **_FULL}, mnist={**_MNIST, **_FULL}),
    },
    measure=measure,
    judge=judge,
    draw=draw,
    needs="MNIST (download), and hours",
)
