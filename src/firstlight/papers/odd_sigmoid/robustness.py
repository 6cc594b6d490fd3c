"""How wrong the noise scale and the critical gain may be."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding, Verdict
from firstlight.papers.odd_sigmoid._compared import EPOCH, FEW_RATES, mnist, networks
from firstlight.papers.odd_sigmoid._figures import Panel, lines, series
from firstlight.papers.odd_sigmoid._numbers import (
    COLLAPSED,
    LITTLE,
    agreed,
    ahead,
    best,
    everywhere,
    percent,
    points,
)
from firstlight.papers.odd_sigmoid._studies import OURS, measure, studies

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_GAUSSIAN = "edge_of_chaos"
_FACTORS = (0.3, 0.55, 1.0, 1.7, 3.0)
_ERRORS = (-0.3, -0.1, -0.03, 0.03, 0.1, 0.3)
_QUICK = {"depths": 20, "seeds": 2, "learning_rates": (1e-3,), "steps": 40}


def _swept(rows: "pd.DataFrame", scheme: str, column: str) -> "dict[float, pd.Series]":
    own = best(rows)
    own = own[own.scheme == scheme]
    return {float(x): part.set_index("seed").accuracy for x, part in own.groupby(column)}


def _judge_noise(frame: "pd.DataFrame") -> Sequence[Finding]:
    said = []
    for name, rows in networks(frame):
        where = f"{name}, {int(rows.steps.iloc[0]):,} steps"
        for scheme, column in ((OURS, "noise"), (_GAUSSIAN, "scale")):
            said.append(_over_scales(where, scheme, _swept(rows, scheme, column)))
    return [*said, *_collapse(frame)]


def _over_scales(where: str, scheme: str, found: "dict[float, pd.Series]") -> Finding:
    """Ours must lose little at every scale, a Gaussian much at one."""
    ours = scheme == OURS
    lost = {x: ahead(found[1.0], each) for x, each in found.items() if x != 1.0}
    worst = max(lost, key=lambda x: lost[x].mean)
    told = "; ".join(f"x {x:g}: {percent(list(each))}" for x, each in found.items())
    much, little = lost[worst].low > LITTLE, all(each.high < LITTLE for each in lost.values())
    verdict: Verdict = "same" if little else "differs" if much else "open"
    if not ours:
        verdict = "same" if much else "differs" if little else "open"
    claim = "trains over a wide range of noise" if ours else "Gaussian weights need an exact scale"
    return Finding(
        f"{where}: {claim}",
        "a wide range of noise scales" if ours else "require precise variance tuning",
        f"{told}; most is lost x {worst:g}: {points(lost[worst])}",
        verdict,
        "Little: less than 5 points at every scale; much: more; both with the whole interval. 5 "
        "points we chose, for all entries.",
    )


def _collapse(frame: "pd.DataFrame") -> Sequence[Finding]:
    """The summary's failure signature: too little noise makes training collapse at once."""
    own = best(frame)
    own = own[(own.scheme == OURS) & (own.noise < 1)]
    if own.empty:
        return ()
    least = own[own.noise == own.noise.min()]
    chance = float(frame.chance.iloc[0])
    return [
        Finding(
            f"training collapses where sigma_z is too small, {least.noise.min():g} sigma*",
            "training collapses immediately: likely sigma_z too small",
            percent(list(least.groupby("seed").accuracy.mean())),
            "differs" if least.accuracy.min() > chance + 0.25 else "open",
            f"Chance is {100 * chance:.1f} %. What collapses is a diagonal below omega, not a "
            "small noise.",
        )
    ]


def _judge_omega(frame: "pd.DataFrame") -> Sequence[Finding]:
    return [
        found
        for name, rows in networks(frame)
        for found in (_spreads(name, best(rows)), _exact(name, _swept(rows, OURS, "omega")))
    ]


def _spreads(name: str, own: "pd.DataFrame") -> Finding:
    spread = own.groupby("omega").spread_ratio.median()
    listed = "; ".join(f"{x:g} omega: {value:.2g}" for x, value in spread.items())
    return Finding(
        f"{name}: activations collapse below omega and saturate above it",
        "collapse at omega - 0.1; converge to nonzero fixed points above omega",
        f"last layer's spread over the first's: {listed}",
        _sensitive(own),
        "Before training, medians over seeds. Counted as collapse: less than a tenth of what omega "
        "keeps, which we chose for all entries, at the error of 0.1 or the next larger one; above "
        "it more than omega keeps; both in every seed.",
    )


