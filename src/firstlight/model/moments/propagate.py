"""Second moments from node to node of a traced network, as a mean field sees them.

Units count as independent given their inputs, and branches as independent of what they are added
to. What that cannot know (how neighbours correlate under pooling, where attention looks) is said
to be unknown, and stays so up to the next norm, which brings any signal to a known scale.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import nn

from firstlight.model.kinds.norm import NORMS
from firstlight.model.moments.density import Density, mixture
from firstlight.model.moments.geometry import inside
from firstlight.model.moments.layers import (
    dropped,
    epsilon,
    keeps_mean,
    normalises,
    reached,
    size,
)
from firstlight.model.moments.weights import WeightStatistics
from firstlight.model.trace.chain import Chains
from firstlight.model.trace.facts import attends
from firstlight.model.trace.graph import Graph, Node
from firstlight.model.trace.ops import ADDITIONS, PRODUCTS, STATEFUL

#: A density, or why there is none.
Moments = Density | str


class Planned:
    """What the plan makes of the parameters, as far as moments depend on it."""

    def __init__(
        self,
        weights: Callable[[str], list[WeightStatistics] | str | None],
        squares: Callable[[str], float | None],
        owners: Mapping[str, nn.Module],
    ) -> None:
        self.weights = weights  # statistics of a weight's matrices, by parameter name
        self.squares = squares  # mean square of any parameter
        self.owners = owners  # the module of each parameter


def propagate(
    graph: Graph, chains: Chains, planned: Planned, inputs: Mapping[int, Moments]
) -> list[Moments]:
    """Return the moments of every node.

    Args:
        graph: the network.
        chains: its elementwise functions.
        planned: what its parameters will be.
        inputs: moments of the input nodes, and of any others that are known.
    """
    return _Field(graph, chains, planned, inputs).all()


class _Field:
    def __init__(
        self, graph: Graph, chains: Chains, planned: Planned, inputs: Mapping[int, Moments]
    ) -> None:
        self.graph, self.chains, self.planned, self.inputs = graph, chains, planned, inputs
        self.constant = graph.constant()
        self.known: list[Moments] = []
        self.dependent = ""  # why branches depend on each other, if they do

    def all(self) -> list[Moments]:
        for node in self.graph.nodes:
            self.known.append(self._node(node))
        return self.known

    def _node(self, node: Node) -> Moments:
        if node.index in self.inputs:
            return self.inputs[node.index]
        if self.constant[node.index]:
            return "no signal"
        root = self.chains.root[node.index]
        if root is not None:
            return self._function(node, root)
        handler = _HANDLERS.get(node.category)
        return handler(self, node) if handler else f"{node.op}: what it does to moments is unknown"

    def _data(self, node: Node) -> list[int]:
        return [i for i in node.inputs if not self.constant[i]]

    def _first(self, node: Node) -> Moments:
        data = self._data(node)
        return self.known[data[0]] if data else "no signal"

    def _function(self, node: Node, root: int) -> Moments:
        source = self.known[root]
        if isinstance(source, str):
            return source
        try:
            return source.apply(self.chains.function(node.index))
        except Exception:
            return f"{node.op} cannot be evaluated"

    def weight(self, node: Node) -> Moments:
        if attends(node):
            return _ATTENTION
        if node.op in _OPAQUE:
            return f"{node.op}: a layer with a state or a choice of its own"
        source = self._first(node)
        if isinstance(source, str):
            return source
        names = [self.graph.nodes[i].parameter for i in node.inputs if self.constant[i]]
        names = [name for name in names if name]
        return self._weighted(node, source, names)

    def _weighted(self, node: Node, source: Density, names: list[str]) -> Moments:
        found = [(name, self.planned.weights(name)) for name in names]
        dependent = next((stats for _, stats in found if isinstance(stats, str)), None)
        if dependent is not None:
            self.dependent = dependent
            return dependent
        weights = [(n, stats) for n, stats in found if stats and not isinstance(stats, str)]
        if len(weights) != 1:
            return f"{node.op}: its weight is computed, or not known"
        name, stats = weights[0]
        module = self.planned.owners.get(name)
        before = self.graph.nodes[self._data(node)[0]].shape
        share = inside(module, before)
        if share[0] < 0.6 and source.common > 0.1 * source.second and _zero_sum(stats):
            return f"{node.op}: padding cuts rows that sum to zero"
        out = mixture([(1 / len(stats), s.output(source, *share)) for s in stats])
        if len(stats) == 1:
            out = stats[0].output(source, *share)
        out = out.scaled(reached(module))
        bias = [self.planned.squares(n) or 0.0 for n in names if n != name]
        return out.plus(Density.gaussian(sum(bias))) if sum(bias) else out

    def product(self, node: Node) -> Moments:
        if len(self._data(node)) == 1:
            return self.weight(node)
        return "a product of two signals: their angle depends on the data"

    def norm(self, node: Node) -> Moments:
        if node.op in ("normalize", "local_response_norm"):
            return f"{node.op}: its scale depends on the width"
        source = self._first(node)
        if not normalises(node):  # at a start the running statistics are 0 and 1
            return source if isinstance(source, str) else self._affine(node, source)
        if isinstance(source, str) or source.variance == 0:
            # nothing is known of how alike two samples are, so they count as one
            return self._affine(node, replace(Density.gaussian(1.0), angle=1.0))
        keeps = keeps_mean(node)
        energy = source.second if keeps else source.variance
        second = energy / (energy + epsilon(node))
        if second < 0.99 and self._few_samples(node):
            return f"{node.op}: of few samples, in which its epsilon decides"
        common = source.common / source.second * second if keeps else 0.0
        cross = max(source.cross - (0.0 if keeps else source.common), 0.0) / energy * second
        angle = source.beyond + (cross / second) ** 2
        return self._affine(node, Density(0.0, second, common, source.shape, cross, angle))

    def _few_samples(self, node: Node) -> bool:
        """Return whether a batch norm has too few values of a channel to know its variance."""
        shape = self.graph.nodes[self._data(node)[0]].shape
        batch = isinstance(node.module, nn.modules.batchnorm._BatchNorm) or node.op == "batch_norm"
        return batch and shape is not None and size(shape) < 32 * shape[1]

    def _affine(self, node: Node, x: Density) -> Moments:
        names = [self.graph.nodes[i].parameter for i in node.inputs if self.constant[i]]
        squares = [self.planned.squares(name) for name in names if name]
        if any(square is None for square in squares):
            return f"{node.op}: its weight is not known"
        scales = [s for n, s in zip(names, squares, strict=False) if n.endswith("weight")]
        shifts = [s for n, s in zip(names, squares, strict=False) if n.endswith("bias")]
        scale = scales[0] if scales else 1.0
        if node.module is not None and scale == 0 and not isinstance(node.module, NORMS):
            scale = 1.0  # a norm that multiplies by 1 + weight
        x = x.scaled(scale or 0.0)
        shift = shifts[0] if shifts and shifts[0] else 0.0
        return x.plus(Density.gaussian(shift)) if shift else x

    def arithmetic(self, node: Node) -> Moments:
        data = [self.known[i] for i in self._data(node)]
        unknown = next((m for m in data if isinstance(m, str)), None)
        if unknown is not None:
            return unknown
        if self.dependent:
            return self.dependent
        if node.op in ADDITIONS and len(data) == 2:
            return data[0].plus(data[1])  # type: ignore[union-attr, arg-type]
        if node.op in PRODUCTS and len(data) == 2:
            return data[0].times(data[1])  # type: ignore[union-attr, arg-type]
        return f"{node.op} of several signals"

    def same(self, node: Node) -> Moments:
        return self._first(node)

    def pad(self, node: Node) -> Moments:
        source = self._first(node)
        before = self.graph.nodes[self._data(node)[0]].shape
        if isinstance(source, str) or before is None or node.shape is None:
            return source
        return source.scaled(size(before) / max(size(node.shape), 1))

    def drop(self, node: Node) -> Moments:
        source = self._first(node)
        if "alpha" in node.op or isinstance(node.module, nn.AlphaDropout):
            return f"{node.op}: it shifts what it drops"
        share = dropped(node)
        return source if isinstance(source, str) else source.scaled(1 / (1 - share))

    def pool(self, node: Node) -> Moments:
        if node.op in ("interpolate", "upsample"):
            mode = node.kwargs.get("mode", getattr(node.module, "mode", "nearest"))
            if mode == "nearest":
                return self._first(node)
        source = self._first(node)
        if isinstance(source, str):
            return source
        return f"{node.op}: depends on how neighbours correlate"

    def join(self, node: Node) -> Moments:
        indices = self._data(node)
        data = [self.known[i] for i in indices]
        unknown = next((m for m in data if isinstance(m, str)), None)
        if unknown is not None:
            return unknown
        shapes = [self.graph.nodes[i].shape for i in indices]
        sizes = [size(shape) if shape else 1 for shape in shapes]
        shares = [size / sum(sizes) for size in sizes]
        return mixture(list(zip(shares, data, strict=True)))  # type: ignore[arg-type]

    def gate(self, node: Node) -> Moments:
        source = self._first(node)
        if isinstance(source, str):
            return source
        return source.times(source.apply(torch.sigmoid))

    def table(self, node: Node) -> Moments:
        names = [self.graph.nodes[i].parameter for i in node.inputs if self.constant[i]]
        squares = [self.planned.squares(name) for name in names if name]
        if len(squares) != 1 or squares[0] is None or node.op == "embedding_bag":
            return f"{node.op}: its table is not known"
        return Density.gaussian(squares[0])


def _zero_sum(stats: list[WeightStatistics]) -> bool:
    """Return whether rows sum to zero, as far as chance would not have it."""
    return all(s.row_sum < 0.01 * s.inputs * s.mean_square for s in stats)


_ATTENTION = "attention: where it looks depends on the data"
_ATTENTION = "attention: where it looks depends on the data"
_OPAQUE = frozenset([*STATEFUL, "experts", "bilinear", "einsum"])
_HANDLERS: dict[str, Callable[[_Field, Node], Moments]] = {
    "weight": _Field.weight,
    "product": _Field.product,
    "norm": _Field.norm,
    "arithmetic": _Field.arithmetic,
    "shape": _Field.same,
    "drop": _Field.drop,
    "pool": _Field.pool,
    "join": _Field.join,
    "attention": lambda _field, _node: _ATTENTION,
    "gate": _Field.gate,
    "table": _Field.table,
    "pad": _Field.pad,
}
