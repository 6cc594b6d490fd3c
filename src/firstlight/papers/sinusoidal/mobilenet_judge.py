"""The factorial experiment on MobileNetV3: two main effects and their interaction."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from firstlight.comparison.statistics import Estimate, estimate
from firstlight.papers.finding import Finding, Verdict
from firstlight.papers.paired import counted, differences, edges, means
from firstlight.papers.paired_figures import draw_differences

_STARTS = ("default", "orthogonal", "sinusoidal-published", "sinusoidal-mean", "sinusoidal-he")

_BY = ("activation", "form", "optimizer")
_PAIRS = (
    ("sinusoidal-published", "orthogonal", "sinusoidal - orthogonal"),
    ("sinusoidal-mean", "sinusoidal-published", "filters that pass the mean - high-pass ones"),
    ("sinusoidal-mean", "orthogonal", "sinusoidal with such filters - orthogonal"),
)


def draw(frame: pd.DataFrame) -> dict[str, Figure]:
    """Draw each difference under each activation, form and optimizer."""
    return {"differences": draw_differences(frame, _PAIRS, _BY)}


def judge(frame: pd.DataFrame) -> list[Finding]:
    """Judge each form and optimizer: the exception, each factor, and the two together."""
    found = [*_summary(frame), *_exception(frame), *_filters(frame)]
    for (form, optimizer), part in frame.groupby(["form", "optimizer"], sort=False):
        label = f"{optimizer}, {form}"
        found += _interaction(part, label)
        for activation, own in part.groupby("activation", sort=False):
            found.append(
                Finding(
                    f"{activation}, {label}: {', '.join(_STARTS)}",
                    "",
                    means(own, _STARTS),
                    "answer",
                    "maximum accuracy in percent, means over seeds",
                )
            )
    return found + edges(frame)


def _summary(frame: pd.DataFrame) -> Iterator[Finding]:
    """Each factor over all forms and optimizers."""
    for activation, part in frame.groupby("activation", sort=False):
        for one, other, claim in _PAIRS:
            several = differences(part, one, other, ("form", "optimizer"))
            if several:
                yield Finding(
                    f"{activation}: {claim}",
                    "",
                    counted(several),
                    "answer",
                    "settings are forms and optimizers; ahead and behind are those told apart at "
                    "5 %, corrected over them",
                )


def _exception(frame: pd.DataFrame) -> Iterator[Finding]:
    """Sinusoidal against orthogonal under each activation."""
    for each in differences(frame, "sinusoidal-published", "orthogonal", _BY):
        activation, form, optimizer = each.setting
        hard, behind = activation == "hardswish", each.estimate.mean < 0
        expected = behind if hard else not behind
        told: Verdict = "open" if not each.told_apart else "same" if expected else "differs"
        paper = "behind (21.6 to 25.8 SGD, 42.6 to 43.6 AdamW)" if hard else "ahead"
        words = "falls behind" if hard else "is ahead of"
        yield Finding(
            f"with {activation} sinusoidal {words} orthogonal ({optimizer}, {form})",
            paper if form == "published" else "",
            f"{each} points",
            told if form == "published" else "answer",
            f"{each.seeds} seeds; p corrected over activations, forms and optimizers",
        )


def _filters(frame: pd.DataFrame) -> Iterator[Finding]:
    """What it changes to let depthwise filters pass the mean, all other weights equal."""
    for other in ("sinusoidal-mean", "sinusoidal-he"):
        for each in differences(frame, other, "sinusoidal-published", _BY):
            activation, form, optimizer = each.setting
            scale = "of one scale" if form == "matched" else "whose scale differs, too"
            yield Finding(
                f"{activation}: depthwise filters {other.partition('-')[2]} instead of "
                f"high-pass sinusoids ({optimizer}, {form})",
                "",
                f"{each} points",
                "answer",
                f"the depthwise filters alone differ, {scale}; "
                + ("told apart at 5 %" if each.told_apart else "not told apart at 5 %"),
            )


def _interaction(part: pd.DataFrame, label: str) -> Iterator[Finding]:
    """Whether a filter that passes the mean helps HardSwish more than ReLU."""
    effects = {
        str(activation): _effect(own) for activation, own in part.groupby("activation", sort=False)
    }
    hard, relu = effects.get("hardswish", {}), effects.get("relu", {})
    seeds = sorted(set(hard) & set(relu))
    if not seeds:
        return
    both: Estimate = estimate([hard[s] - relu[s] for s in seeds])
    mean, low, high, p = both
    interval = "" if np.isnan(low) else f" [{100 * low:.1f}, {100 * high:.1f}], p {p:.2g}"
    yield Finding(
        f"interaction of activation and depthwise filter ({label})",
        "",
        f"{100 * mean:+.1f}{interval} points",
        "answer",
        "what passing the mean gains with HardSwish, less what it gains with ReLU, by seed",
    )


def _effect(part: pd.DataFrame) -> dict[int, float]:
    good = part[part["status"] == "ok"]
    one, other = (
        good[good["scheme"] == name].set_index("seed")["accuracy_max"]
        for name in ("sinusoidal-mean", "sinusoidal-published")
    )
    found = (one - other).dropna()
    return {int(seed): float(value) for seed, value in found.items()}
