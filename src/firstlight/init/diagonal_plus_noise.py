"""Diagonal plus noise, for odd sigmoid activations in deep nets (arXiv 2509.23085)."""

import math

import torch
from torch import Tensor, nn

from firstlight import theory
from firstlight.init._draw import centre_tap, draw_rows
from firstlight.init._tensor import matrix_shape


def diagonal_plus_noise_(
    tensor: Tensor,
    *,
    depth: int,
    activation: theory.Activation,
    negative_rate: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill with the critical gain on the diagonal, and noise.

        W = D + Z,  D[i, j] = omega where i = j mod n, else 0,  Z[i, j] ~ N(0, sigma_z^2 / n)

    omega = ``theory.critical_gain(activation)`` and sigma_z = ``theory.noise_scale(depth, omega,
    negative_rate)``. With more outputs than inputs the diagonal repeats; with fewer, the last
    inputs pass through noise alone. A convolution has its diagonal at the kernel's centre and
    noise of variance sigma_z^2 / (n k). The noise counts inputs, as the paper does; the authors'
    code divides by the outputs, which differs in rectangular layers.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        depth: number of layers of the network, 1 or more.
        activation: name or callable; odd, with a slope above 0 at 0, like tanh.
        negative_rate: share of paths whose sign flips, in (0, 0.5); None takes
            ``theory.negative_rate(depth)``.
        generator: source of randomness; the values do not depend on device or stride.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, the activation is not odd, or the depth or rate
            is out of range.

    Example:
        >>> import torch
        >>> from firstlight.init import diagonal_plus_noise_
        >>> w = diagonal_plus_noise_(torch.empty(4, 4), depth=10**6, activation="tanh")
        >>> [round(x) for x in w.diagonal().tolist()]
        [1, 1, 1, 1]

    Reference: "Beyond Gaussian Initializations", arXiv 2509.23085.
    """
    _, fan_in = matrix_shape(tensor, "diagonal_plus_noise_")
    omega = theory.critical_gain(activation)
    std = theory.noise_scale(depth, omega, negative_rate) / math.sqrt(fan_in)

    def draw(block: Tensor, start: int) -> None:
        nn.init.normal_(block, std=std, generator=generator)
        row = torch.arange(len(block), device=block.device)
        matrix = centre_tap(block.view(len(block), *tensor.shape[1:]))
        matrix[row, (start + row) % tensor.shape[1]] += omega

    return draw_rows(tensor, draw, generator)
