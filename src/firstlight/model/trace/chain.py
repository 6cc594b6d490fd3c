"""Chains of elementwise operations: nodes that are a function of one other node, their root."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.init.shards import own_part
from firstlight.model.trace.graph import Graph, Node, Ref, substitute
from firstlight.model.trace.modules import apply_module
from firstlight.model.trace.ops import CASTS

ALONE = ("elementwise", "arithmetic")


class Chains:
    """Every node that is a function of one other node, element by element.

    Attributes:
        root: for each node the node that it is a function of, or None.
    """

    def __init__(self, graph: Graph, tensors: Mapping[str, Tensor]) -> None:
        self._graph, self._tensors = graph, tensors
        self._constant = graph.constant()
        self.root = _roots(graph, self._constant)

    def function(self, index: int) -> "Chain":
        """Return what takes the root's value to that of a node that has one."""
        start = self.root[index]
        assert start is not None
        return Chain(_between(self._graph, index, start), start, self._constant, self._tensors)


def _roots(graph: Graph, constant: list[bool]) -> list[int | None]:
    """Return, for each node, the node that it is an elementwise function of, or None."""
    roots: list[int | None] = []
    for node in graph.nodes:
        alone = node.category in ALONE or node.op in CASTS
        data = [i for i in node.inputs if not constant[i]]
        sources = {i if roots[i] is None else roots[i] for i in data}
        roots.append(sources.pop() if alone and len(sources) == 1 else None)
    return roots


def _between(graph: Graph, end: int, start: int) -> list[Node]:
    """Return the nodes between ``start`` and ``end`` in order, ``start`` left out."""
    needed, stack = set[int](), [end]
    while stack:
        index = stack.pop()
        if index == start or index in needed:
            continue
        needed.add(index)
        stack += graph.nodes[index].inputs
    return [graph.nodes[i] for i in sorted(needed)]


@dataclass(frozen=True, eq=False)
class Chain:
    """Computes what some nodes do, one after the other, from the value of the first one's input."""

    nodes: list[Node]
    start: int
    constant: list[bool]
    tensors: Mapping[str, Tensor]

    def __call__(self, x: Tensor) -> Tensor:
        """Compute the last node's value from the root's."""
        values: dict[int, Any] = {self.start: x}
        for node in self.nodes:
            values[node.index] = self._value(node, values, x)
        return values[self.nodes[-1].index]

    @property
    def steps(self) -> list[Node]:
        """The operations on the signal itself, casts left out."""
        return [
            node
            for node in self.nodes
            if node.category in ALONE and node.op not in CASTS and not self.constant[node.index]
        ]

    def _value(self, node: Node, values: dict[int, Any], x: Tensor) -> Any:
        if self.constant[node.index]:
            return self._constant(node, values, x)
        if node.op in CASTS:
            return values[node.inputs[0]]
        args = substitute(node.args, lambda v: _fill(v, values, x))
        if node.module is not None:
            return _evaluate(node.module, args)
        kwargs = substitute(node.kwargs, lambda v: _fill(v, values, x))
        name = node.op
        if name == "prelu":
            return torch.where(args[0] > 0, args[0], args[0] * args[1])
        assert node.function is not None
        if _in_place(name):
            args = (args[0].clone(), *args[1:])
        return node.function(*args, **{k: v for k, v in kwargs.items() if k != "inplace"})

    def _constant(self, node: Node, values: dict[int, Any], x: Tensor) -> Any:
        """Return one number for what does not depend on the data: a parameter's mean, say.

        A scale or a shift stays one, however it is shaped and whatever it is.
        """
        if node.category == "parameter" and node.parameter in self.tensors:
            own = own_part(self.tensors[node.parameter].detach())  # asking other ranks costs
            return own.double().mean().to(x) if own.numel() else torch.ones(()).to(x)
        if node.op == "buffer" and node.args:
            return node.args[0].to(x).reshape(())
        if node.op in _FACTORIES and node.shape in ((), (1,)) and node.function is not None:
            return _made(node, x)
        inputs = [values[i] for i in node.inputs if i in values]
        if node.category in ALONE and node.function is not None and inputs:
            args = substitute(node.args, lambda v: _fill(v, values, x))
            try:
                return node.function(*args)
            except (RuntimeError, TypeError, ValueError):
                return inputs[0]
        return inputs[0] if inputs else torch.ones((), dtype=x.dtype, device=x.device)

    @property
    def __name__(self) -> str:
        return joined_name(self.steps)


#: What makes a tensor out of numbers.
_FACTORIES = frozenset(["zeros", "ones", "full", "tensor", "as_tensor", "scalar_tensor"])


def _made(node: Node, x: Tensor) -> Tensor:
    assert node.function is not None
    options = {key: value for key, value in node.kwargs.items() if key not in ("device", "dtype")}
    return node.function(*node.args, **options).to(x).reshape(())


_IN_PLACE = frozenset({"iadd", "isub", "imul", "itruediv"})


def _in_place(name: str) -> bool:
    """Return whether an operation changes its first argument: add_, __iadd__ and their kin."""
    plain = name.endswith("_") and not name.endswith("__")
    return plain or name.startswith("__i") or name in _IN_PLACE


def _fill(value: Any, values: dict[int, Any], x: Tensor) -> Any:
    if isinstance(value, Ref):
        return values[value.index]
    if isinstance(value, Tensor):
        if value.is_meta:
            raise RuntimeError("a constant without a value")
        return value.detach().to(x)
    return value


def _evaluate(module: nn.Module, args: tuple[Any, ...]) -> Tensor:
    if isinstance(module, nn.PReLU):
        return torch.where(args[0] > 0, args[0], args[0] * args[1])
    return apply_module(module)(args[0])


def joined_name(steps: list[Node]) -> str:
    """Return the module's class, or the names of the operations joined."""
    return "·".join(_step(node) for node in steps if node.category != "parameter")


def _step(node: Node) -> str:
    if node.module is not None:
        return type(node.module).__name__
    return node.op.strip("_").removeprefix("true")  # truediv and div are one
