"""Results as JSON: every type is checked, and no number is lost, infinite ones neither."""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import MappingProxyType, NoneType, UnionType
from typing import (
    Any,
    Protocol,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

T = TypeVar("T")

_WORDS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


#: How a type is read that is no dataclass of plain types, or more than one.
Readers = Mapping[type, Callable[[Any], Any]]


@runtime_checkable
class Described(Protocol):
    """What writes itself as plain types, like a network with its family."""

    def to_plain(self) -> dict[str, Any]:
        """Itself as plain types."""


def plain(value: Any) -> Any:
    """What JSON can hold: numbers that are not finite as words, tuples as lists.

    What is ``Described`` is as it says, other dataclasses are their fields by name.

    Example:
        >>> plain({"psnr": math.inf, "curve": ((0, 1.5),)})
        {'psnr': 'inf', 'curve': [[0, 1.5]]}
    """
    if isinstance(value, Described):
        value = value.to_plain()
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


def from_plain(kind: type[T], data: Any, readers: Readers = MappingProxyType({})) -> T:
    """Read what ``plain`` wrote as a type: a frozen dataclass of plain types.

    Args:
        kind: the type.
        data: of JSON.
        readers: of types that ``plain`` wrote in their own way.

    Raises:
        ValueError: it is something else.

    Example:
        >>> from_plain(tuple[float, ...], [1, "inf"])
        (1.0, inf)
    """
    try:
        return cast("T", _read(kind, data, readers))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a {kind}: {error}") from error


def _read(kind: Any, data: Any, readers: Readers) -> Any:
    if kind is Any:
        return data
    if kind is float:
        return read_number(data)
    if kind in readers:
        return readers[kind](data)
    if is_dataclass(kind):
        return _record(kind, data, readers)
    if hasattr(kind, "_fields"):  # a named tuple
        hints = get_type_hints(kind)
        return kind(
            *[_read(hints[name], each, readers) for name, each in _pairs(kind._fields, data)]
        )
    if get_origin(kind) in (UnionType, Union):
        return _optional(kind, data, readers)
    if get_origin(kind) is tuple:
        return _sequence(get_args(kind), data, readers)
    if get_origin(kind) is dict:
        return {str(key): _read(get_args(kind)[1], each, readers) for key, each in data.items()}
    if type(data) is not kind:
        raise TypeError(f"expected {kind}, got {data!r:.60}")
    return data


def _record(kind: Any, data: Any, readers: Readers) -> Any:
    hints = get_type_hints(kind)
    names = [each.name for each in fields(kind)]
    # an entry that has a default is one that older files lack
    needed = [each.name for each in fields(kind) if each.default is MISSING]
    if not set(needed) <= set(data) <= set(names):
        raise TypeError(f"expected the entries {', '.join(names)}")
    return kind(**{name: _read(hints[name], data[name], readers) for name in names if name in data})


def _optional(kind: Any, data: Any, readers: Readers) -> Any:
    if data is None:
        return None
    (other,) = (each for each in get_args(kind) if each is not NoneType)
    return _read(other, data, readers)


def _sequence(kinds: tuple[Any, ...], data: Any, readers: Readers) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise TypeError(f"expected a list, got {data!r:.60}")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_read(kinds[0], each, readers) for each in data)
    return tuple(_read(kind, each, readers) for kind, each in _pairs(kinds, data))


def _pairs(expected: tuple[Any, ...], data: Any) -> list[tuple[Any, Any]]:
    if len(expected) != len(data):
        raise TypeError(f"expected {len(expected)} entries, got {len(data)}")
    return list(zip(expected, data, strict=True))
