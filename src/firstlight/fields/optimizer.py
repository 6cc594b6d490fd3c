"""The optimiser of a fit, with a rate for each layer, and what it keeps between steps."""

import torch
from torch import Tensor, nn

from firstlight.fields.specification import FitSpec

#: What each optimiser keeps for a parameter; a step's number is one number, the rest its shape.
KEPT = {"adam": ("step", "exp_avg", "exp_avg_sq"), "sgd": ("momentum_buffer",)}


def weight_layers(network: nn.Module) -> list[list[nn.Parameter]]:
    """The trained parameters of each module that has any, in order: what a rate belongs to.

    Example:
        >>> len(weight_layers(nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1))))
        2
    """
    own = (
        [each for each in module.parameters(recurse=False) if each.requires_grad]
        for module in network.modules()
    )
    return [parameters for parameters in own if parameters]


def make_optimizer(network: nn.Module, spec: FitSpec) -> torch.optim.Optimizer:
    """Adam, or SGD with momentum 0.9; rates are as many as layers (``Network.check_rates``)."""
    layers = weight_layers(network)
    rates = (1.0,) * len(layers) if spec.layer_rates is None else spec.layer_rates
    groups = [
        {"params": parameters, "lr": spec.learning_rate * rate}
        for parameters, rate in zip(layers, rates, strict=True)
    ]
    if spec.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=0.9)
    plain = not any(each.is_complex() for each in network.parameters())
    return torch.optim.Adam(groups, fused=plain)


def kept_shapes(
    optimizer: str, numbers: dict[int, Tensor]
) -> dict[str, tuple[torch.Size, torch.dtype]]:
    """Shape and type of what an optimiser keeps, by "parameter.name"."""
    return {
        f"{number}.{name}": (torch.Size() if name == "step" else each.shape, torch.float32)
        for number, each in numbers.items()
        for name in KEPT[optimizer]
    }
