"""Diagonal plus noise, for odd sigmoid activations in deep nets (arXiv 2509.23085)."""

import math

import numpy as np
from torch import Tensor

from firstlight import theory
from firstlight.init._draw import Add, draw
from firstlight.init._odd_sigmoid import omega_and_sigma
from firstlight.init._tensor import centre_index, part_of
from firstlight.init.block import Block
from firstlight.init.distributions import Array, Normal
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness


@blockwise
def diagonal_plus_noise_(
    tensor: Tensor,
    *,
    depth: int | None = None,
    activation: theory.Activation,
    negative_rate: float | None = None,
    sigma: float | None = None,
    generator: Randomness = None,
    block: Block | None = None,
) -> Tensor:
    """Fill with the critical gain on the diagonal, and noise.

        W = D + Z,  D[i, j] = omega where i = j mod n, else 0,  Z[i, j] ~ N(0, sigma_z^2 / n)

    omega = 1 / f'(0), the critical gain, and sigma_z = ``theory.noise_scale(depth, omega,
    negative_rate)``. With more outputs than inputs the diagonal repeats; with fewer, the last
    inputs pass through noise alone. A convolution has its diagonal at the kernel's centre and
    noise of variance sigma_z^2 / (n k). The noise counts inputs, as the paper does; the authors'
    code divides by the outputs, which differs in rectangular layers.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        depth: number of layers of the network, 1 or more; not looked at where sigma is given.
        activation: name or callable, an odd sigmoid like tanh: see ``theory.check_odd_sigmoid``.
        negative_rate: share of paths whose sign flips, in (0, 0.5); None takes
            ``theory.negative_rate(depth)``.
        sigma: sigma_z itself, 0 or more, in place of the rate and the depth.
        generator: source of randomness, a torch generator or a ``Stream``; the values depend
            on no device, stride or block.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, the activation is no odd sigmoid, a number is out
            of range, or sigma and a rate are both given.

    Example:
        >>> import torch
        >>> from firstlight.init import diagonal_plus_noise_
        >>> w = diagonal_plus_noise_(torch.empty(4, 4), depth=10**6, activation="tanh")
        >>> [round(x) for x in w.diagonal().tolist()]
        [1, 1, 1, 1]

    Reference: "Beyond Gaussian Initializations", arXiv 2509.23085.
    """
    part = part_of(tensor, "diagonal_plus_noise_", block)
    omega, sigma = omega_and_sigma(activation, depth, negative_rate, sigma)
    law = Normal(sigma / math.sqrt(part.inputs))
    return draw(tensor, part, law, generator, on_diagonal(part, omega))


def on_diagonal(part: Block, omega: float) -> Add:
    """Return what adds D: omega where i = j mod n, at the centre of a kernel."""
    channels, taps = part.shape[1], math.prod(part.shape[2:])
    centre = centre_index(part.shape[2:])

    def add(values: Array, rows: range, columns: range) -> None:
        on = np.arange(rows.start, rows.stop, rows.step) % channels * taps + centre
        here = (on >= columns.start) & (on < columns.stop)
        values[here, on[here] - columns.start] += omega

    return add
