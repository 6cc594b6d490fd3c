"""Findings on speed and on quality between samples: one form and one rule for all signals."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from firstlight.papers.finding import Finding
from firstlight.papers.weight_scaling import grid
from firstlight.papers.weight_scaling.grid import LESS, quality, ratio, speed
from firstlight.papers.weight_scaling.numbers import (
    answer,
    everywhere,
    held,
    median_interval,
    over,
    within,
)

if TYPE_CHECKING:
    import pandas as pd

#: What every finding on speed rests on.
FORMS = (
    "As published: Adam 1e-4 for all. Rates tuned for each: weight-scaling/rivals. Variances "
    "cannot be matched: alpha is the variance; weight-scaling/layers and /frequency-start split it."
)
#: How an interval decides, in all entries.
INTERVAL = (
    "The 95 % interval of the median over cases, in square brackets, decides, or the range of five "
    "and fewer: "
)
#: Times fewer steps to a PSNR, as published.
_PUBLISHED = (5.0, 10.0)


def faster(
    groups: "Mapping[str, pd.DataFrame]", what: str, variant: str, claimed: bool = True
) -> Finding:
    """Fewer steps than alpha 1, at an alpha that was not chosen by what is judged.

    Args:
        groups: of cases, by name; the claim holds where it does in all.
        what: is fitted.
        variant: whose steps are counted: auto, or a fixed alpha.
        claimed: whether the paper says so, of such signals.
    """
    fewer = {name: speed(own, variant) for name, own in groups.items()}
    chosen = "alpha='auto' is chosen without held-out samples. " if variant == "auto" else ""
    return _finding(
        f"weight scaling, {variant}, fits {what} faster than the standard start",
        "faster",
        f"{_shown(fewer)} times fewer steps, {sum(map(len, fewer.values()))} cases",
        everywhere(within(own, 1.0, math.inf) for own in fewer.values()),
        f"{INTERVAL}same above 1 in every group. {chosen}{FORMS}",
        claimed,
    )


def five_to_ten(frame: "pd.DataFrame", what: str, why: str, claimed: bool = True) -> Finding:
    """Five to ten times fewer steps at the best alpha of each case, which flatters it."""
    best = grid.bests(frame)
    fewer = [ratio(each.first_steps, each.steps) for each in best]
    alphas = [each.alpha for each in best]
    return _finding(
        f"{what}: 5 to 10 times fewer steps to a PSNR",
        "5 to 10 times",
        f"{_shown({'': fewer})} times at the best alpha ({over(alphas, '.2f')}), {len(best)} cases",
        within(fewer, *_PUBLISHED),
        f"{INTERVAL}same inside 5 to 10, differs outside. The best alpha is picked for each case "
        "afterwards, the fewest steps within 0.5 dB of the best held-out PSNR: never slower than "
        f"alpha 1 where that one is within, too. {why}",
        claimed,
    )


def kept(
    groups: "Mapping[str, pd.DataFrame]", what: str, variant: str, claimed: bool = True
) -> Finding:
    """Quality between samples against alpha 1's, with a margin."""
    changes = {name: quality(own, variant) for name, own in groups.items()}
    best = [each for own in groups.values() for each in grid.bests(own)]
    chosen = [each.held_out - each.first_held_out for each in best]
    lost = any(len(own) > 2 and median_interval(own)[1] < 0 for own in changes.values())
    return _finding(
        f"weight scaling, {variant}, keeps or improves quality between the samples of {what}",
        "maintained or improved",
        f"held out, {_shown(changes, '+.2f')} dB more than alpha 1; the best alpha, which was "
        f"chosen to lose at most 0.5 dB: {over(chosen, '+.2f')} dB",
        everywhere(within(own, -LESS, math.inf) for own in changes.values()),
        f"{INTERVAL}kept above -{LESS:g} dB in every group, lost below it in one. The margin is "
        "ours, the same in all entries."
        + (" There is a loss beyond chance, whatever the margin." if lost else ""),
        claimed,
    )


def _shown(groups: Mapping[str, Sequence[float]], form: str = ".1f") -> str:
    """Each group's median and range, with the interval of its median."""
    return "; ".join(
        f"{name}: {over(own, form)}{_interval(own, form)}".removeprefix(": ")
        for name, own in groups.items()
    )


def _interval(own: Sequence[float], form: str) -> str:
    if len(own) < 6:  # it is the range
        return ""
    low, high = median_interval(own)
    return f" [{low:{form}}, {high:{form}}]"


def _finding(
    claim: str, published: str, ours: str, is_so: bool | None, why: str, claimed: bool
) -> Finding:
    if claimed:
        return held(claim, published, ours, is_so, why)
    told = {True: "It is so here. ", False: "It is not so here. ", None: "Not told here. "}
    return answer(f"beyond the paper's data: {claim}?", ours, told[is_so] + why)
