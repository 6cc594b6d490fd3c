"""How the gradients of linear layers, convolutions and embeddings are made; see ``kernel_patches``.

Each rule takes the number of samples, the shape of y and the arguments of torch's function.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from firstlight.auditing.derivatives import kernel_norms
from firstlight.auditing.derivatives.kernel_patches import (
    Found,
    Patches,
    by_groups,
    elementwise,
    summed,
)
from firstlight.auditing.derivatives.windows import both_sides, per_axis, windows


def linear(
    samples: int, y: torch.Size, x: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Found:
    """Every dimension but the last is a position."""
    if x.ndim < 2:
        return
    rows, width = x.reshape(samples, 1, -1, x.shape[-1]), y[-1]
    yield (
        weight,
        Patches(
            lambda block: rows[block],
            lambda d: d.reshape(samples, 1, -1, width),
            (1, rows.shape[2], rows.shape[3], width),
        ),
    )
    yield bias, summed(width, lambda d: d.reshape(samples, -1, width).sum(1))


def matrix_product(samples: int, y: torch.Size, x: Tensor, weight: Tensor) -> Found:
    """Weights (in, out), on the right."""
    if weight.ndim == 2:
        yield from linear(samples, y, x, weight)


def matrix_product_plus(
    samples: int, y: torch.Size, bias: Tensor, x: Tensor, weight: Tensor, **scales: Any
) -> Found:
    """Weights (in, out) and a bias, as in Hugging Face's Conv1D."""
    if not scales:
        yield from linear(samples, y, x, weight, bias)


def product(samples: int, y: torch.Size, first: Any, second: Any) -> Found:
    """A scale of each feature, as in norms of a model's own; features lie in the last dimension."""
    for scale, x in ((first, second), (second, first)):
        tensors = isinstance(scale, Tensor) and isinstance(x, Tensor)
        if tensors and x.shape == y and x.ndim > 1 and scale.shape == y[-1:]:
            yield scale, elementwise(x, lambda z: z.reshape(samples, -1, y[-1]).mT)


def embedding(
    samples: int,
    y: torch.Size,
    tokens: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    *_: Any,
    **__: Any,
) -> Found:
    """A linear layer on one-hot vectors over the tokens that occur."""
    if tokens.ndim == 0:
        return
    occurring, place = torch.unique(tokens, return_inverse=True)
    place, width = place.reshape(samples, 1, -1, 1), y[-1]
    hot = torch.arange(len(occurring), device=tokens.device)
    if padding_idx is not None:  # its row is not trained, so no token matches
        hot = torch.where(occurring == padding_idx % len(weight), -1, hot)
    yield (
        weight,
        Patches(
            lambda block: (place[block] == hot).to(weight.dtype),
            lambda d: d.reshape(samples, 1, -1, width),
            (1, place.shape[2], len(occurring), width),
        ),
    )


def convolution(
    samples: int,
    y: torch.Size,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Found:
    """The inputs at a position are what the kernel sees there."""
    if x.ndim != weight.ndim or len(x) != samples:
        return
    kernel, axes = weight.shape[2:], weight.ndim - 2
    gaps, steps = per_axis(dilation, axes), per_axis(stride, axes)
    sides = both_sides(padding, kernel, gaps)
    yield (
        weight,
        Patches(
            lambda block: windows(x[block], kernel, steps, sides, gaps, groups),
            lambda d: by_groups(d, groups),
            (groups, math.prod(y[2:]), math.prod(weight.shape[1:]), y[1] // groups),
        ),
    )
    yield bias, summed(y[1], lambda d: d.flatten(2).sum(2))


def transposed_convolution(
    samples: int,
    y: torch.Size,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,  # noqa: ARG001
    groups: int = 1,
    dilation: Any = 1,
) -> Found:
    """A convolution from y to x: the kernel sees the gradient."""
    if x.ndim != weight.ndim or len(x) != samples:
        return
    kernel, axes, places = weight.shape[2:], weight.ndim - 2, x.shape[2:]
    gaps, steps = per_axis(dilation, axes), per_axis(stride, axes)
    sides = both_sides(padding, kernel, gaps)
    yield (
        weight,
        Patches(
            lambda block: by_groups(x[block], groups),
            lambda d: windows(d, kernel, steps, sides, gaps, groups, places),
            (groups, math.prod(places), weight.shape[0] // groups, math.prod(weight.shape[1:])),
        ),
    )
    yield bias, summed(y[1], lambda d: d.flatten(2).sum(2))


#: By torch's function.
RULES: dict[Any, Callable[..., Found]] = {
    functional.linear: linear,
    torch.Tensor.matmul: matrix_product,
    torch.matmul: matrix_product,
    torch.addmm: matrix_product_plus,
    torch.Tensor.mul: product,
    torch.mul: product,
    functional.embedding: embedding,
    functional.conv1d: convolution,
    functional.conv2d: convolution,
    functional.conv3d: convolution,
    functional.conv_transpose1d: transposed_convolution,
    functional.conv_transpose2d: transposed_convolution,
    functional.conv_transpose3d: transposed_convolution,
    functional.layer_norm: kernel_norms.layer_norm,
    functional.rms_norm: kernel_norms.rms_norm,
    functional.group_norm: kernel_norms.group_norm,
    functional.batch_norm: kernel_norms.batch_norm,
}
