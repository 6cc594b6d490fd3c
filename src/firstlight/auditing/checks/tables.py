"""Which embeddings are added to each other, and so must be of one size."""

from collections.abc import Iterator

from firstlight.auditing.checks.check import Found
from firstlight.auditing.measures import WeightMeasures
from firstlight.auditing.result import Audit
from firstlight.model.trace import Trace
from firstlight.model.trace.flow import Flow
from firstlight.model.trace.graph import Graph
from firstlight.model.trace.ops import ADDITIONS, CASTS


def scales(audit: Audit, trace: Trace) -> Iterator[Found]:
    """Yield by how much the largest of the tables that make one sum exceeds the smallest."""
    usable = {
        weight.parameter: weight
        for weight in audit.weights
        if weight.role == "table" and weight.finite and weight.rms > 0
    }
    for names in _sums(trace.graph) if trace.graph else ():
        tables = sorted((usable[name] for name in names if name in usable), key=_rms)
        if len(tables) > 1:
            small, large = tables[0], tables[-1]
            share = small.rms / large.rms
            yield Found(large.name, 1 / share, (large.parameter,), f"{share:.2g}")


def _rms(table: WeightMeasures) -> float:
    return table.rms


def _sums(graph: Graph) -> list[set[str]]:
    """Return the names of the tables whose rows are added up, sum by sum."""
    flow = Flow(graph)
    found: list[tuple[set[int], set[str]]] = []
    for node in graph.nodes:
        if node.category != "table":
            continue
        sums, names = _reached(flow, node.index), {*flow.parameters(node)}
        for other in [pair for pair in found if pair[0] & sums]:
            found.remove(other)
            sums, names = sums | other[0], names | other[1]
        found.append((sums, names))
    return [names for sums, names in found if sums]


def _reached(flow: Flow, start: int) -> set[int]:
    """Return the sums that a node's output enters before anything else happens to it."""
    stack, sums = [start], set[int]()
    while stack:
        for reader in flow.consumers[stack.pop()]:
            node = flow.nodes[reader]
            if node.op in ADDITIONS:
                if reader in sums:
                    continue
                sums.add(reader)
            elif node.category not in ("shape", "drop") and node.op not in CASTS:
                continue
            stack.append(reader)
    return sums
