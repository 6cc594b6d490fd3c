"""The factorial experiment on MobileNetV3: two main effects and their interaction."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from firstlight.comparison.statistics import Estimate, estimate
from firstlight.papers.finding import Finding
from firstlight.papers.paired import counted, differences, means
from firstlight.papers.paired_figures import draw_differences

_STARTS = ("default", "orthogonal", "sinusoidal-published", "sinusoidal-mean", "sinusoidal-he")

_PAIRS = (
    ("sinusoidal-published", "orthogonal", "sinusoidal - orthogonal"),
    ("sinusoidal-mean", "sinusoidal-published", "filters that pass the mean - high-pass ones"),
    ("sinusoidal-mean", "orthogonal", "sinusoidal with such filters - orthogonal"),
)


def draw(frame: pd.DataFrame) -> dict[str, Figure]:
    """Draw each difference under each activation, form and optimizer."""
    by = ("activation", "form", "optimizer")
    return {"differences": draw_differences(frame, _PAIRS, by)}


def judge(frame: pd.DataFrame) -> list[Finding]:
    """Judge each form and optimizer: the exception, each factor, and the two together."""
    found = list(_summary(frame))
    for (form, optimizer), part in frame.groupby(["form", "optimizer"], sort=False):
        label = f"{optimizer}, {form}"
        found += _exception(part, label)
        found += _filters(part, label)
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
    return found


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


def _exception(part: pd.DataFrame, label: str) -> Iterator[Finding]:
    """Sinusoidal against orthogonal under each activation."""
    for each in differences(part, "sinusoidal-published", "orthogonal", ("activation",)):
        (activation,) = each.setting
        told = each.told_apart and each.seeds > 2
        behind = each.estimate.mean < 0
        expected = behind if activation == "hardswish" else not behind
        hard = activation == "hardswish"
        words = "falls behind" if hard else "is ahead of"
        yield Finding(
            f"with {activation} sinusoidal {words} orthogonal ({label})",
            "behind (21.6 to 25.8 SGD, 42.6 to 43.6 AdamW)" if hard else "ahead",
            f"{each} points",
            "open" if not told else "same" if expected else "differs",
            f"{each.seeds} seeds",
        )


def _filters(part: pd.DataFrame, label: str) -> Iterator[Finding]:
    """What it changes to let depthwise filters pass the mean, all else equal."""
    for other in ("sinusoidal-mean", "sinusoidal-he"):
        for each in differences(part, other, "sinusoidal-published", ("activation",)):
            yield Finding(
                f"{each.setting[0]}: depthwise filters {other.partition('-')[2]} instead of "
                f"high-pass sinusoids ({label})",
                "",
                f"{each} points",
                "answer",
                "the depthwise filters alone differ; "
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
