"""Random orthogonal matrices (arXiv 1312.6120)."""

import torch
from torch import Tensor, nn

from firstlight.init._draw import working_tensor
from firstlight.init._tensor import Gain, gain_value, matrix_shape


def orthogonal_(
    tensor: Tensor, *, gain: Gain = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill with gain times a random matrix whose rows (or columns, if fewer) are orthonormal.

    The tensor is flattened to (out, in * prod(kernel)). ``torch.nn.init.orthogonal_`` does the
    work, in float32 or float64, so that half precision works too; it needs the whole matrix.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        gain: a number above 0, or an activation (name or callable) for ``theory.gain``.
        generator: source of randomness; the values do not depend on stride.

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
    shape = matrix_shape(tensor, "orthogonal_")
    scale = gain_value(gain)
    matrix = working_tensor(tensor, shape, generator)
    if matrix.numel():  # QR of nothing is an error
        nn.init.orthogonal_(matrix, gain=scale, generator=generator)
    with torch.no_grad():
        return tensor.copy_(matrix.view(tensor.shape))
