"""One check: which values it looks at, from where on they are bad, and what mends them."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from firstlight.auditing.result import Audit
from firstlight.auditing.verdict import Level, Verdict
from firstlight.model.trace import Trace

#: A layer and its value.
Found = tuple[str, float]


@dataclass(frozen=True)
class Check:
    """A row of the table of checks. Larger values are worse, unless ``smaller``.

    Attributes:
        name: of the check.
        values: what it looks at; nothing where it does not apply.
        warning: the value from which on it warns.
        failure: the value from which on it fails.
        source: where the thresholds come from.
        fault: what is wrong, with {number} for the worst value and {where} for its layer.
        fine: what is right, with {number} for the value nearest to the threshold.
        advice: the call that mends it, with {where}.
        smaller: whether smaller values are worse.
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

    def verdicts(self, audit: Audit, trace: Trace) -> list[Verdict]:
        """Return a failure, a warning, both, or one ok; nothing where the check does not apply."""
        found = [(where, value) for where, value in self.values(audit, trace)]
        found = [(where, value) for where, value in found if not math.isnan(value)]
        if not found:
            return []
        found.sort(key=lambda pair: self._badness(pair[1]), reverse=True)
        failed = [pair for pair in found if self._reaches(pair[1], self.failure)]
        warned = [pair for pair in found[len(failed) :] if self._reaches(pair[1], self.warning)]
        made = [self._bad("failure", failed)] if failed else []
        made += [self._bad("warning", warned)] if warned else []
        if made:
            return made
        message = self.fine.format(number=_short(found[0][1]))
        return [Verdict(self.name, "ok", message, (), found[0][1], self.warning, self.source)]

    def _badness(self, value: float) -> float:
        return -value if self.smaller else value

    def _reaches(self, value: float, threshold: float) -> bool:
        return self._badness(value) >= self._badness(threshold)

    def _bad(self, level: Level, layers: list[Found]) -> Verdict:
        where, number = layers[0]
        names = tuple(dict.fromkeys(name for name, _ in layers if name))
        filled = {"number": _short(number), "where": where}
        message = self.fault.format(**filled)
        if len(names) > 1:
            message += f" (and {len(names) - 1} more)"
        threshold = self.failure if level == "failure" else self.warning
        return Verdict(
            self.name,
            level,
            message,
            names,
            number,
            threshold,
            self.source,
            self.advice.format(**filled),
        )


def _short(number: float) -> str:
    """Write a number with three digits.

    Example:
        >>> _short(0.123456), _short(12345.0), _short(3.0), _short(math.inf)
        ('0.123', '1.23e+04', '3', 'infinite')
    """
    return "infinite" if math.isinf(number) else f"{number:.3g}"
