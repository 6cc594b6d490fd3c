"""Numbers in JSON: it has no infinities, so those are written as words."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from firstlight.fields.networks.network import Network

_WORDS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def plain(value: Any) -> Any:
    """What JSON can hold: numbers that are not finite as words, tuples as lists.

    Networks are what ``find_network`` reads, other dataclasses their fields by name.

    Example:
        >>> plain({"psnr": math.inf, "curve": ((0, 1.5),)})
        {'psnr': 'inf', 'curve': [[0, 1.5]]}
    """
    if isinstance(value, Network):
        value = value.as_dict()
    elif is_dataclass(value):
        value = {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    number = float(value)  # NumPy's numbers too
    return number if math.isfinite(number) else str(number)


def read_number(value: Any) -> float:
    """A number that ``plain`` wrote.

    Raises:
        ValueError: it is none.

    Example:
        >>> read_number("-inf"), read_number(2)
        (-inf, 2.0)
    """
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r:.60} is no number")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("a number of too many digits") from error
