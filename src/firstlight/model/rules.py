"""``scheme="auto"``: which scheme each weight gets, and the comparison that supports it.

The table below is all there is: rows are tried from the top, the first that holds decides, and
where none does the framework's own start stays. Every row names the results folder with the
comparison that stands behind it, and the command that made it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from firstlight.model.setting import Setting


@dataclass(frozen=True)
class Rule:
    """One row.

    Attributes:
        what: the weights that it is for, in words.
        holds: whether a weight is one of them.
        scheme: what they get; None keeps the framework's start.
        options: of the scheme, from the weight's setting.
        evidence: folder in results/.
        command: what made it.
    """

    what: str
    holds: Callable[[Setting], bool]
    scheme: str | None
    options: Callable[[Setting], Mapping[str, Any]]
    evidence: str
    command: str


def _none(_: Setting) -> Mapping[str, Any]:
    return {}


_DATA = "'parquet:../shared/data/cifar10-*.parquet'"

RULES: tuple[Rule, ...] = (
    Rule(
        what="sine networks",
        holds=lambda at: at.omega is not None,
        scheme="siren",
        options=lambda at: {"omega": at.omega},
        evidence="sine-networks",
        command="python experiments/sine_networks.py --out results/sine-networks",
    ),
)

#: What is said where no row holds.
NO_EVIDENCE = "no evidence for another start: the framework's stays"


def rule_for(at: Setting) -> Rule | None:
    """Return the first row that holds for a weight."""
    return next((rule for rule in RULES if rule.holds(at)), None)
