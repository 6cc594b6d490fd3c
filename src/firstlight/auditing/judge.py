"""All checks on one audit, failures first."""

from firstlight.auditing.checks import gradients, inputs, norms, output, signals, weights
from firstlight.auditing.result import Audit
from firstlight.auditing.verdict import LEVELS, Verdict
from firstlight.model.trace import Trace

CHECKS = (
    *inputs.CHECKS,
    *weights.CHECKS,
    *norms.CHECKS,
    *signals.CHECKS,
    *gradients.CHECKS,
    *output.CHECKS,
)


def judge(audit: Audit, trace: Trace) -> tuple[Verdict, ...]:
    """Return the verdicts of every check that applies: failures, warnings, then what is ok."""
    found = [verdict for check in CHECKS for verdict in check.verdicts(audit, trace)]
    found += gradients.float_range(audit)
    return tuple(sorted(found, key=lambda verdict: -LEVELS.index(verdict.level)))
