"""An audit as text, for the terminal."""

from firstlight.auditing.result import Audit
from firstlight.auditing.verdict import Verdict

_MARKS = {"failure": "x", "warning": "!", "ok": "."}


def text(audit: Audit) -> str:
    """Write an audit in lines: what was looked at, then each verdict that is not ok."""
    fine = [verdict.check for verdict in audit.verdicts if verdict.level == "ok"]
    lines = [_headline(audit), loss_line(audit)]
    lines += [line for v in (*audit.failures, *audit.warnings) for line in _verdict(v)]
    if fine:
        lines.append(f"ok: {', '.join(dict.fromkeys(fine))}")
    return "\n".join(line for line in lines if line)


def state(audit: Audit) -> str:
    """Say in a few words how an audit ended: "healthy", or "1 failure, 2 warnings"."""
    failures, warnings = len(audit.failures), len(audit.warnings)
    found = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for count, word in ((failures, "failure"), (warnings, "warning"))
        if count
    ]
    return ", ".join(found) or "healthy"


def _headline(audit: Audit) -> str:
    return (
        f"{audit.model}: {state(audit)} ({len(audit.weights)} weight matrices, "
        f"{len(audit.activations)} activations, {audit.samples} samples, {audit.dtype} on "
        f"{audit.device}; {audit.how})"
    )


def loss_line(audit: Audit) -> str:
    """Say what the loss at step 0 is, and what it would be if the output knew nothing."""
    out = audit.output
    if out.loss is None:
        return f"gradients of {out.loss_name}"
    line = f"loss at step 0 ({out.loss_name}): {out.loss:.4g}"
    if out.uninformed is not None:
        line += f", uninformed {out.uninformed:.4g}"
    return line + (f", logit spread {out.spread:.3g}" if out.spread is not None else "")


def _verdict(verdict: Verdict) -> list[str]:
    line = f"{_MARKS[verdict.level]} {verdict.level}: {verdict.check}: {verdict.message}"
    return [line, f"    {verdict.advice}"] if verdict.advice else [line]
