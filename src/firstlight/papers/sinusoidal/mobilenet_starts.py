"""MobileNetV3-small with either activation, from either start: a sweep asks for them by name."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from firstlight.init import harmonic_depthwise_
from firstlight.init.variance_scaling import variance_scaling_
from firstlight.model import initialize
from firstlight.papers.sinusoidal.networks import build

ACTIVATIONS = ("hardswish", "relu")
#: What depthwise filters start as: published is the sinusoid, whose taps sum to zero, so that it
#: passes no mean; mean has a random filter's share of it; he is random.
FILTERS = ("published", "mean", "he")
STARTS = ("default", "orthogonal", *(f"sinusoidal-{name}" for name in FILTERS))


def factory(activation: str, start: str) -> Callable[..., nn.Module]:
    """Return what builds MobileNetV3-small with one activation, from one start."""
    return partial(_build, activation, start)


def __getattr__(name: str) -> Callable[..., nn.Module]:
    """Return the factory of a name as in ``relu__sinusoidal_he``; a sweep asks for it by name."""
    activation, _, start = name.partition("__")
    if activation not in ACTIVATIONS or start.replace("_", "-") not in STARTS:
        raise AttributeError(name)
    return factory(activation, start.replace("_", "-"))


def _build(
    activation: str, start: str, channels: int, size: tuple[int, int], classes: int
) -> nn.Module:
    network = build("mobilenet_v3_small", channels, size, classes)
    if activation == "relu":
        _replace_hardswish(network)
    scheme, _, filters = start.partition("-")
    if scheme != "default":
        initialize(network, scheme, seed=torch.initial_seed() % 2**31)
    if filters in ("mean", "he"):
        _fill_depthwise(network, filters)
    return network


def _replace_hardswish(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Hardswish):
            setattr(module, name, nn.ReLU(inplace=True))
        elif isinstance(child, nn.Dropout):
            child.inplace = False  # the gradient of ReLU needs its output
        else:
            _replace_hardswish(child)


@torch.no_grad()
def _fill_depthwise(network: nn.Module, filters: str) -> None:
    for layer, module in enumerate(network.modules()):
        if isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1:
            if filters == "mean":
                harmonic_depthwise_(module.weight, layer=layer)
            else:
                variance_scaling_(module.weight)
