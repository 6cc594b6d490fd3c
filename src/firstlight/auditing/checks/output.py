"""Checks of the output and of the loss at step 0."""

import math
from collections.abc import Iterator

from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.result import Audit
from firstlight.model.trace import Trace
from firstlight.model.trace.flow import Flow


def heads(audit: Audit, trace: Trace) -> tuple[str, ...]:
    """Return the weights whose outputs are the network's, or lead to them past no other weight."""
    if trace.graph is None:
        return ()
    flow = Flow(trace.graph)
    stack, seen, found = list(trace.graph.outputs), set[int](), set[str]()
    while stack:
        index = stack.pop()
        if index in seen:
            continue
        seen.add(index)
        node = flow.nodes[index]
        if flow.weighs(node):
            found |= {*flow.parameters(node)}
        else:
            stack += flow.data(node)
    return tuple(dict.fromkeys(w.parameter for w in audit.weights if w.parameter in found))


def _at_heads(value: float, audit: Audit, trace: Trace) -> Iterator[Found]:
    """Yield one value of the output as one of each head."""
    names = heads(audit, trace)
    if not names:
        yield Found("", value)
    for name in names:
        yield Found(name, value, (name,))


def _finite(audit: Audit, trace: Trace) -> Iterator[Found]:
    if audit.output.shape:
        yield from _at_heads(0.0 if audit.output.finite else 1.0, audit, trace)


def _loss(audit: Audit, _trace: Trace) -> Iterator[Found]:
    if audit.output.loss is not None:
        yield Found("", float(not math.isfinite(audit.output.loss)))


def _classification(audit: Audit, trace: Trace) -> Iterator[Found]:
    out = audit.output
    if out.loss is not None and out.uninformed and out.classes:
        yield from _at_heads(out.loss / out.uninformed, audit, trace)


def _regression(audit: Audit, trace: Trace) -> Iterator[Found]:
    out = audit.output
    if out.loss is not None and out.uninformed and not out.classes:
        yield from _at_heads(out.loss / out.uninformed, audit, trace)


def _spread(audit: Audit, trace: Trace) -> Iterator[Found]:
    out = audit.output
    if out.classes and out.spread is not None and out.finite:
        yield from _at_heads(out.spread, audit, trace)


_HEAD = "firstlight.initialize(model, 'harmonic', gain=1{only})"

CHECKS = (
    Check(
        "output is a number",
        _finite,
        1,
        1,
        "IEEE 754",
        "the output holds NaN or infinite numbers",
        "every output is a finite number",
        "firstlight.initialize(model, 'harmonic')",
    ),
    Check(
        "loss is a number",
        _loss,
        1,
        1,
        "IEEE 754",
        "the loss is NaN or infinite",
        "the loss is a finite number",
        "look at the targets: classes out of range or all ignored; else at what else failed here",
    ),
    Check(
        "loss at step 0",
        _classification,
        2,
        4,
        "Karpathy, A Recipe for Training Neural Networks, 2019: ln C for C classes; a head at He's "
        "scale has up to 1.6 times that",
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
        f"{_HEAD}; and bring the targets to mean 0 and variance 1",
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
