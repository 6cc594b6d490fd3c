"""Numbers of a table in words, and what differences say of a claim."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firstlight.comparison.statistics import Estimate, estimate
from firstlight.papers.finding import Verdict

if TYPE_CHECKING:
    import pandas as pd

#: One rule for all entries. Kept is within a factor of 2, which is the paper's number for gradients
#: ("preserves norm within factor ~2"). The paper has no number for what collapses or vanishes: an
#: order of magnitude, less than a tenth is left.
KEPT, COLLAPSED = 2.0, 0.1
#: Accuracy that counts as nothing, and how near to 1 a factor per layer is near; in all entries.
LITTLE, NEAR = 0.05, 0.1
#: The same in words.
RULE = (
    "In all entries kept is within a factor of 2, as the paper has it of gradients, and collapsed "
    "less than a tenth, which we chose; both in every seed, and open where seeds disagree."
)


def agreed(held: Iterable[bool]) -> Verdict:
    """What seeds say of a claim: the same where it holds in all, differs where it does in none.

    Example:
        >>> agreed([True, True]), agreed([False, False])
        ('same', 'differs')
        >>> agreed([True, False]), agreed([True])
        ('open', 'open')
    """
    seeds = [bool(each) for each in held]
    if len(seeds) < 2:
        return "open"
    return "same" if all(seeds) else "open" if any(seeds) else "differs"


def everywhere(verdicts: Iterable[Verdict]) -> Verdict:
    """A claim on many networks: it differs where it does in one, and is the same in all or open.

    Example:
        >>> everywhere(["same", "open"]), everywhere(["same", "differs"]), everywhere(["same"])
        ('open', 'differs', 'same')
    """
    found = set(verdicts)
    return "differs" if "differs" in found else "same" if found == {"same"} else "open"


def opposite(verdict: Verdict) -> Verdict:
    """The verdict on a claim's contrary.

    Example:
        >>> opposite("same"), opposite("open")
        ('differs', 'open')
    """
    swapped: dict[Verdict, Verdict] = {"same": "differs", "differs": "same"}
    return swapped.get(verdict, verdict)


def kept(ratios: Iterable[float]) -> Verdict:
    """Whether ratios by seed are within a factor of 2.

    Example:
        >>> kept([0.6, 1.9]), kept([0.6, 3.0]), kept([0.2, 0.3])
        ('same', 'open', 'differs')
    """
    return agreed(1 / KEPT <= each <= KEPT for each in ratios)


def collapsed(ratios: Iterable[float]) -> Verdict:
    """Whether less than a tenth is left, by seed.

    Example:
        >>> collapsed([0.01, 0.09]), collapsed([0.04, 0.2]), collapsed([0.2, 0.3])
        ('same', 'open', 'differs')
    """
    return agreed(each < COLLAPSED for each in ratios)


def best(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Rows of the learning rate that held-out samples chose for each start."""
    return frame[frame.best & (frame.failure == "")]


def by_start(frame: "pd.DataFrame", value: str = "accuracy") -> "dict[str, pd.Series]":
    """A value by seed for each start, at its best rate; for one network alone."""
    rows = best(frame)
    return {start: own.set_index("seed")[value] for start, own in rows.groupby("start", sort=False)}


def percent(values: Sequence[float]) -> str:
    """Mean of shares in per cent, with the interval over seeds, cut off at 0 and 100.

    Example:
        >>> percent([0.9, 0.92, 0.94]), percent([0.5])
        ('92.0 % (87.0 to 97.0)', '50.0 %')
    """
    found = estimate(list(values))
    if not np.isfinite(found.low):
        return f"{100 * found.mean:.1f} %"
    low, high = max(found.low, 0.0), min(found.high, 1.0)
    return f"{100 * found.mean:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def ahead(one: "pd.Series", other: "pd.Series") -> Estimate:
    """How far ``one`` is ahead of ``other``, paired by seed, with its interval."""
    return estimate([float(value) for value in (one - other).dropna()])


def points(found: Estimate) -> str:
    """A difference of shares in points.

    Example:
        >>> points(estimate([0.01, 0.03])), points(Estimate(0.1))
        ('+2.0 points (-10.7 to +14.7)', '+10.0 points')
    """
    if not np.isfinite(found.low):
        return f"{100 * found.mean:+.1f} points"
    return f"{100 * found.mean:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def claimed_ahead(found: Estimate) -> Verdict:
    """Whether a claim of being ahead holds: open where the interval holds zero, or is none.

    Example:
        >>> claimed_ahead(Estimate(1, 0.5, 2)), claimed_ahead(Estimate(-1, -2, -0.5))
        ('same', 'differs')
        >>> claimed_ahead(Estimate(1, -1, 3)), claimed_ahead(Estimate(1))
        ('open', 'open')
    """
    return "same" if found.low > 0 else "differs" if found.high < 0 else "open"


def span(values: Sequence[float], how: str = ".3g") -> str:
    """Median of some values with the least and the most.

    Example:
        >>> span([3, 1, 2])
        '2 (1 to 3)'
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    if len(ordered) == 1:
        return format(ordered[0], how)
    middle, low, high = np.median(ordered), ordered[0], ordered[-1]
    return f"{middle:{how}} ({low:{how}} to {high:{how}})"
