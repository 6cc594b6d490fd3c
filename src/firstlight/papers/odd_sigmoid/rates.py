"""Which target negative rate p trains best at which depth, and whether 0.4 is special."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding, Verdict
from firstlight.papers.odd_sigmoid._compared import EPOCH, FEW_RATES, mnist, networks
from firstlight.papers.odd_sigmoid._figures import Panel, lines, series
from firstlight.papers.odd_sigmoid._numbers import ahead, best, claimed_ahead, percent, points
from firstlight.papers.odd_sigmoid._studies import OURS, measure, studies
from firstlight.theory import log_negative_rate

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_PEAK, _SHALLOW = (0.01, 0.05), 0.4
#: Layers beyond which the published p is below 0.4.
_DEEP = 12
_QUICK = {
    "depths": (10, 20),
    "schemes": (OURS,),
    "negative_rates": (0.01, 0.1, 0.4),
    "seeds": 2,
    "learning_rates": (1e-3,),
    "steps": 40,
}
_MNIST = mnist(
    depths=(10, 50, 100),
    schemes=(OURS,),
    negative_rates=(1e-6, 1e-4, 0.01, 0.1, 0.4, 0.49),
    learning_rates=FEW_RATES,
    steps=5 * EPOCH,
)
_DEEPEST = {
    "depths": 1000,
    "schemes": (OURS,),
    "negative_rates": (1e-30, 1e-6, 0.01, 0.1, 0.4),
    "learning_rates": (1e-4, 1e-3),
    "steps": 200,
}
#: The rates of the suggested experiment at L = 50, with seeds enough to see a peak.
_FIFTY = {
    "depths": 50,
    "schemes": (OURS,),
    "negative_rates": (0.01, 0.03, 0.1, 0.3, 0.4, 0.49),
    "seeds": 10,
    "learning_rates": (3e-4, 1e-3),
    "steps": 400,
}
_STANDARD = studies(mnist=_MNIST, deepest=_DEEPEST, fifty=_FIFTY)
_FULL = studies(
    mnist={
        **_MNIST,
        "data": "mnist",
        "depths": (10, 50, 100, 1000),
        "negative_rates": (1e-30, 1e-6, 1e-4, 0.01, 0.03, 0.1, 0.3, 0.4, 0.49),
        "seeds": 20,
        "steps": 20 * 54_000 // 64,
    }
)


def _by_rate(rows: "pd.DataFrame") -> "dict[float, pd.Series]":
    """Accuracy by seed for each p, the published one's among them."""
    found = {}
    for p, own in best(_with_rates(rows)).groupby("p"):
        found[float(p)] = own.groupby("seed").accuracy.mean()
    return found


def _top(found: "Mapping[float, pd.Series]") -> float:
    return max(found, key=lambda p: float(found[p].mean()))


def _with_rates(rows: "pd.DataFrame") -> "pd.DataFrame":
    """``p``: the one that was asked for, or the published one of the depth, at most float's."""
    usual = [float(np.exp(max(log_negative_rate(int(depth) + 1), -690))) for depth in rows.depth]
    return rows.assign(p=np.where(rows.negative_rate.isna(), usual, rows.negative_rate))


def _judge_rates(frame: "pd.DataFrame") -> Sequence[Finding]:
    said = []
    for name, rows in networks(frame):
        found = _by_rate(rows)
        top = _top(found)
        at_fifty = int(rows.depth.iloc[0]) == 50
        said.append(
            Finding(
                f"{name}: which p trains best?",
                "peak near 0.01 to 0.05" if at_fifty else "",
                "; ".join(f"{p:.2g}: {percent(list(values))}" for p, values in found.items()),
                _peak(found, top) if at_fifty else "answer",
                _why(found, top),
            )
        )
        said += _decayed(name, rows, found)
    return said


def _decayed(
    name: str, rows: "pd.DataFrame", found: "Mapping[float, pd.Series]"
) -> Iterator[Finding]:
    """Whether the p that falls with depth is better than the one for shallow networks."""
    usual = best(rows)
    own = usual[usual.negative_rate.isna()].set_index("seed").accuracy
    if int(rows.depth.iloc[0]) <= _DEEP or own.empty or _SHALLOW not in found:
        return
    lead = ahead(own, found[_SHALLOW])
    yield Finding(
        f"{name}: the p that falls with depth is better than 0.4",
        "2.05 exp(-0.133 L), not 0.4",
        f"{percent(list(own))} against {percent(list(found[_SHALLOW]))}; {points(lead)}",
        claimed_ahead(lead),
        f"{len(own)} seeds, paired; each at its best learning rate.",
    )


