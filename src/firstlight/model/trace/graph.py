"""The network as a graph of operations, whichever way it was learnt."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from firstlight.model.trace.ops import category


@dataclass(frozen=True)
class Ref:
    """Stands for the output of a node in the arguments of another one."""

    index: int


@dataclass(eq=False)
class Node:
    """One operation.

    Attributes:
        index: its place in the order of execution.
        op: its name: of a function, or of a module's class.
        category: what sort of operation it is; see ``ops``.
        function: what computes it from ``args`` and ``kwargs``, in which ``Ref`` stands for nodes.
        inputs: the nodes that it reads, in order, parameters among them.
        parameter: for a parameter, its name.
        path: the module in which it happens.
        module: the module that it is, for one that was not looked into.
        shape: of its output, where known.
    """

    index: int
    op: str
    category: str
    function: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[int, ...] = ()
    parameter: str = ""
    path: str = ""
    module: nn.Module | None = None
    shape: tuple[int, ...] | None = None


class Graph:
    """Nodes in order of execution.

    Attributes:
        nodes: all of them.
        outputs: indices of those that the network returns.
        how: how the graph was learnt, in words.
    """

    def __init__(self, how: str) -> None:
        self.nodes: list[Node] = []
        self.outputs: list[int] = []
        self.how = how
        self._parameters: dict[str, int] = {}

    def add(self, op: str, **fields: Any) -> Node:
        """Append a node and return it."""
        args, kwargs = fields.get("args", ()), fields.get("kwargs", {})
        fields.setdefault("inputs", tuple(dict.fromkeys(r.index for r in refs((args, kwargs)))))
        fields.setdefault("category", category(op))
        node = Node(len(self.nodes), op, **fields)
        self.nodes.append(node)
        return node

    def parameter(self, name: str, shape: tuple[int, ...]) -> Node:
        """Return the node of a parameter, the same one each time."""
        if name not in self._parameters:
            node = self.add("parameter", category="parameter", parameter=name, shape=shape)
            self._parameters[name] = node.index
        return self.nodes[self._parameters[name]]

    def consumers(self) -> list[list[int]]:
        """Return the nodes that read each node."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for index in node.inputs:
                found[index].append(node.index)
        return found

    def constant(self) -> list[bool]:
        """Return which nodes do not depend on the data: parameters, positions, what they make."""
        flags: list[bool] = []
        for node in self.nodes:
            flags.append(node.category != "input" and all(flags[index] for index in node.inputs))
        return flags


def refs(value: Any) -> Iterator[Ref]:
    """Yield every ``Ref`` inside nested arguments."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from refs(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from refs(part)
    elif isinstance(value, slice):
        yield from refs((value.start, value.stop, value.step))


def substitute(value: Any, replace: Callable[[Any], Any]) -> Any:
    """Return nested arguments with ``replace`` applied to every leaf.

    Example:
        >>> substitute((1, [2, {"a": 3}]), lambda x: x + 1)
        (2, [3, {'a': 4}])
    """
    if isinstance(value, (tuple, list)):  # torch.fx has lists and mappings of its own
        return (list if isinstance(value, list) else tuple)(substitute(v, replace) for v in value)
    if isinstance(value, dict):
        return {key: substitute(v, replace) for key, v in value.items()}
    if isinstance(value, slice):
        return slice(*(substitute(v, replace) for v in (value.start, value.stop, value.step)))
    return replace(value)
