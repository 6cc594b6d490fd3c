"""Questions on weight scaling: draws, layers, small batches and SGD, trained alphas."""

import json
import math
from collections.abc import Callable, Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import figures, questions
from firstlight.papers.weight_scaling.numbers import answer, more, over, speedups

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Alphas of depth 5 as powers of 1.5: the same product, rising and falling.
LAYERS: dict[str, Any] = {
    "auto": "auto",
    "alpha 1": 1.0,
    "all 1.25": 1.25,
    "all 1.5": 1.5,
    "first only 1.5": [1.5, 1.0, 1.0, 1.0],
    "hidden only 1.5": [1.0, 1.5, 1.5, 1.5],
    "rising": [round(1.5**power, 3) for power in (0.4, 0.8, 1.2, 1.6)],
    "falling": [round(1.5**power, 3) for power in (1.6, 1.2, 0.8, 0.4)],
}


def steps(frame: "pd.DataFrame", group: str, variant: str) -> str:
    """Median and range of a variant's steps to the target."""
    own = frame[(frame.group == group) & (frame.variant == variant)]
    return over(own.steps_to_target, ".0f")


def judge_draws(frame: "pd.DataFrame") -> list[Finding]:
    """Normal beside uniform draws of the same variance."""
    swapped = frame.assign(group=frame.variant, variant=frame.group)
    factors, change = (
        speedups(swapped, "normal", "uniform"),
        more(swapped, "normal", "uniform", "held_out_psnr"),
    )
    shown = ", ".join(
        f"{variant}: {steps(frame, 'normal', variant)} and {steps(frame, 'uniform', variant)}"
        for variant in frame.variant.unique()
    )
    return [
        answer(
            "does weight scaling work with Gaussian draws as with uniform ones?",
            f"steps with normal and with uniform draws, {shown}; uniform's over normal's "
            f"{over(factors, '.2f')}; held out {over(change, '+.2f')} dB",
            "Variances are matched: both draws have the variance that alpha gives.",
        )
    ]


def judge_layers(frame: "pd.DataFrame") -> list[Finding]:
    """Which layers the gain comes from."""
    shown = "; ".join(
        f"{variant}: {over(speedups(frame, variant, 'alpha 1'), '.1f')} times, "
        f"{over(more(frame, variant, 'alpha 1', 'held_out_psnr'), '+.1f')} dB"
        for variant in frame.variant.unique()
        if variant != "alpha 1"
    )
    return [
        answer(
            "does the gain come from the first layer's frequencies or the later layers' harmonics?",
            f"fewer steps than alpha 1, and held out: {shown}",
            "Scaling the hidden layers alone gives most of the gain, the first layer alone less. "
            "At one product of alphas, rising with depth is as fast as equal and falling slower.",
        )
    ]


def judge_sgd(frame: "pd.DataFrame") -> list[Finding]:
    """Whether the gain stays with small batches and with SGD."""
    scaled = "auto" if "auto" in set(frame.variant) else "alpha 1.5"
    batches = [group for group in frame.group.unique() if group.startswith("batch")]
    shown = ", ".join(
        f"{group}: {over(speedups(frame[frame.group == group], scaled, 'alpha 1'))}"
        for group in batches
    )
    sgd = frame[frame.group == "sgd"]
    fewer = speedups(sgd, scaled, "alpha 1")
    rates = "; ".join(
        f"{variant} at {', '.join(f'{rate:g}' for rate in sorted(_rates(own)))}"
        for variant, own in sgd.groupby("variant")
    )
    return [
        answer(
            "does the gain stay with mini-batches?",
            f"times fewer steps than alpha 1 ({scaled}): {shown}",
            "Adam at the published rate, the same batches for both.",
        ),
        answer(
            "and with SGD?",
            f"{over(fewer)} times fewer steps "
            f"({steps(frame, 'sgd', scaled)} and {steps(frame, 'sgd', 'alpha 1')}), "
            f"{over(more(sgd, scaled, 'alpha 1', 'psnr'), '+.1f')} dB at the end",
            f"Momentum 0.9, all samples; rates tuned for each on a seed of their own: {rates}. At "
            "rates tuned for each less is left to gain than at Adam's 1e-4.",
        ),
    ]


def _rates(frame: "pd.DataFrame") -> set[float]:
    return {float(json.loads(each)["learning_rate"]) for each in frame.training}