def _exact(name: str, found: "dict[float, pd.Series]") -> Finding:
    lost = [ahead(found[1.0], each) for x, each in found.items() if 0 < abs(x - 1) < 0.05]
    told = "; ".join(f"{x:g} omega: {percent(list(each))}" for x, each in found.items())
    harms, harmless = any(x.low > 0 for x in lost), all(x.high < LITTLE for x in lost)
    costs = ", ".join(points(each) for each in lost)
    return Finding(
        f"{name}: the diagonal must be exactly omega",
        "check that diagonal entries are exactly omega, not rounded",
        told,
        "same" if harms else "differs" if lost and harmless else "open",
        f"Of errors up to 3 %; those costs are {costs}. Counted as harmless: less than 5 points, "
        "with the interval. Rounding to bfloat16 is 0.4 % at most.",
    )


def _sensitive(own: "pd.DataFrame") -> Verdict:
    """Collapse at the first error below omega, and more spread at the first above it."""
    spread = own.pivot_table(index="seed", columns="omega", values="spread_ratio")
    below, above = (spread[side] for side in _first_errors(spread.columns))
    return everywhere([agreed(below < COLLAPSED * spread[1.0]), agreed(above > spread[1.0])])


def _first_errors(omegas: "pd.Index[float]") -> tuple[float, float]:
    """The nearest to 1 on either side, of errors of 0.1 and more."""
    return max(x for x in omegas if x < 0.95), min(x for x in omegas if x > 1.05)


def _draw(
    frame: "pd.DataFrame", across: str, columns: Mapping[str, str], log: str = ""
) -> "Figure":
    panels = []
    for name, rows in networks(frame):
        own: dict[str, list[tuple[float, list[float]]]] = {}
        for scheme, column in columns.items():
            shown = best(rows)
            own |= series(shown[shown.scheme == scheme], "scheme", column, "accuracy", 100.0)
        title = f"{name}, {int(rows.steps.iloc[0]):,} steps"
        chance = 100 * float(rows.chance.iloc[0])
        panels.append(
            Panel(title, own, across, "test accuracy, %", log, (0.0, 100.0), level=chance)
        )
    caption = "each at its best learning rate; mean over seeds, and the seeds"
    return lines("A start that is off", caption, panels)


NOISE_SCALE = Entry(
    name="odd-sigmoid/noise-scale",
    kind="figure",
    where="accuracy over noise scales",
    asks="how wrong may sigma_z be, and how wrong a Gaussian's variance?",
    published="a wide range of noise scales; Gaussian starts need precise variance tuning",
    presets={
        "quick": studies(digits={**_QUICK, "schemes": (), "noise_factors": (0.3, 1.0, 3.0)}),
        "standard": studies(
            mnist=mnist(
                depths=50,
                schemes=(),
                noise_factors=_FACTORS,
                learning_rates=FEW_RATES,
                steps=10 * EPOCH,
            ),
            longer=mnist(
                depths=50,
                schemes=(),
                noise_factors=(1.0, 3.0, 0.3),
                learning_rates=(3e-5, 1e-4, 3e-4),
                steps=40 * EPOCH,
            ),
        ),
        "full": studies(
            mnist={
                "depths": (10, 50, 100),
                "schemes": (),
                "noise_factors": (0.1, *_FACTORS, 10.0),
                "data": "mnist",
                "seeds": 10,
                "learning_rates": (1e-5, 3e-5, 1e-4, *FEW_RATES),
                "steps": 40 * 54_000 // 64,
            }
        ),
    },
    measure=measure,
    judge=_judge_noise,
    draw=lambda frame: {
        "noise-scale": _draw(
            frame,
            "times sigma*, or the critical sigma_w",
            {OURS: "noise", _GAUSSIAN: "scale"},
            "x",
        )
    },
    needs="MNIST (download), and days",
)

WRONG_OMEGA = Entry(
    name="odd-sigmoid/wrong-omega",
    kind="check",
    where="next check 3; failure signatures",
    asks="what does a diagonal that is not omega do?",
    published="activations collapse at wrong omega, such as omega +- 0.1",
    presets={
        "quick": studies(digits={**_QUICK, "schemes": (OURS,), "omega_errors": (-0.3, 0.03, 0.1)}),
        "standard": studies(
            mnist=mnist(
                depths=50,
                schemes=(OURS,),
                omega_errors=_ERRORS,
                learning_rates=FEW_RATES,
                steps=5 * EPOCH,
            )
        ),
        "full": studies(
            mnist={
                "depths": (10, 50, 100),
                "schemes": (OURS,),
                "omega_errors": _ERRORS,
                "data": "mnist",
                "seeds": 10,
                "learning_rates": FEW_RATES,
                "steps": 20 * 54_000 // 64,
            }
        ),
    },
    measure=measure,
    judge=_judge_omega,
    draw=lambda frame: {"omega": _draw(frame, "diagonal over omega", {OURS: "omega"})},
    needs="MNIST (download), and days",
)
