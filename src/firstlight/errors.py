"""The one exception root, and the checks of arguments that every layer shares."""

import math
from collections.abc import Iterable
from numbers import Real


class FirstlightError(Exception):
    """Something firstlight was asked for cannot be done; the message says what to do instead."""


class OptionError(FirstlightError, ValueError):
    """An argument is not one of the accepted values, or is not used by the chosen scheme."""


def check_choice(value: object, choices: Iterable[str], what: str) -> None:
    """Raise ``OptionError`` unless ``value`` is one of the names in ``choices``."""
    names = list(choices)
    if not isinstance(value, str) or value not in names:
        raise OptionError(f"{what} must be one of {', '.join(names)}; got {value!r}")


def whole_number(value: object, what: str, least: int, most: int) -> int:
    """Return ``value``; raise ``OptionError`` unless it is an int from ``least`` to ``most``.

    Example:
        >>> whole_number(3, "depth", 1, 100)
        3
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise OptionError(f"{what} must be a whole number from {least} to {most}, got {value!r}")
    return value


def number(value: object, what: str) -> float:
    """Return ``value`` as a float; raise ``OptionError`` unless it is a finite real number."""
    try:
        result = float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        result = math.inf
    if isinstance(value, bool) or not math.isfinite(result):
        raise OptionError(f"{what} must be a finite number, got {value!r}")
    return result


def not_negative(value: object, what: str) -> float:
    """Return ``value`` as a float; raise ``OptionError`` unless it is 0 or more.

    Example:
        >>> not_negative(0, "bias_variance")
        0.0
    """
    result = number(value, what)
    if result < 0:
        raise OptionError(f"{what} must be 0 or more, got {value!r}")
    return result


def positive(value: object, what: str) -> float:
    """Return ``value`` as a float between 1e-30 and 1e30, beyond which float32 has no digits."""
    result = number(value, what)
    if not 1e-30 <= result <= 1e30:
        raise OptionError(f"{what} must be a number above 0 (1e-30 to 1e30), got {value!r}")
    return result
