"""What the graph says of each weight: what it reads, what follows it, how deep it lies."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from firstlight.model.trace.activation import Activation
from firstlight.model.trace.flow import Flow
from firstlight.model.trace.graph import Graph, Node
from firstlight.model.trace.ops import ADDITIONS, PRODUCTS, TRANSPARENT


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a weight from the network around it.

    Attributes:
        reads: "data", "activation", "features" (a function of data that no weight has seen),
            "norm", "attention", "sum" (a residual stream), "table", "gate", "weight" or "other":
            what its input comes from.
        before: the activation that its input comes from, if it does.
        after: the activation that follows, through norms and sums, if any does.
        feeds: "activation", "norm", "residual" (the end of a branch that is added to what
            bypassed it), "attention", "softmax", "gate", "weight", "head" (the output of the
            network) or "other".
        depth: weights on the longest way from the data to this one.
        height: weights on the longest way from this one to the output.
    """

    reads: str
    before: Activation | None
    after: Activation | None
    feeds: str
    depth: int
    height: int


_ATTENDS = ("scaled_dot_product_attention",)
_NAMED = {name: name for name in ("attention", "table", "norm", "weight", "gate")}


def facts(graph: Graph, sites: Mapping[int, Activation]) -> dict[str, Facts]:
    """Return the facts of every weight in the graph, by the parameter's name.

    A weight that is used several times is described where it is used first.
    """
    return _Reader(graph, sites).all()


def attends(node: Node) -> bool:
    """Return whether a node is a whole attention layer."""
    return node.op == "multi_head_attention_forward"


def _inside_attention(known: Facts, name: str) -> Facts:
    """Tell the projections before the softmax from the one behind it."""
    if "out_proj" in name:
        return replace(known, reads="attention", before=None, depth=known.depth + 1)
    return replace(known, feeds="attention", after=None, height=known.height + 1)


class _Reader(Flow):
    def __init__(self, graph: Graph, sites: Mapping[int, Activation]) -> None:
        super().__init__(graph)
        self.sites = sites
        self.ends = set(graph.outputs)
        self.depth = self.longest(forward=True)
        self.height = self.longest(forward=False)
        self.by_root: dict[int, Activation] = {}
        for index in sorted(sites):
            self.by_root.setdefault(sites[index].root, sites[index])

    def all(self) -> dict[str, Facts]:
        found: dict[str, Facts] = {}
        for node in self.nodes:
            if not self.weighs(node):
                continue
            reads, before = self._before(node)
            feeds, after = self._after(node)
            known = Facts(
                reads, before, after, feeds, self.depth[node.index], self.height[node.index]
            )
            for name in self.parameters(node):
                found.setdefault(name, _inside_attention(known, name) if attends(node) else known)
        return found

    def _before(self, node: Node) -> tuple[str, Activation | None]:
        data = self.data(node)
        index = data[0] if data else -1
        for _ in self.nodes:
            if index < 0:
                return "data", None
            here = self.nodes[index]
            if index in self.sites:
                site = self.sites[index]
                return "activation" if self._weighed(site.root) else "features", site
            if here.category == "input":
                return "data", None
            if here.category in _NAMED:
                return _NAMED[here.category], None
            inputs = self.data(here)
            if here.op in ADDITIONS and len(inputs) > 1:
                return "sum", None
            if here.op in PRODUCTS and len(inputs) > 1:
                return "gate", None
            if here.category == "product" and len(inputs) > 1:
                return "attention", None
            passes = here.category in (*TRANSPARENT, "pool", "arithmetic", "elementwise", "product")
            if not passes or not inputs:
                return "other", None
            index = inputs[0]
        return "other", None

    def _weighed(self, index: int) -> bool:
        """Return whether any weight lies between the data and a node."""
        return self.depth[index] + self.weighs(self.nodes[index]) > 0

    def _after(self, node: Node) -> tuple[str, Activation | None]:
        """Look ahead, breadth first, up to the next weights."""
        if self.height[node.index] == 0 and self._ends(node.index):
            return "head", self.by_root.get(node.index)
        feeds, after = "", None
        queue, seen = [(node.index, False)], {node.index}
        while queue:
            index, summed = queue.pop(0)
            if index in self.by_root and after is None:
                after = self.by_root[index]
                feeds = feeds or "activation"
            for consumer in self.consumers[index]:
                if consumer in seen:
                    continue
                seen.add(consumer)
                there = self.nodes[consumer]
                kind = self._kind(there, index, node)
                feeds = feeds or kind
                onward = kind in ("", "norm", "residual", "sum")
                if onward and not (summed and there.category == "norm"):
                    queue.append((consumer, summed or kind in ("residual", "sum")))
        return feeds or "other", after

    def _kind(self, there: Node, source: int, node: Node) -> str:
        """Name what a consumer of the signal is; "" for what just passes it on."""
        if self.weighs(there):
            return "weight"
        if there.category == "attention":
            return "attention" if there.op in _ATTENDS else "softmax"
        if there.category == "product":  # with what is fixed, as a graph's edges, it passes on
            return "attention" if len(self.data(there)) > 1 else ""
        if there.category == "norm":
            return "norm"
        others = [i for i in self.data(there) if i != source]
        if there.op in ADDITIONS and others:
            if all(self._only_from(i, node.index) for i in others):
                return ""  # both sides are this weight's, as where positions rotate queries
            shallower = min(self.depth[i] + self.weighs(self.nodes[i]) for i in others)
            return "residual" if shallower <= self.depth[node.index] else "sum"
        if there.op in PRODUCTS and others:
            return "gate"
        if there.category == "elementwise" and there.index not in self.sites:
            return ""
        return ""

    def _only_from(self, index: int, source: int) -> bool:
        """Return whether a signal comes from one weight alone, past no other."""
        stack, seen = [index], set[int]()
        while stack:
            here = stack.pop()
            if here == source or here in seen:
                continue
            seen.add(here)
            inputs = self.data(self.nodes[here])
            if self.weighs(self.nodes[here]) or not inputs:
                return False
            stack += inputs
        return True

    def _ends(self, index: int) -> bool:
        """Return whether the signal reaches the output of the network."""
        stack, seen = [index], set[int]()
        while stack:
            here = stack.pop()
            if here in self.ends:
                return True
            if here not in seen:
                seen.add(here)
                stack += self.consumers[here]
        return False
