"""A multilayer perceptron with ReLU."""

import itertools

from torch import nn


def mlp(
    in_channels: int, image_size: tuple[int, int], classes: int, *, width: int = 256, depth: int = 3
) -> nn.Sequential:
    """Flatten the image, then ``depth`` hidden ReLU layers of ``width``, then the classes.

    Args:
        in_channels: channels of an image.
        image_size: (height, width) of an image in pixels.
        classes: number of outputs.
        width: units of a hidden layer.
        depth: number of hidden layers.

    Example:
        >>> [tuple(p.shape) for p in mlp(1, (8, 8), 10).parameters() if p.ndim == 2]
        [(256, 64), (256, 256), (256, 256), (10, 256)]
    """
    inputs = in_channels * image_size[0] * image_size[1]
    layers: list[nn.Module] = [nn.Flatten()]
    for fan_in, fan_out in itertools.pairwise([inputs, *[width] * depth]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, classes))
