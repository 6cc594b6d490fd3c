"""Other starts of the sine network beside weight scaling, rates tuned for each."""

from typing import TYPE_CHECKING, Any

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling.numbers import answer, held, over
from firstlight.papers.weight_scaling.rivals import (
    FULL,
    QUICK,
    SIGNALS,
    STANDARD,
    best_of,
    both,
    draw,
    measure,
    medians,
)

if TYPE_CHECKING:
    import pandas as pd

STARTS = ("frequency tuning", "gradient control", "WINNER", "TUNER", "VI3NR")


def judge_starts(frame: "pd.DataFrame") -> list[Finding]:
    """Weight scaling beside other proposals for the start of the same network."""
    parts, ahead = [], []
    for name in frame.signal.unique():
        levels = medians(frame, name, "psnr")
        own = best_of(levels, ("weight scaling, auto", "weight scaling, 2"))
        there = [each for each in STARTS if each in levels]
        ahead += [levels[own] - levels[each] for each in there]
        listed = ", ".join(both(frame, name, each) for each in [own, *there])
        parts.append(f"{name}: {listed}")
    claim = "is weight scaling ahead of recent frequency starts?"
    why = (
        f"Fitted / held out, dB, rates tuned. Ahead in {sum(each > 0 for each in ahead)} of "
        f"{len(ahead)} comparisons, by {over(ahead)} dB fitted. Frequency tuning and gradient "
        "control at the samples' Nyquist frequency. As published: weight-scaling/frequency-start."
    )
    return [answer(claim, "; ".join(parts), why)]


def judge_scaling_law(frame: "pd.DataFrame") -> list[Finding]:
    """Weight scaling beside the scaling law's last layer."""
    ahead, parts = [], []
    for name in frame.signal.unique():
        levels = medians(frame, name, "psnr")
        ahead.append(levels["weight scaling, 2"] - levels["scaling law"])
        parts.append(f"{name}: {', '.join(both(frame, name, each) for each in levels)}")
    return [
        held(
            "weight scaling is ahead of the scaling-law start",
            "ahead",
            f"fitted / held out, dB: {'; '.join(parts)}",
            min(ahead) > 0 if frame.seed.nunique() > 1 else None,
            "Last weights of variance n^(-3/2), the others SIREN's; rates tuned for each.",
        )
    ]


def _scaling_law() -> dict[str, Any]:
    presets = _only("weight scaling, 2", "SIREN", "scaling law")
    presets["quick"]["networks"] = ["weight scaling, 2", "SIREN", "scaling law"]
    few = {name: SIGNALS[name] for name in ("bach 1 s short", "kodim05 128")}
    presets["standard"]["signals"] = few
    return presets


def _only(*names: str) -> dict[str, Any]:
    quick = [each for each in QUICK["networks"] if each in names]
    whole = {"quick": QUICK, "standard": STANDARD, "full": FULL}
    presets = {name: each | {"networks": list(names)} for name, each in whole.items()}
    return presets | {"quick": QUICK | {"networks": quick}}


ENTRIES = (
    Entry(
        "weight-scaling/other-starts",
        "check",
        "Next check 3: frequency starts, rates tuned",
        "Is it ahead of frequency tuning, gradient control, WINNER, TUNER, VI3NR?",
        "",
        _only("weight scaling, auto", "weight scaling, 2", "SIREN", *STARTS),
        measure,
        judge_starts,
        draw,
    ),
    Entry(
        "weight-scaling/scaling-law",
        "table",
        "Tables: the neural-field scaling law",
        "Is it ahead of the scaling-law start of neural fields (arXiv 2403.19205)?",
        "ahead",
        _scaling_law(),
        measure,
        judge_scaling_law,
        draw,
    ),
)
