"""From which depth does a plain network, without norms or skips, need a start of its own?

Networks for `firstlight compare --model plain:tanh_4,plain:tanh_10,...`, run with
PYTHONPATH=experiments. The name says the activation and the number of weight layers, which are 64
units wide, or 16 where it says narrow.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from torch import nn


def network(
    in_channels: int,
    image_size: tuple[int, int],
    classes: int,
    *,
    activation: Callable[[], nn.Module],
    depth: int,
    width: int = 64,
) -> nn.Module:
    """``depth`` linear layers with the activation between them."""
    inputs = in_channels * image_size[0] * image_size[1]
    sizes = [inputs, *[width] * (depth - 1), classes]
    layers: list[nn.Module] = [nn.Flatten()]
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), activation()]
    return nn.Sequential(*layers[:-1])


tanh_4 = partial(network, activation=nn.Tanh, depth=4)
tanh_10 = partial(network, activation=nn.Tanh, depth=10)
tanh_30 = partial(network, activation=nn.Tanh, depth=30)
tanh_100 = partial(network, activation=nn.Tanh, depth=100)
narrow_tanh_30 = partial(network, activation=nn.Tanh, depth=30, width=16)
narrow_tanh_100 = partial(network, activation=nn.Tanh, depth=100, width=16)
relu_4 = partial(network, activation=nn.ReLU, depth=4)
relu_10 = partial(network, activation=nn.ReLU, depth=10)
relu_30 = partial(network, activation=nn.ReLU, depth=30)
gelu_4 = partial(network, activation=nn.GELU, depth=4)
gelu_10 = partial(network, activation=nn.GELU, depth=10)
