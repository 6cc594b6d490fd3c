"""Where the activations lie in a network, so that they are found again in a training pass.

A node of a later run is the same as one before if it is as many-eth in the same module: modules
that are left out now and then, as by stochastic depth, do not move what stands in the others.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.auditing.predicted import Layers
from firstlight.auditing.sites import Site, sites
from firstlight.auditing.watching.watched import numbered
from firstlight.model.slots import Slot, slots
from firstlight.model.trace import names_and_tensors
from firstlight.model.trace.activation import activations
from firstlight.model.trace.graph import Graph
from firstlight.model.trace.recorded import record_meta
from firstlight.model.views import WeightView, views

#: A module's path, and how many nodes there were before in it.
Place = tuple[str, int]


class Places:
    """The places of a graph's nodes, which may still be coming.

    Attributes:
        ops: the operations in each module so far.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._found: list[Place] = []
        self.ops: dict[str, list[str]] = {}

    def of(self, index: int) -> Place:
        """Return the place of a node."""
        while len(self._found) <= index:
            node = self._graph.nodes[len(self._found)]
            path = node.path
            if node.parameter:
                path = f"parameter {node.parameter}"
            elif node.op == "part":
                path = self._found[node.inputs[0]][0]
            ops = self.ops.setdefault(path, [])
            self._found.append((path, len(ops)))
            ops.append(node.op)
        return self._found[index]


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be looked at.

    Attributes:
        sites: the activations.
        names: theirs, one each.
        index: of the planned node at each place.
        place: of each planned node.
        ops: the operations in each module.
    """

    sites: list[Site] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    index: dict[Place, int] = field(default_factory=dict)
    place: list[Place] = field(default_factory=list)
    ops: dict[str, list[str]] = field(default_factory=dict)

    def holds(self, index: int, ops: Mapping[str, list[str]]) -> bool:
        """Return whether a run did in the module of a planned node what was planned."""
        path, _ = self.place[index]
        return ops.get(path) == self.ops[path]

    def covers(self, ops: Mapping[str, list[str]]) -> bool:
        """Return whether a run did nothing that was not planned."""
        return all(self.ops.get(path) == done for path, done in ops.items())


def plan(graph: Graph, tensors: Mapping[str, Tensor]) -> Plan:
    """Find the activations of a network."""
    found = sites(graph, activations(graph, tensors))
    places = Places(graph)
    place = [places.of(node.index) for node in graph.nodes]
    index = {here: at for at, here in enumerate(place)}
    return Plan(found, _names(found), index, place, places.ops)


def _names(found: list[Site]) -> list[str]:
    """Name each activation by its module, and by what it is where a module has several."""
    paths = [site.activation.path for site in found]
    joined = (
        path if path and paths.count(path) == 1 else f"{path}.{site.activation.name}".lstrip(".")
        for path, site in zip(paths, found, strict=True)
    )
    return numbered(joined)


class Structure:
    """The weights of a model, as long as it has the same ones.

    Attributes:
        names, tensors: of what a graph's node may read.
        views: every matrix, embeddings among them.
        layers: the same for predictions.
    """

    def __init__(self, model: nn.Module) -> None:
        self._ids = [id(p) for p in model.parameters()]
        found: list[Slot] = slots(model)
        self.names, self.tensors = names_and_tensors(found)
        self.views: list[WeightView] = views(model, tables=True, found=found)
        self.layers = Layers(self.views, found)

    def fits(self, model: nn.Module) -> bool:
        """Return whether it is still the model's."""
        return self._ids == [id(p) for p in model.parameters()]

    def foresee(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Plan:
        """Plan without arithmetic, on the meta device; an empty plan where that cannot be."""
        batch = _one(model, args, kwargs)
        if batch is None:
            return Plan()
        try:
            with untouched_draws():
                return plan(record_meta(model, batch, self.names), self.tensors)
        except Exception:  # the user's own forward, on tensors that it may not be made for
            return Plan()


def _one(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the arguments of a call as positions or as names; None where it needs both."""
    if not kwargs or not args:
        return kwargs or args
    import inspect

    signature = inspect.signature(model.forward)
    bound = signature.bind(*args, **kwargs).arguments
    kinds = {signature.parameters[name].kind for name in bound}
    named = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    return dict(bound) if kinds <= named else None


@contextlib.contextmanager
def untouched_draws() -> Iterator[None]:
    """Leave every device's random state as it was; a run on meta seeds all of them."""
    import warnings

    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
