"""The paper's image networks, also for small grey pictures: the quick presets train on digits."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from firstlight.comparison import models

#: Side to which smaller pictures are brought: below it these networks have no pixel left.
_SIDE = 32


#: Of torchvision.
NAMES = ("resnet50", "mobilenet_v3_small", "efficientnet_v2_s", "vit_b_16")


class Enlarged(nn.Module):
    """A network for 3 x 32 x 32 pictures that takes smaller or grey ones.

    Example:
        >>> import torch
        >>> Enlarged(nn.Flatten())(torch.ones(2, 1, 8, 8)).shape
        torch.Size([2, 3072])
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Repeat the channel and the pixels, then ask the network."""
        return self.network(interpolate(images, size=(_SIDE, _SIDE)).expand(-1, 3, -1, -1))


def __getattr__(name: str) -> Callable[..., nn.Module]:
    """Return a factory of torchvision's network of that name."""
    if name not in NAMES:
        raise AttributeError(name)
    return lambda channels, size, classes: build(name, channels, size, classes)


#: How fast running statistics follow. torchvision's MobileNetV3 has 0.01: after 160 steps its
#: networks in evaluation mode were at chance (10.0 %) whatever they had learnt.
_MOMENTUM = 0.1


def build(name: str, channels: int, size: tuple[int, int], classes: int) -> Any:
    """Build one of torchvision's networks for pictures of any size and one or three channels.

    Batch norms follow their batches as torch's do, MobileNetV3's too, so that a short training
    can be judged.

    Example:
        >>> type(build("mobilenet_v3_small", 1, (8, 8), 10)).__name__
        'Enlarged'
    """
    make = models.factory(f"torchvision:{name}")
    network = make(3, size if channels == 3 else (_SIDE, _SIDE), classes)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = _MOMENTUM
    # channels beside each other in memory: depthwise convolutions take half the time on a CPU
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network if channels == 3 else Enlarged(network)
