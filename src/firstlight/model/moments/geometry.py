"""What share of a convolution's inputs is data and not padding, over all output positions."""

from typing import Any

import torch
from torch import nn

from firstlight.model.kinds.convolution import CONVOLUTIONS, TRANSPOSED


def inside(module: Any, shape: tuple[int, ...] | None) -> tuple[float, float]:
    """Return the mean, and the mean square, of the share of a unit's inputs that is data.

    Args:
        module: any layer; all but convolutions have no padding.
        shape: of its input, (batch, channels, *positions); None where it is not known.

    Example:
        >>> round(inside(nn.Conv1d(1, 1, 3, padding=1), (1, 1, 3))[0] * 9, 9)
        7.0
    """
    if shape is None or not isinstance(module, (*CONVOLUTIONS, *TRANSPOSED)):
        return 1.0, 1.0
    if module.padding_mode != "zeros":
        return 1.0, 1.0
    axes = len(module.kernel_size)
    mean = square = 1.0
    for axis, length in enumerate(shape[-axes:]):
        share = _share(module, axis, length)
        mean *= float(share.mean())
        square *= float(share.square().mean())
    return mean, square


def _share(module: Any, axis: int, length: int) -> torch.Tensor:
    """Count, at each position of one axis, the inputs that there are, over those of its phase."""
    kernel, stride = module.kernel_size[axis], module.stride[axis]
    dilation = module.dilation[axis]
    ones = torch.ones(1, 1, length, dtype=torch.float64, device="cpu")
    taps = torch.ones(1, 1, kernel, dtype=torch.float64, device="cpu")
    if isinstance(module, CONVOLUTIONS):
        padding = module.padding if isinstance(module.padding, str) else module.padding[axis]
        count = nn.functional.conv1d(ones, taps, None, stride, padding, dilation)
        return count / kernel
    options = (stride, module.padding[axis], module.output_padding[axis], 1, dilation)
    count = nn.functional.conv_transpose1d(ones, taps, None, *options)
    full = nn.functional.conv_transpose1d(
        torch.ones(1, 1, length + 2 * kernel * dilation, dtype=torch.float64, device="cpu"),
        taps,
        None,
        stride,
        0,
        0,
        1,
        dilation,
    )
    edge = kernel * dilation * stride
    period = full[..., edge : edge + stride]
    shift = module.padding[axis]
    position = (torch.arange(count.shape[-1]) + shift) % stride
    return count / period[..., position].clamp(min=1)
