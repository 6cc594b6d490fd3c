"""Verdicts in plain words: a headline for each scheme, and which check says what of which."""

from dataclasses import dataclass

from firstlight.auditing.result import Audit
from firstlight.auditing.verdict import LEVELS, Level, Verdict
from firstlight.report.audit.subject import Subject
from firstlight.report.notation import count, significant

#: How a level is written.
WORDS: dict[Level, str] = {"ok": "ok", "warning": "warning", "failure": "failure"}
#: Its mark where there are no pictures.
MARKS: dict[Level, str] = {"ok": "✓", "warning": "▲", "failure": "✗"}


@dataclass(frozen=True)
class Check:
    """One check over all schemes: the worst level of each, None where it was not made."""

    name: str
    levels: tuple[Level | None, ...]

    @property
    def fine(self) -> bool:
        """Whether no scheme has a warning or a failure."""
        return set(self.levels) <= {"ok", None}


def headline(audit: Audit) -> str:
    """Say in a few words how an audit ended.

    Example:
        >>> from types import SimpleNamespace
        >>> headline(SimpleNamespace(failures=(), warnings=(1, 2), verdicts=(1, 2, 3)))
        '2 warnings'
    """
    found = ((len(audit.failures), "failure"), (len(audit.warnings), "warning"))
    said = " and ".join(count(number, noun) for number, noun in found if number)
    if said:
        return said
    return "healthy" if audit.verdicts else "not judged"


def overall(found: Subject) -> str:
    """Say in one or two sentences how all audits ended."""
    if not found.several:
        audit = found.first
        made = f"; {count(len(audit.verdicts), 'check')} made." if audit.verdicts else "."
        return headline(audit).capitalize() + made
    groups: dict[str, list[str]] = {}
    for scheme, audit in found.audits.items():
        groups.setdefault(headline(audit), []).append(scheme)
    return " ".join(f"{', '.join(names)}: {said}." for said, names in groups.items())


def checks(found: Subject) -> tuple[Check, ...]:
    """Lay out all checks, the worst first."""
    levels: dict[str, dict[str, Level]] = {}
    for scheme, audit in found.audits.items():
        for verdict in audit.verdicts:
            own = levels.setdefault(verdict.check, {})
            own[scheme] = max(own.get(scheme, "ok"), verdict.level, key=LEVELS.index)
    rows = [Check(name, tuple(map(own.get, found.schemes))) for name, own in levels.items()]
    return tuple(sorted(rows, key=lambda row: _weight(row.levels), reverse=True))


def _weight(levels: tuple[Level | None, ...]) -> tuple[int, int]:
    known = [level for level in levels if level is not None]
    return known.count("failure"), known.count("warning")


def measured(verdict: Verdict) -> str:
    """Write the number that was found beside the one from which on it is a warning.

    Example:
        >>> measured(Verdict("twin rows", "warning", "", number=254.0, threshold=1.0))
        'worst 254, threshold 1'
    """
    found = ((verdict.number, "worst"), (verdict.threshold, "threshold"))
    return ", ".join(f"{word} {significant(n)}" for n, word in found if n is not None)


def concerned(found: Subject) -> dict[tuple[str, str], Level]:
    """Return the worst level said of each (scheme, layer)."""
    worst: dict[tuple[str, str], Level] = {}
    for scheme, audit in found.audits.items():
        for verdict in audit.verdicts:
            for name in verdict.where:
                key = (scheme, name)
                worst[key] = max(worst.get(key, "ok"), verdict.level, key=LEVELS.index)
    return worst
