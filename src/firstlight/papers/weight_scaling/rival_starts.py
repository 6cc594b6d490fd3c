"""Other starts of the sine network beside weight scaling, rates tuned for each."""

from typing import TYPE_CHECKING, Any

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling.numbers import answer, everywhere, held
from firstlight.papers.weight_scaling.rivals import (
    FULL,
    OWN,
    QUICK,
    RANGES,
    SIGNALS,
    STANDARD,
    ahead,
    both,
    draw,
    measure,
    medians,
)

if TYPE_CHECKING:
    import pandas as pd

STARTS = ("frequency tuning", "gradient control", "WINNER", "TUNER", "VI3NR")


def judge_starts(frame: "pd.DataFrame") -> list[Finding]:
    """Weight scaling beside other proposals for the start of the same network, by its alpha."""
    return [_beside(frame, own) for own in OWN if own in set(frame.network)]


def _beside(frame: "pd.DataFrame", own: str) -> Finding:
    parts, fitted, held_out = [], [], []
    for name in frame.signal.unique():
        there = [each for each in STARTS if each in set(frame[frame.signal == name].network)]
        fitted += [ahead(frame, name, own, each, "psnr") for each in there]
        held_out += [ahead(frame, name, own, each, "held_out_psnr") for each in there]
        parts.append(f"{name}: {', '.join(both(frame, name, each) for each in [own, *there])}")
    return answer(
        f"is {own} ahead of recent frequency starts?",
        f"fitted: {_count(fitted)}; held out: {_count(held_out)}",
        f"Of ranges over seeds that do not meet. Fitted / held out, dB, rates tuned: "
        f"{'; '.join(parts)}. Frequency tuning and gradient control at the samples' Nyquist "
        "frequency. As published: weight-scaling/frequency-start.",
    )


def _count(found: list[bool | None]) -> str:
    return f"ahead in {found.count(True)} of {len(found)}, behind in {found.count(False)}"


def judge_scaling_law(frame: "pd.DataFrame") -> list[Finding]:
    """Weight scaling beside the scaling law's last layer, fitted and between the samples."""
    names, parts = list(frame.signal.unique()), []
    for name in names:
        levels = medians(frame, name, "psnr")
        parts.append(f"{name}: {', '.join(both(frame, name, each) for each in levels)}")
    fitted, held_out = (
        [ahead(frame, name, "weight scaling, 2", "scaling law", what) for name in names]
        for what in ("psnr", "held_out_psnr")
    )
    return [
        held(
            "weight scaling is ahead of the scaling-law start",
            "ahead",
            f"fitted / held out, dB: {'; '.join(parts)}",
            everywhere(fitted),
            "Last weights of variance n^(-3/2), the others SIREN's; rates tuned for each. Alpha "
            f"2. {RANGES} On every signal.",
        ),
        answer(
            "and between the samples?",
            f"{_count(held_out)} signals",
            "Of ranges over seeds that do not meet; the numbers are in the row above.",
        ),
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
