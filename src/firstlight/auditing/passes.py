"""The passes of an audit: a trace without arithmetic, one forward, one backward."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.auditing.measures import GradientMeasures
from firstlight.auditing.objective import Objective, Value, evaluate, logits
from firstlight.auditing.probe import Probe, Seen, norm
from firstlight.auditing.sites import Site, sites
from firstlight.errors import FirstlightError
from firstlight.model.names import plain_name
from firstlight.model.reason import reason
from firstlight.model.slots import Slot
from firstlight.model.trace import Trace, names_and_tensors, trace
from firstlight.model.trace.activation import activations
from firstlight.model.trace.graph import substitute
from firstlight.model.trace.recorded import run
from firstlight.model.trace.recorder import plain


@dataclass(frozen=True, eq=False)
class Passes:
    """What the passes showed.

    Attributes:
        trace: the network's graph and facts.
        sites: its activations.
        seen: what was measured at them.
        gradients: of every parameter that trains.
        output: what the network's result is about, detached; None if it holds no real tensor.
        value: the loss.
    """

    trace: Trace
    sites: list[Site]
    seen: Seen
    gradients: tuple[GradientMeasures, ...]
    output: Tensor | None
    value: Value


def passes(model: nn.Module, task: Objective, found: list[Slot]) -> Passes:
    """Run ``model`` forward and backward; whoever calls sees to it that no trace is left.

    Raises:
        FirstlightError: the model or the loss cannot be run on the batch.
    """
    known, looked, seen, result = _forward(model, task, found)
    value = evaluate(task, result)
    output = logits(result)
    gradients = _backward(model, value)
    return Passes(
        known, looked, seen, gradients, None if output is None else output.detach(), value
    )


def _forward(
    model: nn.Module, task: Objective, found: list[Slot]
) -> tuple[Trace, list[Site], Seen, Any]:
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        raise FirstlightError("TorchScript cannot be looked into; audit what it was made from")
    names, tensors = names_and_tensors(found)
    known = trace(model, task.inputs, found)
    if known.graph is None or known.failed:
        raise FirstlightError(f"the model cannot be run on the batch: {known.failed}{_hint(task)}")
    looked = sites(known.graph, known.activations)
    for _ in range(2):
        probe = Probe(names, looked)
        try:
            result = run(probe, model, _copied(task.inputs))
        except Exception as error:  # the user's own forward
            if probe.failure is not None:
                raise
            raise FirstlightError(
                f"the model cannot be run on the batch: {reason(error)}"
            ) from error
        planned, seen = [[node.op for node in g.nodes] for g in (known.graph, probe.graph)]
        if planned == seen:
            break
        # the way depends on values, and what was traced is not what ran: look where it went
        looked = sites(probe.graph, activations(probe.graph, tensors))
        known = replace(known, graph=probe.graph)
    return known, looked, probe.seen, result


def _copied(inputs: Any) -> Any:
    """Return the batch in memory of its own: a model may work on its input in place."""
    return substitute(plain(inputs), lambda x: x.clone() if isinstance(x, Tensor) else x)


def _hint(task: Objective) -> str:
    pair = task.targets is None and isinstance(task.inputs, (tuple, list)) and len(task.inputs) == 2
    return "; if the batch is (inputs, targets), name the loss" if pair else ""


def _backward(model: nn.Module, value: Value) -> tuple[GradientMeasures, ...]:
    """Differentiate; the gradients are measured and dropped, ``.grad`` stays as it was."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    found: tuple[Tensor | None, ...] = (None,) * len(named)
    if named and value.loss is not None and value.loss.requires_grad:
        wanted = [parameter for _, parameter in named]
        found = torch.autograd.grad(value.loss, wanted, allow_unused=True)
    return tuple(
        GradientMeasures(
            plain_name(name),
            None if gradient is None else norm(gradient),
            norm(parameter),
            gradient is None or bool(gradient.isfinite().all()),
        )
        for (name, parameter), gradient in zip(named, found, strict=True)
    )
