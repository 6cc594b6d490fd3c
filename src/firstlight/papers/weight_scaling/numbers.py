"""Numbers of findings: medians with ranges, and comparisons within a case."""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import TYPE_CHECKING

from firstlight.papers.finding import Finding, Verdict

if TYPE_CHECKING:
    import pandas as pd

#: What makes a case: the same signal, network size and draw.
CASE = ["group", "signal", "seed"]
#: A share by which what is measured may miss a law and still follow it; ours, in all entries.
NEAR = 0.1


def over(values: Iterable[float], form: str = ".1f", unit: str = "") -> str:
    """Median, least and most of numbers; NaN is "never", which is more than anything.

    Example:
        >>> over([40, 42, 56], ".0f"), over([1.0]), over([])
        ('42 (40 to 56)', '1.0', 'nothing')
    """
    known = sorted(math.inf if math.isnan(each) else each for each in values)
    if not known:
        return "nothing"
    # of an even number the upper one, where half of never is no number
    middle = median(known) if math.isfinite(known[-1]) else known[len(known) // 2]
    least, centre, most = (
        "never" if math.isinf(each) and each > 0 else f"{each:{form}}"
        for each in (known[0], middle, known[-1])
    )
    return f"{centre}{unit}" if len(known) == 1 else f"{centre} ({least} to {most}){unit}"


def median_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Interval of a median by order statistics, of at least this level; the range for few values.

    Example:
        >>> median_interval(list(range(1, 12)))
        (2, 10)
    """
    from scipy.stats import binom

    known = sorted(values)
    below = int(binom.ppf((1 - level) / 2, len(known), 0.5))
    skip = max(below - 1, 0) if len(known) > 5 else 0
    return known[skip], known[len(known) - 1 - skip]


def within(values: Sequence[float], low: float, high: float) -> bool | None:
    """Whether the interval of a median lies between two numbers; None where it reaches over one.

    Fewer than three cases tell nothing.

    Example:
        >>> within([6, 7, 8], 5, 10), within([2, 3, 4], 5, 10), within([4, 6, 8], 5, 10)
        (True, False, None)
    """
    if len(values) < 3:
        return None
    least, most = median_interval(values)
    if low < least and most < high:
        return True
    return False if most <= low or least >= high else None


def agreed(held: Iterable[bool]) -> bool | None:
    """Whether a claim holds in every seed, or in none; None where they disagree, or of one.

    Example:
        >>> agreed([True, True]), agreed([False, False]), agreed([True, False]), agreed([True])
        (True, False, None, None)
    """
    seeds = [bool(each) for each in held]
    if len(seeds) < 2 or len(set(seeds)) > 1:
        return None
    return seeds[0]


def everywhere(parts: Iterable[bool | None]) -> bool | None:
    """Whether a claim on many holds of all of them; False where one is otherwise, else None.

    Example:
        >>> everywhere([True, True]), everywhere([True, None]), everywhere([None, False])
        (True, None, False)
    """
    found = list(parts)
    return False if False in found else None if None in found or not found else True


def apart(own: Sequence[float], others: Sequence[float]) -> bool | None:
    """Whether all of one are above all of the others; None where ranges meet, or of one seed.

    Example:
        >>> apart([3, 4], [1, 2]), apart([1, 2], [3, 4]), apart([1, 3], [2, 4]), apart([3], [1])
        (True, False, None, None)
    """
    if min(len(own), len(others)) < 2 or (max(own) >= min(others) and max(others) >= min(own)):
        return None
    return min(own) > max(others)


def pairs(
    frame: "pd.DataFrame", variant: str, reference: str, by: Sequence[str] = CASE
) -> "pd.DataFrame":
    """Return cases that have both variants; the reference's columns end in ``_ref``."""
    one, other = (frame[frame.variant == each] for each in (variant, reference))
    return one.merge(other, on=list(by), suffixes=("", "_ref"))


def speedups(frame: "pd.DataFrame", variant: str, reference: str) -> list[float]:
    """Steps to the target of the reference over a variant's, case by case.

    A case that neither reaches is left out; a reference that never gets there counts with the
    steps that it took, a variant that never does with 0.
    """
    found = pairs(frame, variant, reference)
    ratios = []
    for row in found.itertuples():
        own, first = row.steps_to_target, row.steps_to_target_ref
        if math.isnan(own) and math.isnan(first):
            continue
        first = row.steps_ref if math.isnan(first) else first
        ratios.append(0.0 if math.isnan(own) else first / max(own, 1.0))
    return ratios


def more(frame: "pd.DataFrame", variant: str, reference: str, what: str) -> list[float]:
    """Return how much more of a column a variant has, case by case."""
    found = pairs(frame, variant, reference)
    return [float(each) for each in (found[what] - found[f"{what}_ref"]).dropna()]


def held(
    claim: str,
    published: str,
    ours: str,
    is_so: bool | None,
    why: Callable[[bool], str] | str,
) -> Finding:
    """Return a finding: the same where it is so, open where nothing tells.

    Args:
        claim: of the paper.
        published: what it says.
        ours: what was measured.
        is_so: whether that agrees; None: this budget cannot tell.
        why: on what it rests, or a function of ``is_so``.
    """
    verdict: Verdict = "open" if is_so is None else "same" if is_so else "differs"
    return Finding(
        claim, published, ours, verdict, why if isinstance(why, str) else why(bool(is_so))
    )


def answer(claim: str, ours: str, why: str, published: str = "") -> Finding:
    """Return a finding on what the paper leaves open."""
    return Finding(claim, published, ours, "answer", why)
