"""The patches of an image that a convolution's kernel sees, in any number of dimensions."""

from collections.abc import Sequence
from itertools import chain

from torch import Tensor
from torch.nn import functional


def windows(
    x: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int = 1,
    positions: Sequence[int] | None = None,
) -> Tensor:
    """Return what the kernel sees at every position.

    Args:
        x: (samples, channels, *sizes).
        kernel: its sizes.
        stride: of each size.
        padding: zeros before and behind, for each size.
        dilation: of each size.
        groups: of channels.
        positions: how many are wanted of each size; None means all.

    Returns:
        (samples, groups, positions, channels of a group times kernel).

    Example:
        >>> import torch
        >>> x = torch.arange(4.0).reshape(1, 1, 4)
        >>> windows(x, (2,), (1,), ((0, 0),), (2,)).tolist()
        [[[[0.0, 2.0], [1.0, 3.0]]]]
    """
    x = functional.pad(x, list(chain.from_iterable(reversed(padding))))
    axes = len(kernel)
    for axis, (size, step, gap) in enumerate(zip(kernel, stride, dilation, strict=True), start=2):
        x = x.unfold(axis, gap * (size - 1) + 1, step)[..., ::gap]
    for axis, wanted in enumerate(positions or (), start=2):
        x = x.narrow(axis, 0, wanted)
    x = x.unflatten(1, (groups, -1)).flatten(3 + axes).flatten(3, 2 + axes)
    return x.permute(0, 1, 3, 2, 4).flatten(3)


def both_sides(
    padding: int | str | Sequence[int], kernel: Sequence[int], dilation: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Return the zeros before and behind each size; "same" puts an odd one behind.

    Example:
        >>> both_sides("same", (3, 2), (1, 1))
        ((1, 1), (0, 1))
    """
    if padding == "same":
        totals = [gap * (size - 1) for size, gap in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str):
        return ((0, 0),) * len(kernel)
    return tuple((pad, pad) for pad in per_axis(padding, len(kernel)))


def per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """Return a number for each axis.

    Example:
        >>> per_axis(2, 3), per_axis((2,), 2), per_axis((1, 2), 2)
        ((2, 2, 2), (2, 2), (1, 2))
    """
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * axes if len(values) == 1 else values
