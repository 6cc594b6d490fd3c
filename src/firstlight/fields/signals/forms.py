"""Forms by name: what a checkpoint keeps of them becomes a form again."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from importlib import import_module
from typing import Any, get_type_hints

from firstlight.errors import FirstlightError, OptionError, check_choice
from firstlight.fields.signals.samples import Span
from firstlight.fields.signals.signal import Form

#: Kind to module and class; a module is imported when a form of its kind is asked for.
_FORMS = {
    "image": ("image", "ImageForm"),
    "volume": ("volume", "VolumeForm"),
    "audio": ("audio", "AudioForm"),
    "occupancy": ("shape", "OccupancyForm"),
    "signed_distance": ("shape", "SignedDistanceForm"),
    "sphere": ("sphere", "SphereForm"),
}


def find_form(given: Mapping[str, Any]) -> Form:
    """Make the form that ``Form.as_dict`` described; lists may stand for tuples, as in JSON.

    Raises:
        OptionError: no such kind, a field missing or too many, or a number out of range.

    Example:
        >>> find_form({"kind": "image", "height": 4, "width": 6, "mode": "L", "bits": 8})
        ImageForm(height=4, width=6, mode='L', bits=8, low=0.0, high=0.0)
    """
    if not isinstance(given, Mapping):
        raise OptionError(f"a form is described by a mapping, got {type(given).__name__}")
    kind = given.get("kind")
    check_choice(kind, _FORMS, "a form's kind")
    module, name = _FORMS[str(kind)]
    cls = getattr(import_module(f"firstlight.fields.signals.{module}"), name)
    values = {key: value for key, value in given.items() if key != "kind"}
    _check_names(str(kind), cls, values)
    hints = get_type_hints(cls)
    try:
        return cls(**{key: _restored(value, hints[key]) for key, value in values.items()})
    except FirstlightError:
        raise
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise OptionError(f"the {kind} form {values!r:.200} is not valid: {error}") from error


def _check_names(kind: str, cls: Any, values: dict[str, Any]) -> None:
    known = {field.name: field for field in fields(cls) if field.init}
    extra = [str(name) for name in values if name not in known]
    missing = [
        name
        for name, field in known.items()
        if name not in values and field.default is MISSING and field.default_factory is MISSING
    ]
    if extra or missing:
        wrong = f"has no {', '.join(extra)}" if extra else f"lacks {', '.join(missing)}"
        raise OptionError(f"the {kind} form {wrong}; its fields are {', '.join(known)}")


def _restored(value: Any, hint: Any) -> Any:
    """A field's value from plain data: spans from mappings, tuples from lists."""
    if hint is Span:
        return Span(**value)
    if isinstance(value, list | tuple):
        return tuple(_restored(each, None) for each in value)
    return value
