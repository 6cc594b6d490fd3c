"""How much of the squared gradient each weight layer has: which layers a first-order step moves."""

import math

from torch import nn

from firstlight.fields.objective import Objective


def gradient_shares(network: nn.Module, objective: Objective) -> tuple[tuple[str, float], ...]:
    """Squared gradient norm of each weight layer over that of all.

        share_l = |d loss / d W_l|^2 / sum_k |d loss / d W_k|^2

    A layer is what has trained numbers of its own, its biases included. The gradients that the
    parameters hold are put back.

    Args:
        network: as it is now.
        objective: of this network, over the samples that count.

    Returns:
        Name and share of each layer, in order; NaN where the gradients are not finite, 0 where all
        are 0.

    Example:
        >>> import torch
        >>> from firstlight.fields.signals.places import Lattice
        >>> from firstlight.fields.signals.samples import Samples, Span
        >>> samples = Samples(Lattice.cells((4,)), torch.ones(4, 1), Span(-1.0, 1.0))
        >>> network = nn.Sequential(nn.Linear(1, 2), nn.Linear(2, 1))
        >>> shares = gradient_shares(network, Objective(network, samples, chunk=4))
        >>> [name for name, _ in shares], round(sum(share for _, share in shares), 6)
        (['0', '1'], 1.0)
    """
    kept = {each: each.grad for each in network.parameters()}
    try:
        for each in kept:
            each.grad = None
        objective.full()
        norms = {name: _squared(layer) for name, layer in named_layers(network).items()}
    finally:
        for each, gradient in kept.items():
            each.grad = gradient
    total = sum(norms.values())
    if not math.isfinite(total):
        return tuple((name, math.nan) for name in norms)
    return tuple((name, norm / total if total else 0.0) for name, norm in norms.items())


def named_layers(network: nn.Module) -> dict[str, list[nn.Parameter]]:
    """The trained parameters of each module that has some of its own, by the module's name."""
    own = {
        name: [each for each in module.parameters(recurse=False) if each.requires_grad]
        for name, module in network.named_modules()
    }
    return {name or "network": parameters for name, parameters in own.items() if parameters}


def _squared(layer: list[nn.Parameter]) -> float:
    gradients = (each.grad for each in layer)
    return sum(float(each.double().square().sum()) for each in gradients if each is not None)
