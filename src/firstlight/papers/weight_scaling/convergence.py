"""Open question 3: how fast the kernel at the start says that a network converges, and what does.

Gradient descent of rate eta on the mean squared error 1/(2n) |r|^2 of n samples, with a kernel
Theta that stays as it is:

    r_t = (I - eta Theta / n)^t r_0,  eta = c n / lambda_max
    |r_t|^2 <= (1 - c lambda_min / lambda_max)^(2t) |r_0|^2

The first is the rate that is predicted, the second the bound: its exponent is the inverse of the
condition number.
"""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from firstlight import fields
from firstlight.auditing.derivatives.kernel_exact import Prepared
from firstlight.auditing.derivatives.network import Network
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures
from firstlight.papers.weight_scaling.numbers import answer, over
from firstlight.papers.weight_scaling.signals import signal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work


#: Errors below which float32 has no more to say.
FLOOR = 1e-10


def measure(work: "Work") -> "pd.DataFrame":
    """Train by plain gradient descent beside what the kernel says."""
    import pandas as pd

    batch = signal(work, work["signal"]).train.all()
    rows = []
    for alpha in work["alphas"]:
        for seed in work["seeds"]:
            network = fields.Sine(width=work["width"], depth=5, alpha=alpha, omega_0=30.0)
            rows += [
                {"alpha": alpha, "seed": seed} | row
                for row in _run(network.build(2, 1, seed), batch.x, batch.y, work)
            ]
            work.tell(f"alpha {alpha:g}, seed {seed}: done")
    return pd.DataFrame(rows)


def _run(network: nn.Module, x: Tensor, y: Tensor, work: "Work") -> list[dict[str, Any]]:
    theta = Prepared(Network(network, x)).kernel().kernel
    values, vectors = torch.linalg.eigh(theta)
    with torch.no_grad():
        parts = (vectors.T @ (network(x) - y).double()).flatten()
    top, count = float(values[-1]), len(x)
    shrink = 1 - work["pace"] * (values.clamp_min(0) / top)
    rate, looks = work["pace"] * count / top, set(work["looks"])
    rows = []
    for step in range(max(looks) + 1):
        errors = network(x) - y
        if step in looks:
            predicted = float((shrink**step * parts).square().mean())
            bound = float(shrink.max() ** (2 * step) * parts.square().mean())
            seen = float(errors.detach().square().mean())
            told = {"measured": seen, "predicted": predicted, "bound": bound}
            rows.append({"step": step, "condition": top / float(values[0].clamp_min(1e-30))} | told)
        network.zero_grad()
        (errors.square().sum() / (2 * count)).backward()
        with torch.no_grad():
            for each in network.parameters():
                assert each.grad is not None
                each.sub_(rate * each.grad)
    return rows


def steps_to(frame: "pd.DataFrame", alpha: float, column: str, share: float) -> list[float]:
    """Steps after which the error is a share of that at the start, by seed, between the looks."""
    found = []
    for _, own in frame[frame.alpha == alpha].groupby("seed"):
        own = own.sort_values("step")
        wanted = share * own[column].iloc[0]
        below = own[own[column] <= wanted]
        if below.empty:
            found.append(math.nan)
            continue
        last = below.index[0]
        before = own[own.step < own.loc[last].step].iloc[-1]
        after = own.loc[last]
        drop = math.log(before[column] / after[column])
        part = math.log(before[column] / wanted) / drop if drop else 1.0
        found.append(float(before.step + part * (after.step - before.step)))
    return found


def judge(frame: "pd.DataFrame", share: float = 0.1) -> list[Finding]:
    """Predicted and measured steps to a tenth of the error; the bound."""
    shown, bounds = [], []
    for alpha in sorted(frame.alpha.unique()):
        seen = over(steps_to(frame, alpha, "measured", share), ".0f")
        told = over(steps_to(frame, alpha, "predicted", share), ".0f")
        shown.append(f"alpha {alpha:g}: {seen} measured, {told} predicted")
        own = frame[(frame.alpha == alpha) & (frame.step == 0)]
        # n of (1 - 1/kappa)^(2n) = share
        needed = [-math.log(share) * each / 2 for each in own.condition]
        bounds.append(f"alpha {alpha:g}: {over(needed, '.0e')}")
    told = frame[frame.bound > FLOOR]
    broken = told[told.measured > told.bound * 1.01]
    return [
        answer(
            "which rate of convergence follows from the kernel, and does it hold?",
            f"steps of gradient descent to a tenth of the error, {'; '.join(shown)}",
            "A kernel that stays as it is predicts which alpha is faster; measured networks are "
            "faster still where the kernel changes. Rate: the same share of the largest stable one "
            "for each.",
        ),
        answer(
            "what is a bound, and how does it compare with the standard start's?",
            f"steps by |r_t|^2 <= (1 - c / kappa)^(2t) |r_0|^2, c = 1: {'; '.join(bounds)}",
            f"For a kernel that stays as it is, the bound is a theorem; {len(broken)} of "
            f"{len(told)} looks at networks lie above it. It orders the alphas and is far from "
            "tight: the least eigenvalue belongs to details that hardly count.",
        ),
    ]


def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """Measured and predicted error."""
    frame = frame[(frame.measured > FLOOR) & (frame.predicted > FLOOR)]
    series: dict[str, dict[float, list[float]]] = {}
    for column, name in (("measured", "measured"), ("predicted", "predicted")):
        named = frame.assign(name=[f"alpha {each:g}, {name}" for each in frame.alpha])
        named = named.assign(at=named.step + 1)
        series |= figures.by(named, "name", "at", column)
    panel = "mean squared error under gradient descent"
    said = "predicted: the kernel at the start; median and range over seeds"
    return {
        "convergence": figures.sheet(
            "Convergence, measured and predicted",
            said,
            {
                panel: lambda axes: figures.lines(
                    axes, series, "step + 1", "error", log_x=True, log_y=True, marks=False
                )
            },
            height=4.6,
        )
    }


_LOOKS = [0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000]
_STANDARD = {
    "signal": "kodim05 32",
    "width": 128,
    "alphas": [1.0, 1.25, 1.5, 2.0],
    "seeds": [0, 1, 2],
    "pace": 0.5,
    "looks": _LOOKS,
}
ENTRIES = (
    Entry(
        "weight-scaling/convergence",
        "question",
        "Open question 3",
        "Which rate of convergence does the kernel promise, and does it come?",
        "",
        {
            "quick": _STANDARD
            | {"signal": "china 32", "width": 64, "seeds": [0], "looks": _LOOKS[:13]}
            | {"alphas": [1.0, 1.5]},
            "standard": _STANDARD,
            "full": _STANDARD | {"signal": "kodim05 128", "width": 512, "looks": [*_LOOKS, 10_000]},
        },
        measure,
        judge,
        draw,
    ),
)
