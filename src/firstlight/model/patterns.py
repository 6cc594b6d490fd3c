"""Which parameters a user means: by name, by a pattern of names, or by a module's type."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from firstlight.errors import OptionError
from firstlight.model.slots import Slot

#: How a type reads where only text can stand, as in YAML.
_TYPE = "type:"

Pattern = str | type


def matches(pattern: Pattern, slot: Slot, view_name: str = "") -> bool:
    """Return whether ``pattern`` means the slot, or one matrix of it.

    Example:
        >>> from firstlight.model.slots import slots
        >>> weight, bias = slots(nn.Linear(2, 3))
        >>> matches("w*", weight), matches("type:Linear", bias), matches(nn.Conv1d, bias)
        (True, True, False)
    """
    if isinstance(pattern, type):
        return slot.module is not None and isinstance(slot.module, pattern)
    if pattern.startswith(_TYPE):
        kinds = type(slot.module).__mro__ if slot.module is not None else ()
        return pattern.removeprefix(_TYPE) in [kind.__name__ for kind in kinds]
    names = (*slot.names, view_name or slot.name)
    # as it is first: [q] in a name is no character class
    return any(name == pattern or fnmatchcase(name, pattern) for name in names)


class Patterns:
    """Several patterns, each checked to mean something in the model."""

    def __init__(self, what: str, patterns: Any, found: list[tuple[Slot, list[str]]]) -> None:
        if not isinstance(patterns, Iterable) and not isinstance(patterns, type):
            raise OptionError(f"{what} takes name patterns or types, got {patterns!r}")
        single = isinstance(patterns, (str, type))
        self._patterns: list[Pattern] = [patterns] if single else list(patterns)  # type: ignore[list-item, arg-type]
        for pattern in self._patterns:
            check_pattern(what, pattern, found)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def __call__(self, slot: Slot, view_name: str = "") -> bool:
        """Return whether any pattern means the slot, or one matrix of it."""
        return any(matches(pattern, slot, view_name) for pattern in self._patterns)


def check_pattern(what: str, pattern: Any, found: list[tuple[Slot, list[str]]]) -> None:
    """Raise ``OptionError`` unless ``pattern`` is one, and means something in the model."""
    is_type = isinstance(pattern, type) and issubclass(pattern, nn.Module)
    if not isinstance(pattern, str) and not is_type:
        raise OptionError(f"{what} takes name patterns or module types, got {pattern!r}")
    if not any(matches(pattern, slot, name) for slot, names in found for name in (*names, "")):
        shown = pattern if isinstance(pattern, str) else pattern.__name__
        raise OptionError(f"{what}={shown!r} matches no parameter of the model")
