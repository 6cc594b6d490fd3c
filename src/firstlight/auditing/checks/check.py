"""One check: which values it looks at, from where on they are bad, and what mends them."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from firstlight.auditing.result import Audit
from firstlight.auditing.verdict import Level, Verdict
from firstlight.model.trace import Trace

#: Names that an advice lists; of more layers, the whole network is meant.
_LISTED = 8


class Found(NamedTuple):
    """A layer and its value.

    Attributes:
        where: the layer; "" for the whole network.
        value: what the check looks at.
        names: the parameters that the advice is for; () for all.
        hint: what the advice says of this layer alone.
    """

    where: str
    value: float
    names: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class Check:
    """A row of the table of checks. Larger values are worse, unless ``smaller``.

    An advice that is a call can be run as it stands, up to its first "; ", where ``firstlight``,
    ``torch``, ``model`` and ``batch`` are known.

    Attributes:
        name: of the check.
        values: what it looks at; nothing where it does not apply.
        warning: the value from which on it warns.
        failure: the value from which on it fails.
        source: where the thresholds come from.
        fault: what is wrong, with {number} for the worst value and {where} for its layer.
        fine: what is right, with {number} for the value nearest to the threshold.
        advice: the call that mends it, with {where}; {names}, the list of all parameters concerned;
            {only}, the same as ``initialize`` takes it; and {hint}.
        smaller: whether smaller values are worse.
        in_order: whether the first layer counts, not the worst: what is wrong there goes on behind.
    """

    name: str
    values: Callable[[Audit, Trace], Iterable[Found]]
    warning: float
    failure: float
    source: str
    fault: str
    fine: str
    advice: str
    smaller: bool = False
    in_order: bool = False

    def verdicts(self, audit: Audit, trace: Trace) -> list[Verdict]:
        """Return a failure, a warning, both, or one ok; nothing where the check does not apply."""
        found = [one for one in self.values(audit, trace) if not math.isnan(one.value)]
        if not found:
            return []
        ordered = sorted(found, key=lambda one: self._badness(one.value), reverse=True)
        found = found if self.in_order else ordered
        failed = [one for one in found if self._reaches(one.value, self.failure)]
        bad = [one for one in found if self._reaches(one.value, self.warning)]
        warned = [one for one in bad if one not in failed]
        made = [self._bad("failure", failed)] if failed else []
        made += [self._bad("warning", warned)] if warned else []
        if made:
            return made
        nearest = ordered[0].value
        message = self.fine.format(number=_short(nearest))
        return [Verdict(self.name, "ok", message, (), nearest, self.warning, self.source)]

    def _badness(self, value: float) -> float:
        return -value if self.smaller else value

    def _reaches(self, value: float, threshold: float) -> bool:
        return self._badness(value) >= self._badness(threshold)

    def _bad(self, level: Level, layers: list[Found]) -> Verdict:
        worst = layers[0]
        places = tuple(dict.fromkeys(one.where for one in layers if one.where))
        filled = {"number": _short(worst.value), "where": worst.where}
        message = self.fault.format(**filled)
        if len(places) > 1:
            message += f" (and {len(places) - 1} more)"
        return Verdict(
            self.name,
            level,
            message,
            places,
            worst.value,
            self.failure if level == "failure" else self.warning,
            self.source,
            self.advice.format(**filled, **_names(layers), hint=worst.hint),
        )


def _names(layers: list[Found]) -> dict[str, str]:
    """Return the parameters concerned, as a list and as ``initialize`` takes it."""
    every = list(dict.fromkeys(name for one in layers for name in one.names))
    few = len(every) <= _LISTED and all(one.names for one in layers)
    return {"names": repr(every), "only": f", include={every!r}" if few else ""}


def _short(number: float) -> str:
    """Write a number with three digits.

    Example:
        >>> _short(0.123456), _short(12345.0), _short(3.0), _short(math.inf)
        ('0.123', '1.23e+04', '3', 'infinite')
    """
    return "infinite" if math.isinf(number) else f"{number:.3g}"
