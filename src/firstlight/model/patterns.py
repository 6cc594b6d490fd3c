"""Which parameters a user means: by name, by a pattern of names, or by a module's type."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from firstlight.errors import OptionError
from firstlight.model.kinds import Kept
from firstlight.model.slots import Slot

#: How a type reads where only text can stand, as in YAML.
_TYPE = "type:"

Pattern = str | type
#: Every tensor of a model, each with the names of its matrices.
Named = list[tuple[Slot, list[str]]]


@dataclass(frozen=True)
class Meant:
    """A pattern in a model, where it means something.

    Attributes:
        pattern: as the user gave it.
        exact: whether it is a name of the model, letter for letter, and so no pattern.
    """

    pattern: Pattern
    exact: bool = False

    @property
    def text(self) -> str:
        """The pattern as text."""
        return self.pattern if isinstance(self.pattern, str) else f"type:{self.pattern.__name__}"

    def __call__(self, slot: Slot, view_name: str = "") -> bool:
        """Return whether it means the slot, or one matrix of it.

        Example:
            >>> from firstlight.model.slots import slots
            >>> weight, bias = slots(nn.Linear(2, 3))
            >>> Meant("w*")(weight), Meant("type:Linear")(bias), Meant(nn.Conv1d)(bias)
            (True, True, False)
        """
        names = (*slot.names, view_name or slot.name)
        if self.exact:
            return self.pattern in names
        if isinstance(self.pattern, type):
            return slot.module is not None and isinstance(slot.module, self.pattern)
        if self.pattern.startswith(_TYPE):
            kinds = type(slot.module).__mro__ if slot.module is not None else ()
            return self.pattern.removeprefix(_TYPE) in [kind.__name__ for kind in kinds]
        plain = self.pattern.replace("[", "[[]")  # the mark [q] of a matrix is no character class
        return any(fnmatchcase(name, p) for name in names for p in (self.pattern, plain))


def meant(what: str, pattern: Any, found: Named) -> Meant:
    """Return what ``pattern`` means; raise ``OptionError`` where that is nothing."""
    is_type = isinstance(pattern, type) and issubclass(pattern, nn.Module)
    if not isinstance(pattern, str) and not is_type:
        raise OptionError(f"{what} takes name patterns or module types, got {pattern!r}")
    names = {name for slot, views in found for name in (*slot.names, *views)}
    made = Meant(pattern, isinstance(pattern, str) and pattern in names)
    if not any(made(slot, name) for slot, views in found for name in (*views, "")):
        shown = pattern if isinstance(pattern, str) else pattern.__name__
        raise OptionError(
            f"{what}={shown!r} matches no parameter of the model{_hint(shown, names)}"
        )
    return made


def _hint(shown: str, names: set[str]) -> str:
    if any(name.startswith(f"{shown}.") for name in names):
        return f"; for all of {shown}: {shown + '.*'!r}"
    return "; give several as a list" if "," in shown else ""


class Patterns:
    """Several patterns, each checked to mean something in the model."""

    def __init__(self, what: str, patterns: Any, found: Named) -> None:
        if not isinstance(patterns, Iterable) and not isinstance(patterns, type):
            raise OptionError(f"{what} takes name patterns or types, got {patterns!r}")
        single = isinstance(patterns, (str, type))
        every: list[Any] = [patterns] if single else list(patterns)  # type: ignore[arg-type]
        self.all = [meant(what, pattern, found) for pattern in every]

    def __bool__(self) -> bool:
        return bool(self.all)

    def __call__(self, slot: Slot, view_name: str = "") -> bool:
        """Return whether any pattern means the slot, or one matrix of it."""
        return any(each(slot, view_name) for each in self.all)

    def check_useful(self, found: Named) -> None:
        """Refuse a pattern that asks for nothing but what no scheme can fill unasked."""
        for each in self.all:
            slots = [slot for slot, views in found if any(each(slot, v) for v in (*views, ""))]
            if all(isinstance(slot.treatment, Kept) for slot in slots):
                raise OptionError(
                    f"include={each.text!r}: {slots[0].name} is left alone "
                    f"({slots[0].treatment.reason}); give it a scheme or a number in overrides"  # type: ignore[union-attr]
                )
