"""Figures 5 and 7: the row sum S of a neuron's weights against how often it is on."""

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from firstlight.comparison.estimate import estimate
from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.sinusoidal.balance_figures import draw_layers, draw_threshold
from firstlight.papers.sinusoidal.beside import interval
from firstlight.papers.sinusoidal.relu_mlp import neurons
from firstlight.papers.work import Work
from firstlight.theory import skew_threshold

if TYPE_CHECKING:
    import pandas as pd

_ALPHAS = (0.1, 0.3)
_STANDARD5 = {
    "schemes": ["glorot_normal", "he_normal", "orthogonal", "sinusoidal"],
    "widths": [64, 256, 1024],
    "seeds": 5,
    "samples": 16384,
    "law": "normal",
}
FIGURE5_PRESETS: dict[str, dict[str, Any]] = {
    "quick": _STANDARD5 | {"widths": [32, 128], "seeds": 2, "samples": 2048},
    "standard": _STANDARD5,
    "full": _STANDARD5 | {"widths": [64, 256, 1024, 4096]},
}
_STANDARD7 = {"depth": 4, "width": 512, "seeds": 5, "samples": 4096, "law": "normal"}
FIGURE7_PRESETS: dict[str, dict[str, Any]] = {
    "quick": _STANDARD7 | {"width": 64, "seeds": 1, "samples": 512},
    "standard": _STANDARD7,
    "full": _STANDARD7 | {"width": 1024, "samples": 16384},
}


def measure_first(work: Work) -> "pd.DataFrame":
    """Return a row per neuron of the first layer, under each scheme, width and seed."""
    import pandas as pd

    parts = []
    for scheme, width, seed in product(work["schemes"], work["widths"], range(work["seeds"])):
        work.tell(f"{scheme}, {width} wide, seed {seed}")
        found = neurons([scheme], law=work["law"], samples=work["samples"], width=width, seed=seed)
        parts.append(found.assign(scheme=scheme, width=width, seed=seed))
    return pd.concat(parts, ignore_index=True)


def measure_layers(work: Work) -> "pd.DataFrame":
    """Return a row per neuron of every layer, the first k layers sinusoidal, the others Glorot."""
    import pandas as pd

    depth, width = work["depth"], work["width"]
    parts = []
    for k, seed in product(range(depth + 1), range(work["seeds"])):
        work.tell(f"{k} sinusoidal layers, seed {seed}")
        schemes = ["sinusoidal"] * k + ["glorot_normal"] * (depth - k)
        found = neurons(schemes, law=work["law"], samples=work["samples"], width=width, seed=seed)
        parts.append(found.assign(sinusoidal_layers=k, seed=seed))
    return pd.concat(parts, ignore_index=True)


def threshold(rows: "pd.DataFrame", alpha: float) -> float:
    """Return lambda(alpha) of one layer's neurons, by Theorem 1."""
    one = rows.iloc[0]
    return skew_threshold(
        alpha,
        inputs=len(rows),
        mean=float(one["input_mean"]),
        std=float(one["input_std"]),
        weight_std=float(one["weight_std"]),
    )


def classified(rows: "pd.DataFrame", alpha: float) -> float:
    """Return the share of one layer's neurons of which |S| > lambda tells whether they skew."""
    skewed = (rows["on_share"] - 0.5).abs() > alpha
    return float((skewed == (rows["row_sum"].abs() > threshold(rows, alpha))).mean())


def rank_correlation(rows: "pd.DataFrame") -> float:
    """Return Spearman's correlation of S and how often a neuron is on."""
    return float(rows["row_sum"].corr(rows["on_share"], method="spearman"))


def skewed(rows: "pd.DataFrame", alpha: float = 0.1) -> float:
    """Return the share of skewed neurons."""
    return float(((rows["on_share"] - 0.5).abs() > alpha).mean())


def _by_seed(rows: "pd.DataFrame", measure: Any) -> list[float]:
    return [measure(group) for _, group in rows.groupby("seed")]


