"""Looks-linear initialization: a rectifier network that starts as a linear one (1702.08591)."""

import torch
from torch import Tensor

from firstlight.errors import OptionError, check_choice
from firstlight.init._tensor import Gain, gain_value, part_of
from firstlight.init.block import Block
from firstlight.init.orthogonal import orthonormal
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness

#: How many mirrored halves the (outputs, inputs) of a layer have, by its position.
POSITIONS = {"hidden": (2, 2), "first": (2, 1), "last": (1, 2)}


@blockwise
def looks_linear_(
    tensor: Tensor,
    *,
    gain: Gain = 1.0,
    position: str = "hidden",
    generator: Randomness = None,
    block: Block | None = None,
) -> Tensor:
    """Fill with mirrored blocks of one orthogonal matrix W.

        first: [W; -W]    hidden: [[W, -W], [-W, W]]    last: [W, -W]

    As relu(x) - relu(-x) = x, a ReLU network filled so computes a product of orthogonal matrices
    at the start. The halves are taken over channels (dimensions 0 and 1). A block needs the whole,
    as with ``orthogonal_``.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        gain: a number above 0, or an activation for ``theory.gain``; 1 keeps the norm in a ReLU
            network, whatever that network's usual gain.
        position: "first", "hidden" or "last" layer of the network.
        generator: source of randomness, a torch generator or a ``Stream``.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, the position is unknown, or a side that is
            mirrored has odd length.

    Example:
        >>> import torch
        >>> from firstlight.init import looks_linear_
        >>> first = looks_linear_(torch.empty(8, 4), position="first")
        >>> last = looks_linear_(torch.empty(4, 8), position="last")
        >>> x = torch.randn(4)
        >>> torch.allclose((last @ (first @ x).relu()).norm(), x.norm(), atol=1e-5)
        True

    Reference: Balduzzi et al., arXiv 1702.08591.
    """
    part = part_of(tensor, "looks_linear_", block)
    check_choice(position, POSITIONS, "position")
    scale = gain_value(gain)
    check_halves(part, position=position)
    down, across = POSITIONS[position]
    shape = (part.shape[0] // down, part.shape[1] // across, *part.shape[2:])
    one = orthonormal(tensor, shape, scale, generator)
    rows = [
        torch.cat([-one if (i + j) % 2 else one for j in range(across)], 1) for i in range(down)
    ]
    with torch.no_grad():
        return tensor.copy_(part.take(torch.cat(rows)))


def check_halves(tensor: Tensor | Block, *, position: str = "hidden", **_: object) -> None:
    """Raise ``OptionError`` where a side that this position mirrors has odd length."""
    for side, parts, size in zip(
        ("outputs", "inputs"), POSITIONS[position], tensor.shape, strict=False
    ):
        if size % parts:
            raise OptionError(
                f'looks_linear_ mirrors the {side} of a "{position}" layer, so their number must '
                f"be even, got {size}"
            )
