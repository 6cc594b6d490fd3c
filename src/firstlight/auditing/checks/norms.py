"""Checks of norms: what they multiply by, and whether their statistics are of this data."""

import math
from collections.abc import Iterator

from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.result import Audit
from firstlight.model.kinds.norm import NORMS
from firstlight.model.trace import Trace
from firstlight.model.trace.flow import Flow
from firstlight.model.trace.graph import Node
from firstlight.model.trace.ops import ADDITIONS, CASTS


def _zero(audit: Audit, trace: Trace) -> Iterator[Found]:
    """Yield the weights of norms that let nothing pass, but where that closes a branch."""
    sizes = {one.name: one.value_norm for one in audit.gradients}
    flow = Flow(trace.graph) if trace.graph else None
    for node in flow.nodes if flow else ():
        if flow is None or not isinstance(node.module, NORMS):
            continue  # another library's may multiply by one more than its weight
        for name in flow.parameters(node):
            if name.rpartition(".")[2] == "weight" and name in sizes:
                zero = sizes[name] == 0 and not _closes(flow, node)
                yield Found(name, float(zero), (name,))


def _closes(flow: Flow, node: Node) -> bool:
    """Return whether a norm ends a branch that is added to another signal."""
    while True:
        readers = [flow.nodes[reader] for reader in flow.consumers[node.index]]
        if len(readers) != 1:
            return False
        node = readers[0]
        if node.op in ADDITIONS:
            return len(flow.data(node)) > 1
        if node.category not in ("shape", "drop", "other") and node.op not in CASTS:
            return False


def _spread(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for norm in audit.norms:
        yield Found(norm.path, max(norm.spread, 1 / norm.spread) if norm.spread else math.inf)


def _shift(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for norm in audit.norms:
        yield Found(norm.path, norm.shift)


_STALE = "arXiv 1502.03167: evaluation needs statistics of the data that the network sees"
_STALE_ADVICE = "model.train(); or run some batches in training mode before model.eval()"

CHECKS = (
    Check(
        "zero norms",
        _zero,
        1,
        1,
        "a norm whose weight is zero passes neither signal nor gradient",
        "{where} is all zeros, and no branch goes past it",
        "no norm inside the network multiplies by zero",
        "firstlight.initialize(model, 'harmonic'{only})",
    ),
    Check(
        "stale variance",
        _spread,
        4,
        10,
        _STALE,
        "{where} is in evaluation mode, and its running variance is off by a factor of {number}",
        "running variances are right within a factor of {number}",
        _STALE_ADVICE,
        in_order=True,
    ),
    Check(
        "stale mean",
        _shift,
        1,
        3,
        _STALE,
        "{where} is in evaluation mode, and its running mean is {number} standard deviations off",
        "running means are right within {number} standard deviations",
        _STALE_ADVICE,
        in_order=True,
    ),
)