def judge_first(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Is there one threshold, and is it Theorem 1's? Scheme by scheme, then by width."""
    widest = frame["width"].max()
    found = []
    for scheme, rows in frame[frame["width"] == widest].groupby("scheme", sort=False):
        right = {a: _by_seed(rows, lambda r, a=a: 100 * classified(r, a)) for a in _ALPHAS}
        least = min(min(values) for values in right.values())
        found.append(
            Finding(
                f"{scheme}: a neuron of the first layer is skewed if and only if |S| > lambda",
                "remarkably precise; neurons with large |S| are invariably skewed",
                f"{interval(right[0.1], unit=' %')} of neurons classified rightly at degree 0.1, "
                f"{interval(right[0.3], unit=' %')} at 0.3",
                "same" if least >= 97 else "differs" if least < 90 else "open",
                f"lambda from Theorem 1, nothing fitted, {widest} inputs. {_misplaced(rows)}",
            )
        )
    return [*found, _as_it_grows(frame)]


def _misplaced(rows: "pd.DataFrame") -> str:
    """Tell how far from the threshold the neurons lie that it classifies wrongly."""
    away = []
    for (_, group), alpha in product(rows.groupby("seed"), _ALPHAS):
        limit = threshold(group, alpha)
        wrong = ((group["on_share"] - 0.5).abs() > alpha) != (group["row_sum"].abs() > limit)
        away += list((group["row_sum"][wrong].abs() / limit - 1).abs())
    if not away:
        return "No neuron is classified wrongly."
    if np.median(away) > 0.5:
        return "Those classified wrongly are zero rows, which are never on whatever S."
    return f"All classified wrongly have |S| within {100 * max(away):.0f} % of lambda."


def _as_it_grows(frame: "pd.DataFrame") -> Finding:
    random = frame[frame["scheme"] != "sinusoidal"]
    wrong = {}
    for width, rows in random.groupby("width"):
        groups = rows.groupby(["scheme", "seed"])
        wrong[width] = float(np.mean([1 - classified(g, a) for _, g in groups for a in _ALPHAS]))
    ordered = list(wrong.values())
    falls = len(ordered) > 1 and ordered == sorted(ordered, reverse=True)
    shown = ", ".join(f"{100 * value:.1f} % at n = {width}" for width, value in wrong.items())
    return Finding(
        "as n grows, the equivalence holds with probability tending to one (Theorem 1)",
        "a limit",
        f"wrongly classified: {shown}",
        "same" if falls else "differs" if ordered[-1] > 2 * ordered[0] else "open",
        "Mean over random schemes, seeds and degrees. The error shrinks like n^(-1/2), as do the "
        "fluctuations of a row's norm.",
    )


def judge_layers(frame: "pd.DataFrame") -> Sequence[Finding]:
    """Tails dissolve with depth; sinusoidal layers before a Glorot one bring them back."""
    depth = int(frame["layer"].max())
    return [_dissolves(frame, depth), _kept(frame, depth), _none(frame, depth)]


def _cell(frame: "pd.DataFrame", k: int, layer: int) -> "pd.DataFrame":
    return frame[(frame["sinusoidal_layers"] == k) & (frame["layer"] == layer)]


def _dissolves(frame: "pd.DataFrame", depth: int) -> Finding:
    cells = [_by_seed(_cell(frame, 0, at), rank_correlation) for at in range(1, depth + 1)]
    steps = [np.subtract(cells[at + 1], cells[at]) for at in range(depth - 1)]
    falls = all(estimate([float(v) for v in step]).high < 0 for step in steps)
    return Finding(
        "all Glorot: with depth, S tells less and less of skewness",
        "tails dissolve and spread toward the centre",
        "rank correlation of S with how often a neuron is on, layer by layer: "
        + ", ".join(interval(cell, digits=2) for cell in cells),
        "same" if falls else "open" if np.mean(cells[0]) > np.mean(cells[-1]) else "differs",
        "Same means that every step's difference, paired by seed, has an interval below 0. Behind "
        "a layer that skews, inputs no longer share one mean, and W mu is not mu S.",
    )


def _kept(frame: "pd.DataFrame", depth: int) -> Finding:
    first, alone, behind = (
        _by_seed(_cell(frame, k, at), rank_correlation)
        for k, at in ((0, 1), (0, depth), (depth - 1, depth))
    )
    few = _by_seed(_cell(frame, depth - 1, depth), lambda r: 100 * skewed(r))
    many = _by_seed(_cell(frame, 0, depth), lambda r: 100 * skewed(r))
    return Finding(
        "behind sinusoidal layers, S tells skewness in a deep Glorot layer too",
        "the relationship remains intact",
        f"rank correlation in layer {depth}: {interval(behind, digits=2)} behind sinusoidal "
        f"layers, {interval(alone, digits=2)} behind Glorot ones; in layer 1 "
        f"{interval(first, digits=2)}",
        "same" if min(behind) > max(alone) else "differs",
        f"Skewed of degree 0.1 there: {interval(few, unit=' %')} behind sinusoidal layers against "
        f"{interval(many, unit=' %')}. Balanced layers hand on inputs that share one mean.",
    )


def _none(frame: "pd.DataFrame", depth: int) -> Finding:
    shares = [_by_seed(_cell(frame, depth, at), skewed) for at in range(1, depth + 1)]
    worst = max(max(share) for share in shares)
    return Finding(
        "all sinusoidal: no layer has skewed neurons",
        "identically zero across all thresholds",
        "skewed of degree 0.1, layer by layer: "
        + ", ".join(interval([100 * v for v in share], unit=" %") for share in shares),
        "same" if worst == 0 else "differs",
        "Two zero rows of each square matrix are never on, and some rows deeper down skew; it is "
        "nearly none, not none. Theorem 2 makes the mean over inputs and neurons vanish, not each "
        "neuron's mean behind a layer whose neurons correlate.",
    )


FIGURE5 = Entry(
    "sinusoidal/figure5",
    "figure",
    "Figure 5, Theorem 1",
    "Does the row sum S tell which neurons of the first layer are skewed?",
    "if and only if |S| > lambda(alpha)",
    FIGURE5_PRESETS,
    measure_first,
    judge_first,
    draw_threshold,
)
FIGURE7 = Entry(
    "sinusoidal/figure7",
    "figure",
    "Figure 7",
    "Does S tell it in deeper layers, behind Glorot's or sinusoidal layers?",
    "less and less behind Glorot's, as well as at first behind sinusoidal ones",
    FIGURE7_PRESETS,
    measure_layers,
    judge_layers,
    draw_layers,
)
