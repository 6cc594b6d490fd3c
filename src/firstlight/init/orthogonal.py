"""Random orthogonal matrices (arXiv 1312.6120)."""

import torch
from torch import Tensor, nn

from firstlight.init._tensor import Gain, gain_value, part_of
from firstlight.init.block import Block
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness, Stream


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
    work, in float32 or float64, so that half precision works too. It needs the whole matrix: a
    block costs as much time and working memory as the whole, on every rank. ``harmonic_`` is the
    orthogonal alternative in closed form, whose blocks cost what they hold.

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
    if isinstance(generator, Stream):
        generator = generator.generator()
    dtype = torch.float64 if like.dtype == torch.float64 else torch.float32
    device = generator.device if generator else "cpu"
    matrix = torch.empty(shape, dtype=dtype, device=device)
    if matrix.numel():  # QR of nothing is an error
        nn.init.orthogonal_(matrix, gain=gain, generator=generator)
    return matrix
