"""How the gradients of norms' scales and shifts are made; see ``kernel_patches``.

Each rule takes the number of samples, the shape of y and the arguments of torch's function.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from firstlight.auditing.derivatives.kernel_patches import Found, elementwise, summed


def layer_norm(
    samples: int,
    _: torch.Size,
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Found:
    """Features lie in the last dimensions."""
    normal = functional.layer_norm(x, normalized_shape, None, None, eps)
    yield from _last(samples, normal, normalized_shape, weight, bias)


def rms_norm(
    samples: int,
    _: torch.Size,
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Found:
    """Features lie in the last dimensions."""
    normal = functional.rms_norm(x, normalized_shape, None, eps)
    yield from _last(samples, normal, normalized_shape, weight, None)


def group_norm(
    samples: int,
    _: torch.Size,
    x: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Found:
    """Channels lie in the second dimension."""
    normal = functional.group_norm(x, num_groups, None, None, eps)
    yield from _second(samples, normal, weight, bias)


def batch_norm(
    samples: int,
    _: torch.Size,
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Found:
    """Channels lie in the second dimension; batch statistics would tie the samples."""
    if not training:
        normal = functional.batch_norm(
            x, running_mean, running_var, None, None, False, momentum, eps
        )
        yield from _second(samples, normal, weight, bias)


def _last(
    samples: int, normal: Tensor, shape: Sequence[int], weight: Tensor | None, bias: Tensor | None
) -> Found:
    features = math.prod(shape)
    if normal.ndim > len(shape):
        arrange = lambda z: z.reshape(samples, -1, features).mT  # noqa: E731
        yield from _norm(normal, features, weight, bias, arrange)


def _second(samples: int, normal: Tensor, weight: Tensor | None, bias: Tensor | None) -> Found:
    channels = normal.shape[1]
    if len(normal) == samples:
        arrange = lambda z: z.reshape(samples, channels, -1)  # noqa: E731
        yield from _norm(normal, channels, weight, bias, arrange)


def _norm(
    normal: Tensor,
    features: int,
    weight: Tensor | None,
    bias: Tensor | None,
    arrange: Callable[[Tensor], Tensor],
) -> Found:
    yield weight, elementwise(normal, arrange)
    yield bias, summed(features, lambda d: arrange(d).sum(2))
