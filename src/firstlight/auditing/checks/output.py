"""Checks of the output and of the loss at step 0."""

from collections.abc import Iterator

from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.result import Audit
from firstlight.model.trace import Trace


def _finite(audit: Audit, _trace: Trace) -> Iterator[Found]:
    if audit.output.shape:
        yield "", 0.0 if audit.output.finite else 1.0


def _classification(audit: Audit, _trace: Trace) -> Iterator[Found]:
    out = audit.output
    if out.loss is not None and out.uninformed and out.classes:
        yield "", out.loss / out.uninformed


def _regression(audit: Audit, _trace: Trace) -> Iterator[Found]:
    out = audit.output
    if out.loss is not None and out.uninformed and not out.classes:
        yield "", out.loss / out.uninformed


def _spread(audit: Audit, _trace: Trace) -> Iterator[Found]:
    if audit.output.classes and audit.output.spread is not None and audit.output.finite:
        yield "", audit.output.spread


_HEAD = "firstlight.initialize(model, 'harmonic', include=['<head>']), or a smaller head"

CHECKS = (
    Check(
        "output is a number",
        _finite,
        1,
        1,
        "IEEE 754",
        "the output holds NaN or infinite numbers",
        "every output is a finite number",
        "firstlight.initialize(model, example=batch)",
    ),
    Check(
        "loss at step 0",
        _classification,
        1.5,
        3,
        "Karpathy, A Recipe for Training Neural Networks, 2019: ln C for C classes",
        "the loss is {number} times that of an output that knows nothing",
        "the loss is {number} times that of an output that knows nothing",
        _HEAD,
    ),
    Check(
        "loss at step 0",
        _regression,
        10,
        100,
        "the loss of a constant output",
        "the loss is {number} times that of a constant output",
        "the loss is {number} times that of a constant output",
        "bring targets to variance 1, and the head: " + _HEAD,
    ),
    Check(
        "logit spread",
        _spread,
        3,
        10,
        "cross-entropy grows by about half the logits' variance",
        "logits of one sample have a standard deviation of {number}",
        "logits of one sample have a standard deviation of {number}",
        _HEAD,
    ),
)
