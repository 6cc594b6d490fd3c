"""What counts as a whole number."""

from numbers import Integral


def is_whole(value: object) -> bool:
    """Return whether ``value`` is a whole number: Python's or NumPy's, and no bool.

    Example:
        >>> is_whole(3), is_whole(3.0), is_whole(True)
        (True, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool)
