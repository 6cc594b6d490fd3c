"""What a user wants otherwise: schemes by name pattern or type, from Python or from YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firstlight.errors import OptionError, number
from firstlight.init import Scheme, find_scheme, parse_scheme
from firstlight.model.patterns import Pattern, check_pattern, matches
from firstlight.model.slots import Slot

#: What an override says to leave a parameter as it is.
KEEP = "keep"
#: A YAML file of overrides is a page; a larger one is a mistake.
_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Override:
    """A pattern, and the scheme or value for what it means; with neither it stays as it is."""

    pattern: Pattern
    scheme: Scheme | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    value: float | None = None

    @property
    def keeps(self) -> bool:
        """Whether it says to leave the parameter as it is."""
        return self.scheme is None and self.value is None

    @property
    def text(self) -> str:
        """The pattern as text."""
        return self.pattern if isinstance(self.pattern, str) else f"type:{self.pattern.__name__}"


class Overrides:
    """All overrides of a plan; where several mean a parameter, the last one counts."""

    def __init__(self, given: Any, found: list[tuple[Slot, list[str]]]) -> None:
        self.all = [_override(pattern, value) for pattern, value in _mapping(given).items()]
        for override in self.all:
            check_pattern("overrides", override.pattern, found)

    def find(self, slot: Slot, view_name: str = "") -> Override | None:
        """Return the override for a slot, or for one matrix of it."""
        means = [o for o in self.all if matches(o.pattern, slot, view_name)]
        return means[-1] if means else None


def _mapping(given: Any) -> Mapping[Any, Any]:
    if given is None:
        return {}
    if isinstance(given, (str, Path)):
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


def _override(pattern: Any, value: Any) -> Override:
    if value == KEEP:
        return Override(pattern)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Override(pattern, value=number(value, f"overrides[{pattern!r}]"))
    if isinstance(value, str):
        name, options = parse_scheme(value)
    elif isinstance(value, Mapping) and isinstance(value.get("scheme"), str):
        options = {key: option for key, option in value.items() if key != "scheme"}
        name = value["scheme"]
    else:
        raise OptionError(
            f"overrides[{pattern!r}] must be 'keep', a number, a scheme such as 'siren:omega=20', "
            f"or a mapping with its name under 'scheme'; got {value!r}"
        )
    scheme = find_scheme(name)
    scheme.check_options(options)
    if scheme.data_driven:
        raise OptionError(f"overrides[{pattern!r}]: {name} fits whole models, not single weights")
    return Override(pattern, scheme, options)
