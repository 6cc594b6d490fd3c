"""Claim: the first layer's gradient grows as a power of alpha that grows with depth."""

import math
from typing import TYPE_CHECKING

import numpy as np

from firstlight import fields
from firstlight.auditing.derivatives import tangent_kernel
from firstlight.fields.analysis import gradient_shares, sample_points
from firstlight.fields.objective import Objective
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures
from firstlight.papers.weight_scaling.numbers import NEAR, agreed, everywhere, held, over
from firstlight.papers.weight_scaling.signals import signal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work


def gradients(work: "Work") -> "pd.DataFrame":
    """Gradient norm of the first weight layer over the last one's, before training."""
    import pandas as pd

    known, rows = signal(work, work["signal"]), []
    points = sample_points(known.train, work["points"])
    for depth in work["depths"]:
        for alpha in work["alphas"]:
            for seed in work["seeds"]:
                network = fields.Sine(
                    width=work["width"], depth=depth, alpha=alpha, omega_0=30.0
                ).build(known.inputs, 1, seed)
                loss = [
                    share
                    for _, share in gradient_shares(
                        network, Objective(network, known.train, len(known.train))
                    )
                ]
                found = tangent_kernel(network, points, method="exact")
                shares = {name: share for name, share in found.shares if "weight" in name}
                first, *_, last = shares.values()
                rows.append(
                    {"depth": depth, "alpha": alpha, "seed": seed}
                    | {"loss": math.sqrt(loss[0] / loss[-1]), "output": math.sqrt(first / last)}
                )
    return pd.DataFrame(rows)


def exponents(frame: "pd.DataFrame", what: str) -> dict[int, list[float]]:
    """Return by depth and seed the power of alpha that a ratio grows with."""
    found: dict[int, list[float]] = {}
    for (depth, _), own in frame.groupby(["depth", "seed"]):
        slope = np.polyfit(np.log(own.alpha), np.log(own[what]), 1)[0]
        found.setdefault(int(depth), []).append(float(slope))
    return found


def judge_gradients(frame: "pd.DataFrame") -> list[Finding]:
    """The exponent is depth - 1 of the loss's gradient, depth - 2 of the output's."""
    loss, output = exponents(frame, "loss"), exponents(frame, "output")
    near = (
        agreed(abs(each / (depth - 1) - 1) <= NEAR for each in own) for depth, own in loss.items()
    )
    shown = ", ".join(f"l = {depth}: {over(own, '.2f')}" for depth, own in loss.items())
    chain = ", ".join(f"l = {depth}: {over(own, '.2f')}" for depth, own in output.items())
    return [
        held(
            "layer 1's gradient grows as alpha^(l-1) against the last layer's, l weight layers",
            "exponent l - 1",
            f"exponent of the loss's gradient at the start: {shown}",
            everywhere(near),
            f"The same is within {NEAR:.0%} of l - 1 at every depth and in every seed, a margin "
            "that is ours, the same in all entries; differs where all seeds miss it at one depth. "
            "It is about l - 1 in deep networks, less in shallow ones. The chain back to layer 1 "
            f"has l - 2 scaled matrices, and the output's gradient follows them ({chain}); the "
            "rest comes from the last layer, whose part of the loss's gradient falls with alpha.",
        )
    ]


def draw_gradients(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """Ratios by alpha."""
    named = frame.assign(name=[f"{each} layers" for each in frame.depth])
    panels = {
        title: lambda axes, what=what: figures.lines(
            axes,
            figures.by(named, "name", "alpha", what),
            "alpha",
            "layer 1 / last layer",
            log_x=True,
            log_y=True,
        )
        for title, what in (("gradient of the loss", "loss"), ("gradient of the output", "output"))
    }
    said = "norms before training; median and range over seeds"
    return {"gradients": figures.sheet("Gradients by layer", said, panels)}


ENTRIES = (
    Entry(
        "weight-scaling/gradients",
        "claim",
        "Mechanism 3: gradients by layer",
        "How does layer 1's gradient grow with alpha?",
        "as alpha^(l-1) against the last layer's",
        {
            "quick": {
                "signal": "china 32",
                "points": 16,
                "width": 128,
                "depths": [3, 5],
                "alphas": [1.0, 1.5, 2.0, 3.0],
                "seeds": [0],
            },
            "standard": {
                "signal": "kodim05 128",
                "points": 64,
                "width": 256,
                "depths": [3, 4, 5, 6, 7, 9, 12],
                "alphas": [1.0, 1.25, 1.5, 2.0, 2.5, 3.0],
                "seeds": [0, 1, 2],
            },
            "full": {
                "signal": "kodim05 512",
                "points": 256,
                "width": 512,
                "depths": [3, 4, 5, 6, 7, 9, 12],
                "alphas": [1.0, 1.25, 1.5, 2.0, 2.5, 3.0],
                "seeds": list(range(10)),
            },
        },
        gradients,
        judge_gradients,
        draw_gradients,
    ),
)
