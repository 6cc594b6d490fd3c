"""VI3NR: weights by variance for any activation, as neural fields use them (arXiv 2504.19270)."""

import math

from torch import Tensor

from firstlight import theory
from firstlight.errors import check_choice, positive
from firstlight.init._draw import draw
from firstlight.init._tensor import part_of
from firstlight.init.block import Block
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness
from firstlight.init.variance_scaling import DISTRIBUTIONS
from firstlight.theory import Activation


@blockwise
def vi3nr_(
    tensor: Tensor,
    *,
    activation: Activation,
    scale: float | None = None,
    first: bool = False,
    input_square: float = 1 / 3,
    alpha: float = 1.0,
    distribution: str = "uniform",
    generator: Randomness = None,
    block: Block | None = None,
) -> Tensor:
    """Fill so that every layer's pre-activations are N(0, sigma_p^2).

        first layer:  variance alpha^2 sigma_p^2 / (n E[x^2])
        others:       variance alpha^2 sigma_p^2 / (n E[f(sigma_p z)^2]),  z ~ N(0, 1)

    n counts the inputs. Gradients hold as well where sigma_p is ``theory.balanced_scale``'s.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        activation: f, a name or an elementwise callable, factors of frequency included.
        scale: sigma_p, above 0; None takes the balanced one.
        first: whether the layer reads the coordinates.
        input_square: mean square of a coordinate; 1/3 where they are uniform on [-1, 1].
        alpha: weight scale, above 0; 1 is as published.
        distribution: "uniform", as published, "normal", "truncated_normal" or "arcsine".
        generator: source of randomness, a torch generator or a ``Stream``.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, or an option is not one of those above.

    Example:
        >>> import torch
        >>> from firstlight.init import vi3nr_
        >>> w = vi3nr_(torch.empty(512, 256), activation=torch.tanh, scale=1.0)
        >>> abs(float(w.var()) * 256 - 2.536) < 0.1
        True

    Reference: arXiv 2504.19270.
    """
    part = part_of(tensor, "vi3nr_", block)
    check_choice(distribution, DISTRIBUTIONS, "distribution")
    sigma = theory.balanced_scale(activation) if scale is None else positive(scale, "scale")
    gain = theory.balanced_gain(activation, sigma)
    if first:
        gain = sigma / math.sqrt(positive(input_square, "input_square"))
    std = positive(alpha, "alpha") * gain / math.sqrt(max(part.inputs, 1))
    return draw(tensor, part, DISTRIBUTIONS[distribution](std), generator)
