"""A network as one word of text: sine:alpha=1.5:omega_0=60."""

import re
from collections.abc import Mapping
from dataclasses import fields
from types import NoneType
from typing import Any, get_args, get_type_hints

from firstlight.errors import OptionError, check_choice
from firstlight.fields.networks.families import FAMILIES, find_network
from firstlight.fields.networks.network import Network

#: An option begins behind a colon, or a comma, if a name and "=" follow; other commas are a list's.
_BREAK = re.compile(r"[:,](?=\s*\w+\s*=)|:")
#: What a type is called in a message.
_NAMES = {int: "a whole number", float: "a number", bool: "true or false", NoneType: "none"}


def parse_network(text: str, more: Mapping[str, str] | None = None) -> Network:
    """Read "family:option=value:option=value" as a network.

    Values are what the family's fields are: numbers, numbers separated by commas, true, false,
    none, or words.

    Args:
        text: a family, and options of it if any.
        more: further options by name, as text.

    Raises:
        OptionError: no such family or option, an option that is given twice, or a wrong value.

    Example:
        >>> parse_network("gauss:width=64:sigma=1e1")
        Gauss(width=64, depth=5, alpha=1.0, distribution='uniform', sigma=10.0)
        >>> parse_network("sine:depth=3:alpha=2,1.5", {"width": "32"}).alpha
        (2.0, 1.5)
    """
    name, *parts = _BREAK.split(text)
    name = name.strip()
    check_choice(name, FAMILIES, "network")
    given: dict[str, str] = {}
    for part in parts:
        key, equals, value = (each.strip() for each in part.partition("="))
        if not equals:
            raise OptionError(
                f"a network's option must read option=value; got {part!r} in {text!r}"
            )
        if key in given:
            raise OptionError(f"option {key!r} is given twice in {text!r}")
        given[key] = value
    for key, value in (more or {}).items():
        if key in given:
            raise OptionError(f"{key} is given twice, in {text!r} and as {value!r}; give one")
        given[key] = value
    network = find_network({"family": name, **_values(name, given)})
    if given.get("alpha") == "auto" != network.alpha:
        raise OptionError(f"alpha cannot be chosen for {text!r}; leave it out, or give a number")
    return network


def _values(name: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Each option as its field has it."""
    family: Any = FAMILIES[name]
    hints = get_type_hints(family)
    known = [field.name for field in fields(family)]
    for key in given:
        if key not in known:
            raise OptionError(f"{name} has {', '.join(known)}; it has no {key!r}")
    return {key: _value(f"{name}'s {key}", text, hints[key]) for key, text in given.items()}


def _value(what: str, text: str, hint: Any) -> Any:
    """Text as the first of a field's types that it reads as."""
    kinds = list(get_args(hint)) if get_args(hint) and not _is_tuple(hint) else [hint]
    lists = [kind for kind in kinds if _is_tuple(kind)]
    for kind in [each for each in (NoneType, bool, int, float) if each in kinds]:
        try:
            return _READERS[kind](text.lower())
        except (ValueError, KeyError):
            pass
    if lists and "," in text:
        try:
            return tuple(float(part) for part in text.strip("()[]").removesuffix(",").split(","))
        except ValueError:
            pass
    if str in kinds:
        return text
    names = [called for kind, called in _NAMES.items() if kind in kinds]
    expected = " or ".join([*names, *["numbers separated by commas"] * bool(lists)])
    raise OptionError(f"{what} must be {expected}, got {text!r}")


def _is_tuple(hint: Any) -> bool:
    return getattr(hint, "__origin__", None) is tuple


#: Text in small letters to a value.
_READERS: dict[Any, Any] = {
    NoneType: {"none": None}.__getitem__,
    bool: {"true": True, "false": False}.__getitem__,
    int: int,
    float: float,
}
