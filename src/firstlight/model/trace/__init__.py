"""How data flows through a model: which activation follows each weight, how deep it lies.

Learnt by ``torch.fx`` where that can follow the code, by a run where a batch is at hand, and said
so either way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from firstlight.init.shards import is_sharded
from firstlight.model.slots import Slot, slots
from firstlight.model.trace.activation import Activation, activations
from firstlight.model.trace.facts import Facts, facts
from firstlight.model.trace.graph import Graph
from firstlight.model.trace.ops import STATEFUL
from firstlight.model.trace.recorded import record_meta, record_real
from firstlight.model.trace.symbolic import trace_symbolic
from firstlight.model.trace.undistributed import undistributed

__all__ = ["Activation", "Facts", "Trace", "trace"]


@dataclass(frozen=True, eq=False)
class Trace:
    """What was learnt of a model's data flow.

    Attributes:
        how: the way it was learnt, or why nothing was.
        graph: the operations; None where nothing was learnt.
        activations: by the node in which each ends.
        facts: by parameter name.
        failed: why the example could not be run, or ""; the code alone was followed then.
    """

    how: str
    graph: Graph | None = None
    activations: Mapping[int, Activation] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)
    failed: str = ""

    @cached_property
    def depth(self) -> int:
        """Weights on the longest way through the network."""
        return max((f.depth + f.height + 1 for f in self.facts.values()), default=0)

    @cached_property
    def normalised(self) -> bool:
        """Whether a norm stands anywhere in the network."""
        return self._any("norm")

    @cached_property
    def residual(self) -> bool:
        """Whether branches are added to what bypasses them."""
        return any(f.feeds == "residual" for f in self.facts.values())

    @cached_property
    def attends(self) -> bool:
        """Whether there is attention anywhere."""
        return any(f.feeds == "attention" for f in self.facts.values())

    @cached_property
    def convolutions(self) -> int:
        """How many convolutions there are."""
        nodes = self.graph.nodes if self.graph else ()
        return sum(node.op.startswith("conv") for node in nodes)

    @property
    def convolves(self) -> bool:
        """Whether there are convolutions."""
        return self.convolutions > 0

    @cached_property
    def plain(self) -> bool:
        """Whether it is one weight after the other: no norms, branches, attention or states."""
        special = self.normalised or self.residual or self.attends or self._any("gate")
        return self.graph is not None and not special and not self._stateful

    @property
    def _stateful(self) -> bool:
        nodes = self.graph.nodes if self.graph else ()
        return any(node.op in STATEFUL for node in nodes)

    def _any(self, category: str) -> bool:
        return self.graph is not None and any(n.category == category for n in self.graph.nodes)


def trace(model: nn.Module, example: Any = None, found: list[Slot] | None = None) -> Trace:
    """Follow the data through ``model``.

    Args:
        model: any module; it is left as it was.
        example: one batch (tensor, tuple of arguments or dict). With it the model is run: on the
            meta device, or where the way depends on values, as it is. Without, ``torch.fx``
            follows the code, and a Hugging Face model is run on its own dummy inputs.
        found: the model's slots, if they are known.

    Example:
        >>> import torch
        >>> from firstlight.model import trace
        >>> net = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2))
        >>> known = trace(net)
        >>> known.how, known.facts["0.weight"].after.name, known.facts["2.weight"].feeds
        ('torch.fx', 'gelu', 'head')
    """
    found = slots(model) if found is None else found
    stored, tensors = names_and_tensors(found)
    with undistributed(model):
        graph, why = _graph(model, example, stored)
    if graph is None:
        return Trace(why, failed=why)
    sites = activations(graph, tensors)
    how = f"{graph.how} (the example cannot be run: {why})" if why else graph.how
    return Trace(how, graph, sites, facts(graph, sites), why)


def names_and_tensors(found: list[Slot]) -> tuple[dict[int, str], dict[str, Tensor]]:
    """Return the name of each stored tensor: of the weight that it makes, if it makes one."""
    stored: dict[int, str] = {}
    tensors: dict[str, Tensor] = {}
    for slot in found:
        if slot.storage is not None and not slot.buffer:
            for tensor in slot.storage.stored():
                stored.setdefault(id(tensor), slot.name)
            tensors[slot.name] = slot.storage.stored()[0]
    return stored, tensors


def _graph(model: nn.Module, example: Any, stored: dict[int, str]) -> tuple[Graph | None, str]:
    """Try each way that there is; return the graph, and why an example could not be run."""
    given = example is not None
    example = example if given else _dummy_inputs(model)
    symbolic = [lambda: trace_symbolic(model, stored)]
    runs: list[Callable[[], Graph]] = []
    if example is not None:
        runs.append(lambda: record_meta(model, example, stored))
        if not any(p.is_meta or is_sharded(p) for p in model.parameters()):
            runs.append(lambda: record_real(model, example, stored))
    why = ""
    for way in [*runs, *symbolic] if given else [*symbolic, *runs]:
        try:
            graph = way()
        # the user's own forward runs here, and may raise anything
        except Exception as error:
            if not (given and way in symbolic):  # why the example cannot be run says more
                why = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
            continue
        return graph, why if given and way in symbolic else ""
    hint = "" if runs else "; pass example=batch"
    return None, f"not traced ({why}){hint}"


def _dummy_inputs(model: nn.Module) -> Any:
    """Return the inputs that a Hugging Face model keeps for this purpose, within its vocabulary."""
    inputs = getattr(model, "dummy_inputs", None)
    size = getattr(getattr(model, "config", None), "vocab_size", None)
    if not isinstance(inputs, Mapping):
        return None
    whole = {k: v for k, v in inputs.items() if isinstance(v, Tensor)}
    if isinstance(size, int):
        whole = {
            k: v if v.is_floating_point() or "mask" in k else v % size for k, v in whole.items()
        }
    return whole
