"""Results from JSON: every type is checked, and no number is lost, infinite ones neither."""

from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from firstlight.fields.networks.families import find_network
from firstlight.fields.networks.network import Network
from firstlight.fields.plain_numbers import read_number

T = TypeVar("T")


def from_plain(kind: type[T], data: Any) -> T:
    """Read what ``plain`` wrote as a type: a frozen dataclass of plain types.

    Raises:
        ValueError: it is something else.

    Example:
        >>> from_plain(tuple[float, ...], [1, "inf"])
        (1.0, inf)
    """
    try:
        return cast("T", _read(kind, data))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a {kind}: {error}") from error


def _read(kind: Any, data: Any) -> Any:
    if kind is Any:
        return data
    if kind is float:
        return read_number(data)
    if isinstance(kind, type) and issubclass(kind, Network):
        return find_network(data)
    if is_dataclass(kind):
        return _record(kind, data)
    if hasattr(kind, "_fields"):  # a named tuple
        hints = get_type_hints(kind)
        return kind(*[_read(hints[name], each) for name, each in _pairs(kind._fields, data)])
    if get_origin(kind) in (UnionType, Union):
        return _optional(kind, data)
    if get_origin(kind) is tuple:
        return _sequence(get_args(kind), data)
    if get_origin(kind) is dict:
        return {str(key): _read(get_args(kind)[1], each) for key, each in data.items()}
    if type(data) is not kind:
        raise TypeError(f"expected {kind}, got {data!r:.60}")
    return data


def _record(kind: Any, data: Any) -> Any:
    hints = get_type_hints(kind)
    names = [each.name for each in fields(kind)]
    # an entry that has a default is one that older files lack
    needed = [each.name for each in fields(kind) if each.default is MISSING]
    if not set(needed) <= set(data) <= set(names):
        raise TypeError(f"expected the entries {', '.join(names)}")
    return kind(**{name: _read(hints[name], data[name]) for name in names if name in data})


def _optional(kind: Any, data: Any) -> Any:
    if data is None:
        return None
    (other,) = (each for each in get_args(kind) if each is not NoneType)
    return _read(other, data)


def _sequence(kinds: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise TypeError(f"expected a list, got {data!r:.60}")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_read(kinds[0], each) for each in data)
    return tuple(_read(kind, each) for kind, each in _pairs(kinds, data))


def _pairs(expected: tuple[Any, ...], data: Any) -> list[tuple[Any, Any]]:
    if len(expected) != len(data):
        raise TypeError(f"expected {len(expected)} entries, got {len(data)}")
    return list(zip(expected, data, strict=True))
