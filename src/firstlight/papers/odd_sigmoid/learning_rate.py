"""The learning rate: is it between 1e-5 and 1e-3 omega, and does the band move with omega?"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._compared import BAND, EPOCH, RATES, mnist, networks
from firstlight.papers.odd_sigmoid._figures import Panel, lines, series
from firstlight.papers.odd_sigmoid._numbers import ahead
from firstlight.papers.odd_sigmoid._studies import OURS, measure, studies
from firstlight.theory import critical_gain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Points below the best at which a rate still trains.
_NEAR = 0.05
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
    """Best rates and those near them, over omega."""
    said, bests = [], {}
    for name, rows in networks(frame):
        omega = critical_gain(str(rows.activation.iloc[0]))
        own = rows[rows.start == OURS]
        means = own.groupby("learning_rate").accuracy.mean()
        top, near = float(means.idxmax()), means[means >= means.max() - _NEAR].index / omega
        bests[omega] = top
        inside = BAND[0] * (1 - 1e-6) <= top / omega <= BAND[1] * (1 + 1e-6)
        lost = _loss_outside(own, omega, top)
        said.append(
            Finding(
                f"{name}, omega {omega:g}: the best rate of Adam is between 1e-5 and 1e-3 omega",
                "1e-5 omega to 1e-3 omega",
                f"best {top / omega:.2g} omega, {100 * means.max():.1f} %; within 5 points: "
                f"{near.min():.2g} to {near.max():.2g} omega",
                "same" if inside else "differs" if lost else "open",
                f"Of {len(means)} rates from {means.index.min():g} to {means.index.max():g}; "
                f"{own.seed.nunique()} seeds. Counted as outside: better than every rate of the "
                "band by more than chance.",
            )
        )
    if len(bests) > 1:
        said.append(_moves(bests))
    return said


def _loss_outside(own: "pd.DataFrame", omega: float, top: float) -> bool:
    """Whether the best rate, outside the band, beats every one inside by more than chance."""
    by_rate = {rate: part.set_index("seed").accuracy for rate, part in own.groupby("learning_rate")}
    inside = [rate for rate in by_rate if BAND[0] <= rate / omega * (1 + 1e-6) <= BAND[1] * 1.01]
    return bool(inside) and all(ahead(by_rate[top], by_rate[rate]).low > 0 for rate in inside)


def _moves(bests: Mapping[float, float]) -> Finding:
    omegas = np.log(sorted(bests))
    slope = float(np.polyfit(omegas, [np.log(bests[omega]) for omega in sorted(bests)], 1)[0])
    listed = ", ".join(f"omega {omega:g}: {bests[omega]:.2g}" for omega in sorted(bests))
    return Finding(
        "the best rate grows in proportion to omega",
        "a band scaled by omega",
        f"best rates: {listed}; as omega to the power {slope:.2g}",
        "same" if 0.5 <= slope <= 1.5 else "differs",
        "Weights are as large as omega, so that equal steps are smaller beside them. The rates are "
        "half a decade apart; counted as proportional: a power from 0.5 to 1.5.",
    )


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
