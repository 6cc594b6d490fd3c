"""What was audited, in a few words."""

from typing import Any

from firstlight.report.audit.subject import Subject
from firstlight.report.notation import count


def title(found: Subject) -> str:
    """Name the network, and how many starts of it there are."""
    starts = f" under {count(len(found.audits), 'scheme')}" if found.several else ""
    return f"{found.first.model}{starts}"


def facts(found: Subject) -> list[tuple[str, str]]:
    """Say on what the audits were made; what differs between schemes is listed."""

    def each(value: Any) -> str:
        return "; ".join(dict.fromkeys(value(audit) for audit in found.audits.values()))

    return [
        ("batch", each(lambda audit: count(audit.samples, "sample"))),
        ("device", each(lambda audit: audit.device)),
        ("dtype", each(lambda audit: audit.dtype)),
        ("weights", each(lambda audit: str(len(audit.weights)))),
        ("activations", each(lambda audit: str(len(audit.activations)))),
        ("traced", each(lambda audit: audit.how)),
    ]