def _peak(found: "Mapping[float, pd.Series]", top: float) -> Verdict:
    """Same or differs only where the best p is apart from all on the other side."""
    inside = [p for p in found if _PEAK[0] <= p <= _PEAK[1]]
    others = [p for p in found if p not in inside]
    if not inside:
        return "open"
    if top in inside:
        apart = all(ahead(found[top], found[p]).low > 0 for p in others)
        return "same" if apart else "open"
    return "differs" if all(ahead(found[top], found[p]).low > 0 for p in inside) else "open"


def _why(found: "Mapping[float, pd.Series]", top: float) -> str:
    worse = [p for p in found if p != top and ahead(found[top], found[p]).low > 0]
    apart = ", ".join(f"{p:.2g}" for p in sorted(worse)) or "none"
    return f"Best in the mean: {top:.2g}; worse than it by more than chance (paired): {apart}."


def _judge_target(frame: "pd.DataFrame") -> Sequence[Finding]:
    said, levels = [], {}
    for name, rows in networks(frame):
        found, level = _by_rate(rows), _level(rows)
        values = best(_with_rates(rows)).groupby("p").chi.median()
        chi = ", ".join(f"{p:.2g}: {value:.3f}" for p, value in values.items())
        if level is not None:
            levels[name] = level
        said.append(
            Finding(
                f"{name}: is p = 0.4 special?",
                "an empirically grounded target, no optimum",
                f"chi by p: {chi}",
                "answer",
                _why(found, _top(found)),
            )
        )
    listed = "; ".join(f"{name}: {level:.2g}" for name, level in levels.items())
    bits = 1 + sum(x * np.log2(x) for x in (_SHALLOW, 1 - _SHALLOW))
    return [
        *said,
        Finding(
            "is there one p at which gradients neither shrink nor grow?",
            "",
            f"p with chi = 1, of the networks that have one among these: {listed or 'none'}",
            "answer",
            "It depends on depth, and on the data: 50 layers have another p on MNIST, of which the "
            "diagonal hears 16 pixels of the border, than on digits. No p is one for all.",
        ),
        Finding(
            "does p = 0.4 keep information in the sign?",
            "balances information retention with expressivity",
            f"a sign that flips with p = 0.4 carries {bits:.3f} bits of one",
            "answer",
            "Of a binary symmetric channel, 1 - H(p): retention by itself would have p near 0. In "
            "layers wider than one, signs turn by mixing, far more often than p says: "
            "odd-sigmoid/calibration.",
        ),
    ]


def _level(rows: "pd.DataFrame") -> float | None:
    """Where the measured chi is 1: p by interpolation in log p, None outside the sweep."""
    chi = best(_with_rates(rows)).groupby("p").chi.median()
    logs, values = np.log(chi.index.to_numpy()), chi.to_numpy() - 1
    for i in range(len(values) - 1):
        if values[i] < 0 <= values[i + 1]:
            part = -values[i] / (values[i + 1] - values[i])
            return float(np.exp(logs[i] + part * (logs[i + 1] - logs[i])))
    return None


def _draw(frame: "pd.DataFrame", value: str, up: str, factor: float) -> Mapping[str, "Figure"]:
    panels = []
    for name, rows in networks(frame):
        shown = best(_with_rates(rows)).assign(label="diagonal_plus_noise")
        chance = 100 * float(rows.chance.iloc[0]) if value == "accuracy" else 1.0
        own = series(shown, "label", "p", value, factor)
        panels.append(Panel(name, own, "negative rate p", up, "x", level=chance))
    caption = "each at its best learning rate; mean over seeds, and the seeds"
    return {value: lines("The target negative rate", caption, panels)}


NEGATIVE_RATE = Entry(
    name="odd-sigmoid/negative-rate",
    kind="check",
    where="first experiment 3; next check 1",
    asks="which p trains best at 10, 50, 100 and 1000 layers: near 0.01 to 0.05 at 50?",
    published="at 50 layers a peak near 0.01 to 0.05, not at 0.4",
    presets={"quick": studies(digits=_QUICK), "standard": _STANDARD, "full": _FULL},
    measure=measure,
    judge=_judge_rates,
    draw=lambda frame: _draw(frame, "accuracy", "test accuracy, %", 100.0),
    needs="MNIST (download), and days for 1000 layers",
)

TARGET_RATE = Entry(
    name="odd-sigmoid/target-rate",
    kind="question",
    where="open question 2; Appendix B.7",
    asks="is there a reason for p = 0.4?",
    published="an empirically grounded target, not claimed to be optimal",
    presets={"quick": studies(digits=_QUICK), "standard": _STANDARD, "full": _FULL},
    measure=measure,
    judge=_judge_target,
    draw=lambda frame: _draw(frame, "chi", "chi per layer, measured", 1.0),
    needs="MNIST (download), and days for 1000 layers",
)
