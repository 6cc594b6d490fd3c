"""Measure one model on one batch before it trains, and judge it; watch it while it does."""

from firstlight.auditing.audit import audit
from firstlight.auditing.result import Audit, UnhealthyError
from firstlight.auditing.starts import audit_starts
from firstlight.auditing.verdict import Verdict
from firstlight.auditing.watch import watch
from firstlight.auditing.watching.watched import Watched, WatchWarning
from firstlight.auditing.watching.watcher import Watcher

__all__ = [
    "Audit",
    "UnhealthyError",
    "Verdict",
    "WatchWarning",
    "Watched",
    "Watcher",
    "audit",
    "audit_starts",
    "watch",
]
