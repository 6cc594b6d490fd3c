"""Claim: the activations of a scaled sine network keep the arcsine law at any depth."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.stats import norm

from firstlight import fields, theory
from firstlight.fields.analysis import sample_points
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures
from firstlight.papers.weight_scaling.numbers import agreed, everywhere, held, over
from firstlight.papers.weight_scaling.signals import signal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work


def limit() -> float:
    """Distance below which values are nearer to the arcsine law than to a normal one.

    Half of the distance between the arcsine law and the normal law of its variance, 1/2: by the
    triangle inequality what is nearer than that to the one is farther from the other.

    Example:
        >>> round(limit(), 4)
        0.0486
    """
    x = np.linspace(-1, 1, 20001)
    return float(np.abs(theory.ArcsineLaw().cdf(x) - norm.cdf(x, 0, np.sqrt(0.5))).max()) / 2


def distribution(work: "Work") -> "pd.DataFrame":
    """Distance of every hidden layer's activations from the arcsine law."""
    import pandas as pd

    known, rows = signal(work, work["signal"]), []
    x = sample_points(known.train, work["points"])
    for alpha in work["alphas"]:
        for seed in work["seeds"]:
            network: Any = fields.Sine(
                width=work["width"], depth=work["depth"], alpha=alpha, omega_0=30.0
            ).build(known.inputs, 1, seed)
            values = x
            with torch.no_grad():
                for layer, (linear, omega) in enumerate(
                    zip(network.layers[:-1], network.factors, strict=True), 1
                ):
                    values = torch.sin(omega * linear(values))
                    distance = ks_distance(values)
                    rows.append(
                        {"alpha": alpha, "seed": seed, "layer": layer, "distance": distance}
                    )
    return pd.DataFrame(rows)


def ks_distance(values: torch.Tensor) -> float:
    """Kolmogorov-Smirnov distance of values from the arcsine law on (-1, 1).

    Example:
        >>> phases = torch.linspace(0, 2 * torch.pi, 10001)
        >>> round(ks_distance(torch.sin(phases)), 3)
        0.0
    """
    ordered = np.sort(values.double().numpy().ravel())
    law, steps = theory.ArcsineLaw().cdf(ordered), np.arange(len(ordered) + 1) / len(ordered)
    return float(max((law - steps[:-1]).max(), (steps[1:] - law).max()))


def judge_distribution(frame: "pd.DataFrame") -> list[Finding]:
    """At alpha >= 1 the law holds at every depth; below it does not."""
    small = frame[(frame.alpha < 1) & (frame.layer > 1)]
    below = over(small.distance, ".3f")
    return [
        _kept(float(alpha), own, below) for alpha, own in frame[frame.alpha >= 1].groupby("alpha")
    ]


def _kept(alpha: float, own: "pd.DataFrame", below: str) -> Finding:
    """Of one alpha, at every layer and in every seed."""
    most = limit()
    layers = own.groupby("layer").distance
    worst = layers.median()
    return held(
        f"alpha {alpha:g}: every hidden activation keeps the arcsine law, to layer "
        f"{int(own.layer.max())}",
        "kept at any depth for alpha >= 1",
        f"KS distance {over(own[own.layer > 1].distance, '.4f')}; largest median at layer "
        f"{int(worst.idxmax())}: {worst.max():.4f}",
        everywhere(agreed(each < most) for _, each in layers),
        f"Kept is nearer to the arcsine law than to a normal law of the same variance, below "
        f"{most:.4f}, half of the distance between the two; at every layer, in every seed. At "
        "alpha 1 pre-activations hardly wrap: a larger alpha keeps the law better. Distance below "
        f"alpha 1: {below}.",
    )


def draw_distribution(frame: "pd.DataFrame") -> "dict[str, Figure]":
    """Distance by layer."""
    named = frame.assign(name=[f"alpha {each:g}" for each in frame.alpha])
    series = figures.by(named, "name", "layer", "distance")
    panel = "Kolmogorov-Smirnov distance from the arcsine law"
    return {
        "distance": figures.sheet(
            "Activations by layer",
            "median and range over seeds",
            {panel: lambda axes: figures.lines(axes, series, "layer", "distance", log_y=True)},
        )
    }


ENTRIES = (
    Entry(
        "weight-scaling/distribution",
        "claim",
        "Proposition on distribution preservation",
        "Do activations keep the arcsine law when weights are scaled?",
        "for alpha >= 1 at any depth",
        {
            "quick": {
                "signal": "china 32",
                "points": 256,
                "width": 256,
                "depth": 6,
                "alphas": [0.5, 1.0, 2.0],
                "seeds": [0],
            },
            "standard": {
                "signal": "kodim05 128",
                "points": 1024,
                "width": 256,
                "depth": 20,
                "alphas": [0.25, 0.5, 1.0, 1.5, 2.0, 3.0],
                "seeds": [0, 1, 2, 3, 4],
            },
            "full": {
                "signal": "kodim05 512",
                "points": 4096,
                "width": 512,
                "depth": 20,
                "alphas": [0.25, 0.5, 1.0, 1.5, 2.0, 3.0],
                "seeds": list(range(10)),
            },
        },
        distribution,
        judge_distribution,
        draw_distribution,
    ),
)
