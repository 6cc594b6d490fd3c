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
from torch import Tensor

from firstlight import theory
from firstlight.errors import OptionError
from firstlight.model.trace.chain import Chain, Chains, joined_name
from firstlight.model.trace.graph import Graph, Node
from firstlight.theory.activations import scaled_name


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
    alike: dict[tuple[str, bytes], Chain] = {}
    for node in graph.nodes:
        start = chains.root[node.index]
        if start is None:
            continue
        readers = consumers[node.index]
        if readers and all(chains.root[reader] == start for reader in readers):
            continue  # the chain goes on
        made = _activation(chains.function(node.index), alike)
        if made is not None:
            found[node.index] = made
    return found


def _activation(chain: Chain, alike: dict[tuple[str, bytes], Chain]) -> Activation | None:
    """Make an activation of a chain; None where it is just a scale and a shift.

    Those that compute the same share one function, so that what is found of it is found once.
    """
    real = chain.steps
    if not any(node.category == "elementwise" or _bends(node) for node in real):
        return None
    kind = _identify(real, chain)
    if kind is None:
        return None
    end = chain.nodes[-1]
    function = None
    if kind.computable:
        function = alike.setdefault((kind.name, b"" if kind.known else _values(chain)), chain)
    return Activation(kind.name, function, not kind.known, chain.start, end.index, end.path)


@dataclass(frozen=True)
class _Kind:
    """What a chain of operations turned out to be."""

    name: str
    known: bool  # whether theory takes its name for a function with just these values
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
    """Return what makes two single operations the same; None for longer chains.

    And None for modules of others than torch and us, which need not show all that they hold.
    """
    if len(steps) > 1 or len(steps[0].inputs) > 1:
        return None
    node = steps[0]
    if node.module is not None:
        ours = type(node.module).__module__.startswith(("torch.nn.", "firstlight.nn."))
        shows = ours and not node.module._parameters
        return (type(node.module), repr(node.module)) if shows else None
    return (node.function, repr(node.args[1:]), repr(node.kwargs))


def _measure(steps: list[Node], function: Chain) -> _Kind | None:
    own = theory.odd_sigmoid_name(steps[0].module) if len(steps) == 1 else ""
    if own:
        return _Kind(own, True)
    x = torch.linspace(-3, 3, 13, dtype=torch.float64, device="cpu")
    try:
        with torch.no_grad():
            y = function(x.clone())
        if y.shape != x.shape or y.is_complex():
            raise ValueError("not a function of each element")
    except Exception:
        return _Kind(joined_name(steps), False, computable=False)
    sigmoid = _odd_sigmoid(function) if any(node.op in _SIGMOID_OPS for node in steps) else ""
    if sigmoid:
        return _Kind(sigmoid, True)
    bend = y[2:] - 2 * y[1:-1] + y[:-2]
    if bool(y.isfinite().all()) and bool(bend.abs().max() < 1e-9 * (1 + y.abs().max())):
        return None
    for name, known in theory.ACTIVATIONS.items():
        if torch.allclose(known(x.clone()), y, rtol=1e-9, atol=1e-12):
            return _Kind(name, True)
    return _Kind(joined_name(steps), False)


#: What an odd sigmoid with a factor on x can be written with.
_SIGMOID_OPS = frozenset(["tanh", "tanh_", "erf", "atan", "arctan", "softsign", "sigmoid"])


def _odd_sigmoid(function: Chain) -> str:
    """Return "tanh(2x)" and the like where a chain computes that, else ""."""
    try:
        zero = torch.zeros(1, dtype=torch.float64, device="cpu")
        slope = float(theory.activations.derivative(function)(zero))
    except (OptionError, RuntimeError):
        return ""
    if not 1e-12 < slope < 1e12:
        return ""
    for name, omega in theory.ODD_SIGMOIDS.items():
        for digits in (6, 12):  # 0.1 in float32 is 0.1
            scale = float(f"{slope * omega:.{digits}g}")
            x = torch.linspace(-3, 3, 13, dtype=torch.float64, device="cpu") / scale
            with torch.no_grad():
                y = function(x.clone())
            known = theory.ACTIVATIONS[name](scale * x)
            if torch.allclose(known, y, rtol=1e-7 if digits == 6 else 1e-9, atol=1e-12):
                return scaled_name(name, scale)
    return ""


def _values(function: Chain) -> bytes:
    """What a function gives in some hundred places, to tell functions of one name apart."""
    near = torch.linspace(-4, 4, 129, dtype=torch.float64, device="cpu")
    with torch.no_grad():
        return torch.cat([function(near * scale) for scale in (1, 30)]).numpy().tobytes()


def _bends(node: Node) -> bool:
    """Return whether an operation of arithmetic can be more than a scale and a shift."""
    if node.op in ("pow", "__pow__", "__rpow__", "where", "maximum", "minimum", "addcmul"):
        return True
    return len(node.inputs) > 1 or "truediv" in node.op or "rdiv" in node.op
