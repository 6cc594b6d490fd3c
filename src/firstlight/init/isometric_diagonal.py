"""Diagonal plus noise made an isometry, which hears all of its inputs where it narrows (ours)."""

import math

import torch
from torch import Tensor

from firstlight import theory
from firstlight.errors import check_choice
from firstlight.init._draw import draw
from firstlight.init._odd_sigmoid import omega_and_sigma
from firstlight.init._tensor import centre_index, part_of
from firstlight.init.block import Block
from firstlight.init.distributions import Normal
from firstlight.init.orthogonal import orthonormal, orthonormal_columns
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness, Stream

POSITIONS = ("first", "hidden", "last")


@blockwise
def isometric_diagonal_(
    tensor: Tensor,
    *,
    depth: int | None = None,
    activation: theory.Activation,
    negative_rate: float | None = None,
    sigma: float | None = None,
    position: str = "hidden",
    generator: Randomness = None,
    block: Block | None = None,
) -> Tensor:
    """Fill with the orthogonal factor of a diagonal plus noise, as large as that is.

        W = sqrt(omega^2 + sigma_z^2) s Q,  Q R = B + Z (its transpose, if m <= n), R[i, i] > 0,
        Z[i, j] ~ N(0, (sigma_z / omega)^2 / max(m, n))

    for m outputs and n inputs (times taps, in a convolution). Size and distance to the diagonal are
    those of ``diagonal_plus_noise_``; here no direction grows or shrinks against another, which a
    thousand narrow layers of independent noise let happen. B has a 1 where i = j mod min(m, n),
    divided by the length of its row or column:

    - m = n: the identity, s = 1.
    - m > n: the diagonal repeats; s = sqrt(k) for the k copies of an input, each as large as it.
    - m < n: row i is the mean of the k inputs j = i mod m, s = 1 / sqrt(k), which is exact on the
      copies that a layer before made by widening.
    - m < n in the first or last layer: Q uniform and s = 1, as no inputs are copies there: rows at
      random keep the root mean square of independent inputs.

    Without sigma or a rate, the noise is ``theory.noise_scale(depth, omega)``, or more where that
    would leave less than 0.04 of the first layer's spread: ``theory.noise_for_spread``. It needs
    the whole matrix: a block costs as much time and memory as the whole, as with ``orthogonal_``.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        depth: number of layers of the network, 1 or more; not looked at where sigma is given.
        activation: name or callable, an odd sigmoid like tanh: see ``theory.check_odd_sigmoid``.
        negative_rate: share of paths whose sign flips, in (0, 0.5).
        sigma: sigma_z itself, 0 or more, in place of the rate and the depth.
        position: "first", "hidden" or "last" layer of the network.
        generator: source of randomness, a torch generator or a ``Stream``; the values depend
            on no device, stride or block.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, the activation is no odd sigmoid, the position is
            unknown, a number is out of range, or sigma and a rate are both given.

    Example:
        >>> import torch
        >>> from firstlight.init import isometric_diagonal_
        >>> w = isometric_diagonal_(torch.empty(16, 16), depth=50, activation="tanh")
        >>> torch.allclose(w @ w.T, (1 + 0.258**2) * torch.eye(16), atol=1e-3)
        True
        >>> 10 < float(w.trace()) < 16.6
        True
    """
    part = part_of(tensor, "isometric_diagonal_", block)
    check_choice(position, POSITIONS, "position")
    omega, sigma = omega_and_sigma(activation, depth, negative_rate, sigma, spread=True)
    gain = math.hypot(omega, sigma)
    stream = Stream.of(generator)
    m, n = part.shape[0], part.inputs
    if position != "hidden" and m < n:
        whole = orthonormal(tensor, (m, n), gain, stream)
    else:
        whole = _near_diagonal(tensor, part, sigma / omega, stream).mul_(gain)
    with torch.no_grad():
        return tensor.copy_(part.take(whole.view(part.shape)))


def _near_diagonal(like: Tensor, part: Block, noise: float, stream: Stream) -> Tensor:
    """Return s Q: (m, n), float64 for float64, else float32."""
    m, n, channels = part.shape[0], part.inputs, part.shape[1]
    dtype = torch.float64 if like.dtype == torch.float64 else torch.float32
    whole = torch.empty(m, n, dtype=dtype, device="cpu")
    if not whole.numel():
        return whole
    draw(whole, Block.whole((m, n)), Normal(noise / math.sqrt(max(m, n))), stream)
    folded = _folded(m, channels).to(dtype)
    lengths = folded.square().sum(1 if m <= n else 0, keepdim=True).sqrt()
    taps = n // channels
    whole.view(m, channels, taps)[:, :, centre_index(part.shape[2:])] += folded / lengths
    scale = 1 / lengths if m <= n else (lengths / math.sqrt(taps)).repeat_interleave(taps, 1)
    columns = orthonormal_columns(whole.T if m <= n else whole)
    return (columns.T if m <= n else columns) * scale


def _folded(m: int, channels: int) -> Tensor:
    """Return 1 where i = j mod min(m, channels): (m, channels)."""
    i, j = torch.arange(m, device="cpu")[:, None], torch.arange(channels, device="cpu")
    fewer = min(m, channels)
    return (i % fewer == j % fewer).double()
