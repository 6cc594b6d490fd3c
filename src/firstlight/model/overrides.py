"""What a user wants otherwise: schemes by name pattern or type, from Python or from YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firstlight.errors import OptionError, number
from firstlight.init import Scheme, find_scheme, parse_scheme
from firstlight.model.kinds import Matrix
from firstlight.model.patterns import Meant, Named, meant
from firstlight.model.slots import Slot

#: What an override says to leave a parameter as it is.
KEEP = "keep"
#: A YAML file of overrides is a page; a larger one is a mistake.
_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Override:
    """A pattern, and the scheme or value for what it means; with neither it stays as it is.

    A scheme is for the matrices among what is meant, a value for the other tensors.
    """

    meant: Meant
    scheme: Scheme | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    value: float | None = None
    rows_value: float | None = None

    @property
    def keeps(self) -> bool:
        """Whether it says to leave the parameter as it is."""
        return self.scheme is None and self.value is None

    @property
    def text(self) -> str:
        """The pattern as text."""
        return self.meant.text

    def fits(self, slot: Slot) -> bool:
        """Return whether what it says can be said of the slot, or the slot is named outright."""
        matrix = isinstance(slot.treatment, Matrix)
        fitting = self.keeps or matrix == (self.scheme is not None)
        return fitting or self.meant.exact


class Overrides:
    """All overrides of a plan; where several mean a parameter, the last one counts."""

    def __init__(self, given: Any, found: Named) -> None:
        self.all = [
            _override(meant("overrides", pattern, found), value)
            for pattern, value in _mapping(given).items()
        ]
        for override in self.all:
            slots = [s for s, views in found if any(override.meant(s, v) for v in (*views, ""))]
            if not any(override.fits(slot) for slot in slots):
                raise OptionError(
                    f"overrides[{override.text!r}]: a scheme is for matrices and a number for the "
                    f"rest; {slots[0].name} can be given a scheme by its own name alone"
                )

    def find(self, slot: Slot, view_name: str = "") -> Override | None:
        """Return the override for a slot, or for one matrix of it."""
        means = [o for o in self.all if o.meant(slot, view_name) and o.fits(slot)]
        return means[-1] if means else None


def _mapping(given: Any) -> Mapping[Any, Any]:
    if given is None:
        return {}
    if isinstance(given, (str, Path)) and str(given):
        given = _load(Path(given))
    if not isinstance(given, Mapping):
        raise OptionError(
            "overrides takes a mapping such as {'head.*': 'keep', nn.Embedding: "
            f"'truncated_normal:gain=0.02'}}, or the path of a YAML file; got {given!r}"
        )
    return given


def _load(path: Path) -> Any:
    """Read a YAML file, as data and never as code."""
    import yaml  # here: most plans come without a file

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"larger than {_MAX_BYTES} bytes")
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    # a ValueError: not UTF-8, or a date that is none
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise OptionError(f"overrides: cannot read {path} as YAML: {reason}") from error
    if isinstance(loaded, Mapping) and isinstance(loaded.get("overrides"), Mapping):
        return loaded["overrides"]  # a whole plan, as Plan.to_yaml writes it
    return loaded


def _override(pattern: Meant, value: Any) -> Override:
    what = f"overrides[{pattern.text!r}]"
    if value == KEEP:
        return Override(pattern)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Override(pattern, value=number(value, what))
    if isinstance(value, Mapping) and set(value) == {"value", "forget"}:
        both = number(value["value"], what), number(value["forget"], what)
        return Override(pattern, value=both[0], rows_value=both[1])
    if isinstance(value, str):
        name, options = parse_scheme(value)
    elif isinstance(value, Mapping) and isinstance(value.get("scheme"), str):
        options = {key: option for key, option in value.items() if key != "scheme"}
        name = value["scheme"]
    else:
        raise OptionError(
            f"{what} must be 'keep', a number, a scheme such as 'siren:omega=20', "
            f"or a mapping with its name under 'scheme'; got {value!r}"
        )
    scheme = find_scheme(name)
    scheme.check_options(options)
    if scheme.data_driven:
        raise OptionError(f"{what}: {name} fits whole models, not single weights")
    return Override(pattern, scheme, options)