def judge_trained(frame: "pd.DataFrame") -> list[Finding]:
    """What alphas become, and whether that helps."""
    parts = []
    for group, own in frame.groupby("group", sort=False):
        for variant in own.variant.unique():
            if variant == "fixed":
                continue
            runs = own[own.variant == variant].alphas_at_the_end
            ends = [float(each) for run in runs for each in json.loads(run)]
            fewer = over(speedups(own, variant, "fixed"), ".2f")
            parts.append(f"{group}, {variant}: {over(ends, '.2f')}, {fewer} times fewer steps")
    return [
        answer(
            "does it help to train alpha with the weights?",
            "alphas at the end, and steps against a fixed alpha: " + "; ".join(parts),
            "From 1, a rate 100 times the weights' finds part of the way in the hidden layers; a "
            "good start is not improved. Choosing alpha before training is better.",
        )
    ]


def _draw(title: str, reference: str = "") -> Callable[["pd.DataFrame"], "dict[str, Figure]"]:
    def draw(frame: "pd.DataFrame") -> "dict[str, Figure]":
        own = frame[~frame.variant.str.startswith("rate ")]
        own = own[own.variant != reference]
        pace: dict[str, list[float]] = {}
        quality: dict[str, list[float]] = {}
        several = own.group.nunique() > 1
        for row in own.itertuples():
            name = f"{row.group}, {row.variant}" if several else str(row.variant)
            pace.setdefault(name, []).append(row.steps_to_target)
            quality.setdefault(name, []).append(row.held_out_psnr - _centre(own, row))
        panels = {
            "speed": lambda axes: figures.dots(axes, pace, "steps to the target", log=True),
            "quality": lambda axes: figures.dots(
                axes, quality, "held-out PSNR less the case's median, dB"
            ),
        }
        height = max(3.0, 1.3 + 0.27 * len(pace))
        said = "a dot for each run, a bar at the median"
        return {"variants": figures.sheet(title, said, panels, height=height)}

    return draw


def _centre(frame: "pd.DataFrame", row: Any) -> float:
    """What is usual for a signal."""
    known = [each for each in frame[frame.signal == row.signal].held_out_psnr if each == each]
    return median(known) if known else math.nan


def _entry(
    name: str,
    kind: Any,
    where: str,
    asks: str,
    measure: Callable[[Any], "pd.DataFrame"],
    judge: Callable[["pd.DataFrame"], list[Finding]],
    standard: Mapping[str, Any],
    **quick: Any,
) -> Entry:
    presets = questions.presets(standard, **quick)
    return Entry(
        f"weight-scaling/{name}", kind, where, asks, "", presets, measure, judge, _draw(asks)
    )


ENTRIES = (
    _entry(
        "layers",
        "question",
        "Mechanism 1: which layers are scaled",
        "Which layers does the gain come from?",
        questions.layers,
        judge_layers,
        {"layers": LAYERS},
        layers={name: LAYERS[name] for name in ("alpha 1", "all 1.5", "first only 1.5")},
    ),
    _entry(
        "draws",
        "question",
        "Reviewers: Gaussian draws",
        "Are Gaussian draws as good as uniform ones?",
        questions.draws,
        judge_draws,
        {"alphas": [1.0, 1.5, "auto"]},
        alphas=[1.0, 1.5],
    ),
    _entry(
        "sgd-and-batches",
        "question",
        "Reviewers: SGD and mini-batches",
        "Does the gain stay with mini-batches and SGD?",
        questions.sgd_and_batches,
        judge_sgd,
        {
            "alphas": [1.0, "auto"],
            "shares": [8, 2, 1],
            "tuning_steps": 60,
            "sgd_steps": 300,
            "sgd_rates": [1e-3, 3e-3, 1e-2, 3e-2, 1e-1],
        },
        alphas=[1.0, 1.5],
        shares=[2, 1],
        tuning_steps=10,
        sgd_steps=30,
    ),
    _entry(
        "trained-alpha",
        "question",
        "Reviewers: alpha as a parameter",
        "Does it help to train alpha?",
        questions.trained,
        judge_trained,
        {"alphas": [1.0, "auto"], "alpha_rates": [1e-4, 1e-2]},
        alphas=[1.0, 1.5],
    ),
)
