"""Measure one model on one batch before it trains, and judge it."""

from firstlight.auditing.audit import audit
from firstlight.auditing.result import Audit, UnhealthyError
from firstlight.auditing.starts import audit_starts
from firstlight.auditing.verdict import Verdict

__all__ = ["Audit", "UnhealthyError", "Verdict", "audit", "audit_starts"]
