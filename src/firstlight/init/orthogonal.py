"""Random orthogonal matrices (arXiv 1312.6120)."""

import math

import torch
from torch import Tensor, nn

from firstlight.init._draw import draw
from firstlight.init._one_thread import in_one_thread
from firstlight.init._tensor import Gain, gain_value, part_of
from firstlight.init.block import Block
from firstlight.init.distributions import Normal
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness, Stream, check_randomness


@blockwise
def orthogonal_(
    tensor: Tensor,
    *,
    gain: Gain = 1.0,
    generator: Randomness = None,
    block: Block | None = None,
) -> Tensor:
    """Fill with gain times a random matrix whose rows (or columns, if fewer) are orthonormal.

    The tensor is flattened to (out, in * prod(kernel)). ``torch.nn.init.orthogonal_`` does the
    work, in float32 or float64, so that half precision works too. With a ``Stream`` its QR runs
    on the CPU in one thread, as its last digits depend on their number. It needs the whole matrix:
    a block costs as much time and working memory as the whole, on every rank. ``harmonic_`` is
    the orthogonal alternative in closed form, whose blocks cost what they hold.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        gain: a number above 0, or an activation (name or callable) for ``theory.gain``.
        generator: source of randomness, a torch generator or a ``Stream``.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, or the gain is not above 0.

    Example:
        >>> import torch
        >>> from firstlight.init import orthogonal_
        >>> w = orthogonal_(torch.empty(3, 8))
        >>> torch.allclose(w @ w.T, torch.eye(3), atol=1e-6)
        True

    Reference: Saxe et al., arXiv 1312.6120.
    """
    part = part_of(tensor, "orthogonal_", block)
    matrix = orthonormal(tensor, part.shape, gain_value(gain), generator)
    with torch.no_grad():
        return tensor.copy_(part.take(matrix))


def orthonormal(like: Tensor, shape: tuple[int, ...], gain: float, generator: Randomness) -> Tensor:
    """Return a whole orthonormal tensor, drawn where the generator lives.

    Float64 for float64, else float32.
    """
    check_randomness(generator)
    dtype = torch.float64 if like.dtype == torch.float64 else torch.float32
    if isinstance(generator, Stream):
        return _of_stream(shape, dtype, generator).mul_(gain)
    device = generator.device if generator else "cpu"
    matrix = torch.empty(shape, dtype=dtype, device=device)
    if matrix.numel():  # QR of nothing is an error
        nn.init.orthogonal_(matrix, gain=gain, generator=generator)
    return matrix


def _of_stream(shape: tuple[int, ...], dtype: torch.dtype, stream: Stream) -> Tensor:
    """Return what ``nn.init.orthogonal_`` makes of the stream's normal values."""
    flat = shape[0], math.prod(shape[1:])
    normal = torch.empty(flat, dtype=dtype, device="cpu")
    draw(normal, Block.whole(flat), Normal(1.0), stream)
    wide = flat[0] < flat[1]
    columns = orthonormal_columns(normal.T if wide else normal)
    return (columns.T if wide else columns).reshape(shape)


def orthonormal_columns(tall: Tensor) -> Tensor:
    """Return Q of the decomposition tall = Q R in which R's diagonal is positive.

    So Q depends on ``tall`` alone, and is uniform where that is normal.
    """
    q, r = in_one_thread(lambda: torch.linalg.qr(tall))
    return q * r.diagonal().sign()
