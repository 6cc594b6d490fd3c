"""The way of the signal through a graph: what depends on the data, what multiplies it, how deep."""

from firstlight.model.trace.graph import Graph, Node


class Flow:
    """A graph, and what follows from it for each of its nodes.

    Attributes:
        nodes: of the graph.
        consumers: the nodes that read each node.
        constant: which nodes do not depend on the data.
        learnt: which of those are parameters, or made of some; buffers are not.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.nodes = graph, graph.nodes
        self.consumers, self.constant = graph.consumers(), graph.constant()
        self.learnt = self._learnt()

    def _learnt(self) -> list[bool]:
        flags: list[bool] = []
        for node in self.nodes:
            made = bool(node.parameter) or any(flags[i] for i in node.inputs)
            flags.append(made and self.constant[node.index])
        return flags

    def weighs(self, node: Node) -> bool:
        """Return whether a node multiplies the data by parameters."""
        if node.category == "product":
            return any(self.learnt[i] for i in node.inputs) and bool(self.data(node))
        return node.category == "weight"

    def data(self, node: Node) -> list[int]:
        """Return the inputs of a node that depend on the data."""
        return [i for i in node.inputs if not self.constant[i]]

    def parameters(self, node: Node) -> list[str]:
        """Return the names of the parameters that a node reads, through computed weights too."""
        names: list[str] = []
        stack = [i for i in node.inputs if self.constant[i]]
        while stack:
            inner = self.nodes[stack.pop(0)]
            if inner.parameter:
                names.append(inner.parameter)
            stack += inner.inputs
        return names

    def longest(self, *, forward: bool) -> list[int]:
        """Return the number of weights before (or behind) each node on the longest way."""
        lengths = [0] * len(self.nodes)
        for node in self.nodes if forward else reversed(self.nodes):
            near = self.data(node) if forward else self.consumers[node.index]
            lengths[node.index] = max(
                (lengths[i] + self.weighs(self.nodes[i]) for i in near), default=0
            )
        return lengths
