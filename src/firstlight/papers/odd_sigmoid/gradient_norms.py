"""Norms of gradients layer by layer at 10, 100 and 1000 layers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.odd_sigmoid._figures import Panel, lines, series
from firstlight.papers.odd_sigmoid._numbers import KEPT, RULE, agreed, kept, span
from firstlight.papers.odd_sigmoid._studies import OURS
from firstlight.studies import depth_study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work

_GAUSSIAN = "edge_of_chaos"
_STANDARD = {
    "widths": 64,
    "depths": (10, 100, 1000),
    "schemes": (OURS, _GAUSSIAN, "glorot_normal", "orthogonal"),
    "seeds": 5,
    "steps": 0,
}
_QUICK = {**_STANDARD, "depths": (10, 100), "schemes": (OURS, _GAUSSIAN), "seeds": 2}


def measure(work: "Work") -> "pd.DataFrame":
    """A row for each layer that is kept; ``gradient`` is over that at the last layer."""
    import pandas as pd

    study = depth_study(**work.settings, out=work.part("study"))
    rows = []
    for row in study.rows:
        about = {"start": row.start.label, "depth": row.network.depth}
        for signal in row.found.signals:
            rows += [
                about
                | {"seed": signal.seed, "layer": layer, "gradient": norm / signal.gradient[-1]}
                for layer, norm in zip(signal.layers, signal.gradient, strict=True)
            ]
    return pd.DataFrame(rows)


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """The largest norm over the least, and the law of the decay."""
    said = []
    for (depth, start), own in frame.groupby(["depth", "start"], sort=False):
        per_seed = own.groupby("seed").gradient
        factors = list(per_seed.max() / per_seed.min())
        ends = [float(each.gradient.iloc[0]) for _, each in own.groupby("seed")]
        if start == OURS:
            said.append(
                Finding(
                    f"{depth} layers, {start}: gradients keep their norm within a factor of 2",
                    "preserves norm within factor ~2",
                    f"largest over least {span(factors)}; first over last {span(ends)}",
                    kept(factors),
                    "Of a random direction at the last layer; medians with the least and most of "
                    f"{len(factors)} seeds. {RULE}",
                )
            )
        elif start == _GAUSSIAN:
            said.append(_decay(int(depth), str(start), own, ends))
        else:
            said.append(
                Finding(
                    f"{depth} layers, {start}: how far do gradients change?",
                    "",
                    f"largest over least {span(factors)}; first over last {span(ends)}",
                    "answer",
                )
            )
    return said


def _decay(depth: int, start: str, own: "pd.DataFrame", ends: list[float]) -> Finding:
    left = np.array([_left(each) for _, each in own.groupby("seed")])
    straight, power = left.T
    decays = np.asarray(ends) < 1 / KEPT
    return Finding(
        f"{depth} layers, {start}: gradients decay exponentially",
        "decays exponentially",
        f"first over last {span(ends)}; of the variance of log norms a straight line in the "
        f"layer leaves {span(list(100 * straight))} %, a power law {span(list(100 * power))} %",
        agreed(decays & (straight < power)),
        "Exponential: less than half is left, and the straight line leaves less than the power "
        "law, both in every seed; open where seeds disagree. In the mean field of the edge of "
        "chaos chi is 1 - 1/layer, a power law; narrow layers add a walk of their own to it.",
    )


def _left(own: "pd.DataFrame") -> tuple[float, float]:
    """Of one seed's log norms, what a straight line and a power law leave unexplained."""
    layer, logs = own.layer.to_numpy(float), np.log(own.gradient.to_numpy(float))
    return _unexplained(layer, logs), _unexplained(np.log(layer), logs)


def _unexplained(x: np.ndarray, y: np.ndarray) -> float:
    rest = y - np.polyval(np.polyfit(x, y, 1), x)
    return float(rest.var() / max(y.var(), 1e-300))


def draw(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    """Norms over layers, a panel for each depth."""
    panels = [
        Panel(
            f"{depth} layers",
            series(own, "start", "layer", "gradient"),
            "layer",
            "gradient over the last layer's",
            "y",
        )
        for depth, own in frame.groupby("depth")
    ]
    caption = "before training; median over seeds, and the seeds"
    return {"gradients": lines("Gradients from the last layer to the first", caption, panels)}


GRADIENT_NORMS = Entry(
    name="odd-sigmoid/gradient-norms",
    kind="figure",
    where="first experiment 2",
    asks="do gradients keep their norm at 10, 100 and 1000 layers?",
    published="proposed within a factor of about 2, edge of chaos decays exponentially",
    presets={
        "quick": _QUICK,
        "standard": _STANDARD,
        "full": {**_STANDARD, "seeds": 100},
    },
    measure=measure,
    judge=judge,
    draw=draw,
)
