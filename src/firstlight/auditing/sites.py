"""What is looked at during a run: each activation, the weight before it, the one behind it."""

from collections.abc import Mapping
from dataclasses import dataclass

from firstlight.auditing.flat import Flat, flat
from firstlight.model.trace.activation import Activation
from firstlight.model.trace.flow import Flow
from firstlight.model.trace.graph import Graph, Node
from firstlight.model.trace.ops import ADDITIONS, CASTS

#: Slopes below this share of the steepest one pass no gradient worth the name ...
DEAD = 1e-3
#: ... and below this one, little.
SATURATED = 0.05


@dataclass(frozen=True, eq=False)
class Site:
    """One activation in the graph.

    Attributes:
        activation: what it is.
        root: the node that it reads.
        end: the node in which it ends.
        weight: the node of the weight whose outputs it reads; None if there are several.
        source: the node that this weight reads.
        plain: whether nothing but a bias stands between the weight and the activation.
        names: parameters of that weight's node.
        parameters: those, and of the norms and sums up to the activation.
        depth: weights before it on the longest way.
        axis: where its units lie.
        dead: where it is flat.
        saturated: where it is nearly so.
        next: the root of the next activation on the one way onward, if there is just one.
        next_plain: whether nothing but a weight and its bias lies between.
        next_names: parameters of the weight's node on that way.
    """

    activation: Activation
    root: int
    end: int
    weight: int | None
    source: int | None
    plain: bool
    names: tuple[str, ...]
    parameters: tuple[str, ...]
    depth: int
    axis: int
    dead: Flat
    saturated: Flat
    next: int | None = None
    next_plain: bool = False
    next_names: tuple[str, ...] = ()


def sites(graph: Graph, activations: Mapping[int, Activation]) -> list[Site]:
    """Find the activations of a network, in order of execution, and the ways between them."""
    finder = _Finder(graph, activations)
    return [finder.site(activations[end]) for end in sorted(activations) if not finder.sizes(end)]


class _Finder(Flow):
    def __init__(self, graph: Graph, activations: Mapping[int, Activation]) -> None:
        super().__init__(graph)
        self.roots = {activation.root for activation in activations.values()}
        self.depth = self.longest(forward=True)

    def site(self, activation: Activation) -> Site:
        weight, plain, parameters = self._before(activation.root)
        onward, onward_plain, names = self._behind(activation)
        source = self.data(self.nodes[weight])[0] if weight is not None else None
        return Site(
            activation,
            activation.root,
            activation.node,
            weight,
            source,
            plain,
            tuple(self.parameters(self.nodes[weight])) if weight is not None else (),
            parameters,
            self.depth[activation.root] + self.weighs(self.nodes[activation.root]),
            self._axis(activation.root),
            flat(activation.named, DEAD),
            flat(activation.named, SATURATED),
            onward,
            onward_plain,
            names,
        )

    def sizes(self, end: int) -> bool:
        """Return whether a function is but the summand of a norm written by hand."""
        readers = [self.nodes[reader].op for reader in self.consumers[end]]
        squares = self.nodes[end].op in ("pow", "__pow__", "square", "abs", "__abs__")
        return squares and bool(readers) and all(op in ("sum", "mean") for op in readers)

    def _before(self, index: int) -> tuple[int | None, bool, tuple[str, ...]]:
        """Walk back to the weight whose outputs a node holds.

        Returns it, whether nothing changed them, and all parameters on the way.
        """
        plain = True
        names: tuple[str, ...] = ()
        while True:
            node = self.nodes[index]
            names = (*self.parameters(node), *names)
            if self.weighs(node):
                return index, plain, names
            data = self.data(node)
            if len(data) != 1:
                return None, False, ()
            if node.category in ("norm", "pool"):
                plain = False
            elif not self._passes(node):
                return None, False, ()
            index = data[0]

    def _axis(self, index: int) -> int:
        """Return where the units lie: behind a convolution second, else last."""
        while index >= 0 and not self.weighs(self.nodes[index]):
            index = next(iter(self.data(self.nodes[index])), -1)
        return 1 if index >= 0 and self.nodes[index].op.startswith("conv") else -1

    def _passes(self, node: Node) -> bool:
        """Return whether a node hands on what it reads, perhaps with a bias added."""
        same = node.category in ("shape", "drop") or node.op in CASTS
        return same or node.op in ADDITIONS

    def _behind(self, activation: Activation) -> tuple[int | None, bool, tuple[str, ...]]:
        """Walk on to the next activation, as long as there is one way and one weight."""
        if not self._only_reader(activation):
            return None, False, ()
        index, plain = activation.node, True
        names: tuple[str, ...] = ()
        while True:
            readers = self.consumers[index]
            if len(readers) != 1 or len(self.data(self.nodes[readers[0]])) != 1:
                return None, False, ()
            index = readers[0]
            node = self.nodes[index]
            if self.weighs(node):
                plain = plain and not names
                names = (*names, *self.parameters(node))
            elif node.category in ("norm", "pool"):
                plain = False
            elif not self._passes(node):
                return None, False, ()
            if index in self.roots and names:
                return index, plain, names

    def _only_reader(self, activation: Activation) -> bool:
        """Return whether all that reads the root is the activation itself."""
        inside = {activation.node}
        for index in range(activation.node, activation.root, -1):
            if index in inside:
                inside |= {i for i in self.nodes[index].inputs if i > activation.root}
        return set(self.consumers[activation.root]) <= inside
