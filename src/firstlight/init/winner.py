"""WINNER: SIREN's first two layers with noise that fits the signal (arXiv 2509.09719)."""

import math

from torch import Tensor

from firstlight.errors import not_negative
from firstlight.init._draw import draw
from firstlight.init._sine_law import sine_law
from firstlight.init._tensor import part_of
from firstlight.init.block import Block
from firstlight.init.distributions import Noisy
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness


@blockwise
def winner_(
    tensor: Tensor,
    *,
    noise: float,
    first: bool = False,
    omega: float = 30.0,
    alpha: float = 1.0,
    distribution: str = "uniform",
    generator: Randomness = None,
    block: Block | None = None,
) -> Tensor:
    """Fill as ``siren_`` does, and add Gaussian noise.

        W = siren + N(0, (noise / omega)^2)

    For the first two layers; the others are ``siren_``'s. The noise scales come from the signal:
    ``firstlight.theory.winner_noise``.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        noise: s_0 in the first layer, s_1 in the second, 0 or more.
        first: whether the layer reads the coordinates.
        omega: frequency factor of the sine, above 0.
        alpha: weight scale of SIREN's part, above 0; 1 is as published.
        distribution: of SIREN's part: "uniform", as published, or "normal" of the same variance.
        generator: source of randomness, a torch generator or a ``Stream``.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, or an option is not one of those above.

    Example:
        >>> import torch
        >>> from firstlight.init import winner_
        >>> w = winner_(torch.empty(512, 1), noise=60.0, first=True)
        >>> 1.8 < float(w.std()) < 2.4
        True

    Reference: arXiv 2509.09719.
    """
    part = part_of(tensor, "winner_", block)
    law = sine_law(part.inputs, math.sqrt(6), first, omega, alpha, distribution)
    noise = not_negative(noise, "noise")
    return draw(tensor, part, Noisy(law.scale, law, noise / omega), generator)
