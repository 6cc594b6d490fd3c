"""Activations in a graph: chains of elementwise operations, whatever they are written with.

``x * torch.sigmoid(x)`` is two operations and one function of x. Every node that is a function of
one other node, element by element, is found, and so is that node: its root. What a chain computes
is then known as a function, and measured: the gain it asks for, and whether it is one at all or
just a scale and a shift.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from firstlight import theory
from firstlight.model.trace.graph import Graph, Node, Ref, substitute
from firstlight.model.trace.modules import apply_module
from firstlight.model.trace.ops import CASTS

_ALONE = ("elementwise", "arithmetic")


@dataclass(frozen=True, eq=False)
class Activation:
    """A function of each element alone that stands in a network.

    Attributes:
        name: its usual name, or the operations that it is made of.
        function: what it computes, on float64 vectors; None where that cannot be evaluated.
        measured: whether its name is not one that ``theory.gain`` knows.
        root: the node that it reads.
        node: the node that it ends in.
        path: the module in which it stands.
    """

    name: str
    function: Callable[[Tensor], Tensor] | None
    measured: bool
    root: int
    node: int
    path: str = ""

    @property
    def named(self) -> "str | Callable[[Tensor], Tensor]":
        """Its name, if theory knows that; else what it computes."""
        return self.name if self.function is None or not self.measured else self.function


def activations(graph: Graph, tensors: Mapping[str, Tensor]) -> dict[int, Activation]:
    """Return the activations of a graph by the node in which each ends.

    Args:
        graph: the network.
        tensors: values of its parameters by name, for those that an activation may have.
    """
    chains = Chains(graph, tensors)
    consumers = graph.consumers()
    found: dict[int, Activation] = {}
    for node in graph.nodes:
        start = chains.root[node.index]
        if start is None:
            continue
        readers = consumers[node.index]
        if readers and all(chains.root[reader] == start for reader in readers):
            continue  # the chain goes on
        made = _activation(chains.function(node.index))
        if made is not None:
            found[node.index] = made
    return found


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
        alone = node.category in _ALONE or node.op in CASTS
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


def _activation(chain: "Chain") -> Activation | None:
    """Make an activation of a chain; None where it is just a scale and a shift."""
    real = chain.steps
    if not any(node.category == "elementwise" or _bends(node) for node in real):
        return None
    kind = _identify(real, chain)
    if kind is None:
        return None
    end = chain.nodes[-1]
    function = chain if kind.computable else None
    return Activation(kind.name, function, not kind.known, chain.start, end.index, end.path)


@dataclass(frozen=True)
class _Kind:
    """What a chain of operations turned out to be."""

    name: str
    known: bool  # whether its name is one of ``theory.ACTIVATIONS``, with just these values
    computable: bool = True


_seen: dict[tuple[Any, ...], _Kind | None] = {}


def _identify(steps: list[Node], function: "Chain") -> _Kind | None:
    """Tell what a chain computes; None for a scale and a shift."""
    key = _key(steps)
    if key is None:
        return _measure(steps, function)
    if key not in _seen:
        _seen[key] = _measure(steps, function)
    return _seen[key]


def _key(steps: list[Node]) -> tuple[Any, ...] | None:
    """Return what makes two single operations the same; None for longer chains."""
    if len(steps) > 1 or len(steps[0].inputs) > 1:
        return None
    node = steps[0]
    if node.module is not None:
        return None if node.module._parameters else (type(node.module), repr(node.module))
    return (node.function, repr(node.args[1:]), repr(node.kwargs))


def _measure(steps: list[Node], function: "Chain") -> _Kind | None:
    x = torch.linspace(-3, 3, 13, dtype=torch.float64, device="cpu")
    try:
        with torch.no_grad():
            y = function(x.clone())
        if y.shape != x.shape or y.is_complex():
            raise ValueError("not a function of each element")
    except Exception:
        return _Kind(_name(steps), False, computable=False)
    bend = y[2:] - 2 * y[1:-1] + y[:-2]
    if bool(y.isfinite().all()) and bool(bend.abs().max() < 1e-9 * (1 + y.abs().max())):
        return None
    for name, known in theory.ACTIVATIONS.items():
        if torch.allclose(known(x.clone()), y, rtol=1e-9, atol=1e-12):
            return _Kind(name, True)
    return _Kind(_name(steps), False)


def _bends(node: Node) -> bool:
    """Return whether an operation of arithmetic can be more than a scale and a shift."""
    if node.op in ("pow", "__pow__", "__rpow__", "where", "maximum", "minimum", "addcmul"):
        return True
    return len(node.inputs) > 1 or "truediv" in node.op or "rdiv" in node.op


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
            if node.category in _ALONE and node.op not in CASTS and not self.constant[node.index]
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
            return self.tensors[node.parameter].detach().double().mean().to(x)
        if node.op == "buffer" and node.args:
            return node.args[0].to(x).reshape(())
        if node.op in _FACTORIES and node.shape in ((), (1,)) and node.function is not None:
            return _made(node, x)
        inputs = [values[i] for i in node.inputs if i in values]
        if node.category in _ALONE and node.function is not None and inputs:
            args = substitute(node.args, lambda v: _fill(v, values, x))
            try:
                return node.function(*args)
            except (RuntimeError, TypeError, ValueError):
                return inputs[0]
        return inputs[0] if inputs else torch.ones((), dtype=x.dtype, device=x.device)

    @property
    def __name__(self) -> str:
        return _name(self.steps)


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


def _name(steps: list[Node]) -> str:
    """Return the module's class, or the names of the operations joined."""
    return "·".join(_step(node) for node in steps if node.category != "parameter")


def _step(node: Node) -> str:
    if node.module is not None:
        return type(node.module).__name__
    return node.op.strip("_").removeprefix("true")  # truediv and div are one
