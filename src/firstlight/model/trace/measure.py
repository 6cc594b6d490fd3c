"""What the inputs of a model's activations are like on a batch."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.model.slots import slots
from firstlight.model.trace import names_and_tensors
from firstlight.model.trace.activation import activations
from firstlight.model.trace.recorded import record_real


@dataclass(frozen=True)
class Measured:
    """The input of one activation.

    Attributes:
        path: the module in which the activation stands.
        activation: its name.
        second_moment: E[z^2] over units, positions and samples.
    """

    path: str
    activation: str
    second_moment: float


def measure(model: nn.Module, example: Any) -> tuple[Measured, ...]:
    """Run ``model`` once, leaving it as it was, and measure the input of every activation.

    Example:
        >>> net = nn.Sequential(nn.Identity(), nn.ReLU())
        >>> measure(net, torch.tensor([3.0, -1.0]))
        (Measured(path='1', activation='relu', second_moment=5.0),)
    """
    seconds: dict[int, float] = {}

    def observe(index: int, value: Tensor) -> None:
        if value.is_floating_point() and index not in seconds:
            seconds[index] = float(value.detach().float().square().mean())

    stored, tensors = names_and_tensors(slots(model))
    with torch.no_grad():
        graph = record_real(model, example, stored, observe)
    sites = activations(graph, tensors)
    return tuple(
        Measured(site.path, site.name, seconds[site.root])
        for _, site in sorted(sites.items())
        if site.root in seconds
    )
