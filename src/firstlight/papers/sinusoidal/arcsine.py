"""Figure 8: weights drawn from the arcsine law, without the structure of sinusoidal ones."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.sinusoidal.balance import classified
from firstlight.papers.sinusoidal.balance_figures import histogram
from firstlight.papers.sinusoidal.beside import agrees, interval
from firstlight.papers.sinusoidal.relu_mlp import neurons
from firstlight.papers.work import Work
from firstlight.report.canvas import plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_STANDARD = {
    "schemes": ["arcsine", "glorot_normal", "glorot_uniform", "sinusoidal"],
    "depth": 3,
    "width": 1024,
    "seeds": 5,
    "samples": 2048,
    "law": "normal",
}
PRESETS: dict[str, dict[str, Any]] = {
    "quick": _STANDARD | {"width": 128, "seeds": 2, "samples": 512},
    "standard": _STANDARD,
    "full": _STANDARD | {"seeds": 30, "samples": 16384},
}


def measure(work: Work) -> "pd.DataFrame":
    """Return a row per neuron of the three-layer network, under each scheme and seed."""
    import pandas as pd

    parts = []
    for scheme, seed in product(work["schemes"], range(work["seeds"])):
        work.tell(f"{scheme}, seed {seed}")
        found = neurons(
            [scheme] * work["depth"],
            law=work["law"],
            samples=work["samples"],
            width=work["width"],
            seed=seed,
        )
        parts.append(found.assign(scheme=scheme, seed=seed))
    return pd.concat(parts, ignore_index=True)


def _shares(frame: "pd.DataFrame", scheme: str, layer: int, alpha: float) -> list[float]:
    rows = frame[(frame["scheme"] == scheme) & (frame["layer"] == layer)]
    skewed = (rows["on_share"] - 0.5).abs() > alpha
    return [100 * float(share) for share in skewed.groupby(rows["seed"]).mean()]


def judge(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Do arcsine weights skew as many neurons as normal ones, layer by layer?"""
    found = [
        _layer(frame, layer, alpha)
        for layer, alpha in product(sorted(set(frame["layer"])), (0.1, 0.3))
    ]
    return [*found, _threshold(frame)]


def _layer(frame: "pd.DataFrame", layer: int, alpha: float) -> Finding:
    own, normal, structured = (
        _shares(frame, scheme, layer, alpha)
        for scheme in ("arcsine", "glorot_normal", "sinusoidal")
    )
    mean = sum(own) / len(own)
    return Finding(
        f"random arcsine weights skew neurons as other random ones do: layer {layer}, "
        f"degree {alpha}",
        "comparable skewness",
        f"arcsine {interval(own, unit=' %')}, normal {interval(normal, unit=' %')}, sinusoidal "
        f"{interval(structured, unit=' %')}",
        agrees(mean, normal),
        "Same means that the mean under the arcsine law lies where a single run with normal "
        "weights falls with 95 % probability. Theorem 1 asks for a variance only.",
    )


def _threshold(frame: "pd.DataFrame") -> Finding:
    first = frame[(frame["scheme"] == "arcsine") & (frame["layer"] == 1)]
    right = [100 * classified(rows, 0.3) for _, rows in first.groupby("seed")]
    return Finding(
        "under arcsine weights, too, |S| tells which neurons of the first layer are skewed",
        "Figure 5 replicated",
        f"{interval(right, unit=' %')} of neurons classified rightly at degree 0.3",
        "same" if min(right) >= 97 else "differs" if min(right) < 90 else "open",
        "lambda from Theorem 1, nothing fitted.",
    )


def draw(frame: "pd.DataFrame") -> "Mapping[str, Figure]":
    """Draw the first layer's row sums under each scheme, one seed."""
    from matplotlib.figure import Figure

    chosen = frame[(frame["layer"] == 1) & (frame["seed"] == 0)]
    schemes = list(dict.fromkeys(chosen["scheme"]))
    figure = Figure(figsize=(3.1 * len(schemes), 3.0), layout="constrained")
    panels = figure.subplots(1, len(schemes), squeeze=False)[0]
    for axes, scheme in zip(panels, schemes, strict=True):
        histogram(axes, chosen[chosen["scheme"] == scheme])
        plain_axes(axes, scheme)
        axes.set_xlabel("row sum S")
    figure.supxlabel("neurons by row sum: blue skewed of degree 0.3, orange not", size=8.5)
    return {"row-sums": figure}


FIGURE8 = Entry(
    "sinusoidal/figure8",
    "figure",
    "Figure 8, Appendix D.1",
    "Is it the law of the weights or their structure that keeps neurons from skewing?",
    "their structure: arcsine-distributed random weights behave like other random ones",
    PRESETS,
    measure,
    judge,
    draw,
)
