"""The draws that several families share: torch's own default, and biases."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from firstlight.fields.networks.stack import Stack
from firstlight.init import Stream, variance_scaling_


def fill_as_torch(
    weight: Tensor, alpha: float, distribution: str, seed: int, name: str, *, fan: int | None = None
) -> None:
    """Fill a weight with alpha U(-1/sqrt(n), 1/sqrt(n)), or its normal twin, n = inputs or ``fan``.

    That is what a new ``torch.nn.Linear`` holds.
    """
    ratio = 1.0 if fan is None else weight[0].numel() / fan
    variance_scaling_(
        weight.detach(),
        gain=alpha * math.sqrt(ratio / 3),
        distribution=distribution,
        generator=Stream.named(seed, name),
    )


def fill_bias(bias: Tensor, bound: float, seed: int, name: str) -> None:
    """Fill a bias with U(-bound, bound), whatever the draws of the weights; 0 for bound 0."""
    if bound == 0:
        nn.init.zeros_(bias)
        return
    fill_vector(bias, bound / math.sqrt(3), "uniform", seed, name)


def fill_vector(vector: Tensor, std: float, distribution: str, seed: int, name: str) -> None:
    """Fill a vector with draws of this standard deviation."""
    column = vector.detach().unsqueeze(-1)  # one input, so the variance is gain^2
    stream = Stream.named(seed, name)
    variance_scaling_(column, gain=std, distribution=distribution, generator=stream)


def fill_stack_as_torch(
    stack: Stack, alphas: Sequence[float], distribution: str, seed: int, prefix: str = ""
) -> None:
    """Fill a stack as torch does, every weight but the last times its alpha."""
    for number, (layer, alpha) in enumerate(zip(stack.layers, [*alphas, 1.0], strict=True)):
        name = f"{prefix}layers.{number}"
        fill_as_torch(layer.weight, alpha, distribution, seed, f"{name}.weight")
        fill_bias(layer.bias, 1 / math.sqrt(layer.in_features), seed, f"{name}.bias")
