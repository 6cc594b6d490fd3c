"""How numbers are written: percent, points, intervals and p-values, with a dash for none."""

import math
from collections.abc import Sequence

from firstlight.comparison.statistics import Estimate

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

#: What a terminal without Unicode gets instead.
ASCII = str.maketrans({NONE: "-", MINUS: "-", "±": "+-", "Δ": "diff", "…": "..."})


def count(number: int, noun: str) -> str:
    """Write a number of things.

    Example:
        >>> count(1, "run"), count(3, "run")
        ('1 run', '3 runs')
    """
    return f"{number} {noun}" + ("" if number == 1 else "s")


def percent(fraction: float, digits: int = 1) -> str:
    """Write a fraction in percent.

    Example:
        >>> percent(0.97222), percent(float("nan"))
        ('97.2', '–')
    """
    return NONE if math.isnan(fraction) else f"{100 * fraction:.{digits}f}"


def measure(estimate: Estimate, metric: str, *, interval: bool = True) -> str:
    """Write a mean and half its interval: accuracies in percent, the AUC in its own unit.

    Example:
        >>> measure(Estimate(0.972, 0.967, 0.977), "accuracy_max")
        '97.2 ± 0.5'
    """
    scale, digits = (1, 2) if metric == "auc" else (100, 1)
    if math.isnan(estimate.mean):
        return NONE
    mean = f"{scale * estimate.mean:.{digits}f}"
    if not interval or math.isnan(estimate.low):
        return mean
    return f"{mean} ± {scale * (estimate.high - estimate.low) / 2:.{digits}f}"


def points(fraction: float) -> str:
    """Write a difference of fractions in percentage points, with its sign.

    Example:
        >>> points(0.0123), points(-0.004), points(0.0)
        ('+1.23', '−0.40', '0.00')
    """
    if math.isnan(fraction):
        return NONE
    text = f"{100 * fraction:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", MINUS)


def span(estimate: Estimate) -> str:
    """Write the interval of a difference in percentage points.

    Example:
        >>> span(Estimate(0.01, -0.004, 0.024))
        '[−0.40, +2.40]'
    """
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return ""
    return f"[{points(estimate.low)}, {points(estimate.high)}]"


def effect(estimate: Estimate) -> str:
    """Write an effect size and its interval.

    Example:
        >>> effect(Estimate(1.63, -0.2, 12.34)), effect(Estimate(0.0))
        ('1.6 [−0.2, 12.3]', '0.0')
    """
    mean, low, high = (f"{part:.1f}".replace("-", MINUS) for part in estimate[:3])
    if math.isnan(estimate.mean):
        return NONE
    return mean if math.isnan(estimate.low) else f"{mean} [{low}, {high}]"


def p_value(p: float) -> str:
    """Write a p-value.

    Example:
        >>> p_value(0.01234), p_value(0.0000001), p_value(float("nan"))
        ('0.012', '<0.001', '–')
    """
    if math.isnan(p):
        return NONE
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def two_digits(seeds: float) -> str:
    """Write how many seeds would be needed, an estimate.

    Example:
        >>> two_digits(7.0), two_digits(1234.0), two_digits(2e6), two_digits(float("nan"))
        ('7', '1200', 'over 10000', '–')
    """
    if math.isnan(seeds):
        return NONE
    return "over 10000" if seeds > 10_000 else f"{float(f'{seeds:.2g}'):.0f}"


def seconds(time: float) -> str:
    """Write a time in seconds.

    Example:
        >>> seconds(1.234), seconds(123.4)
        ('1.2', '123')
    """
    return NONE if math.isnan(time) else f"{time:.{0 if time >= 10 else 1}f}"


def significant(value: float | None, digits: int = 3) -> str:
    """Write a number of any size to a few digits, a whole one exactly where it is not long.

    Example:
        >>> [significant(x) for x in (0.0312345, 1234.5, 3.21e-7, -0.5, 32768, math.inf, None)]
        ['0.0312', '1230', '3.21e-7', '−0.5', '32768', '∞', '–']
    """
    if value is None:
        return NONE
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return f"{MINUS * (value < 0)}∞"
    if isinstance(value, int) and abs(value) < 10**6:
        return str(value).replace("-", MINUS)
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-4 <= abs(value) < 1e5:
        text = f"{float(text):.0f}"
    head, mark, power = text.partition("e")
    return head.replace("-", MINUS) + (f"e{int(power)}" if mark else "")


def listed(names: Sequence[str], most: int) -> str:
    """List a few names, and count the others.

    Example:
        >>> listed(["a", "b", "c", "d"], 2), listed(["a"], 2)
        ('a, b and 2 more', 'a')
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
