"""A field's values on a lattice, part by part, so that only the finished array is held whole."""

import math
from collections.abc import Iterator

import numpy as np
import torch

from firstlight.errors import FirstlightError, OptionError, positive
from firstlight.fields.signals.places import Lattice
from firstlight.fields.signals.samples import Span
from firstlight.fields.signals.signal import Predict

#: Places that are computed at once.
_AT_ONCE = 2**18
#: The largest array, which also bounds what a forged checkpoint can ask for.
_MOST_BYTES = 2**32


def check_extent(shape: tuple[int, ...], outputs: int, dtype: np.dtype) -> None:
    """Raise ``OptionError`` unless an array of whole, positive sides stays within 4 GiB."""
    for side in (*shape, outputs):
        if isinstance(side, bool) or not isinstance(side, int) or side < 1:
            raise OptionError(f"sizes must be whole numbers of 1 or more, got {side!r}")
    size = math.prod(shape) * outputs * dtype.itemsize
    if size > _MOST_BYTES:
        sides = " x ".join(str(side) for side in (*shape, outputs))
        raise OptionError(
            f"an array of {sides} {dtype.name} is larger than {_MOST_BYTES >> 30} GiB; "
            "take a smaller size or scale"
        )


def target_shape(
    shape: tuple[int, ...], scale: float | None, size: tuple[int, ...] | None
) -> tuple[int, ...]:
    """The sides to render at: ``size``, or those of ``shape`` times ``scale``.

    Example:
        >>> target_shape((4, 6), 0.5, None), target_shape((4, 6), None, (7, 7))
        ((2, 3), (7, 7))
    """
    if size is None:
        factor = 1.0 if scale is None else positive(scale, "scale")
        return tuple(max(1, round(side * factor)) for side in shape)
    if scale is not None:
        raise OptionError("size and scale both say how large to render: give one of them")
    if not isinstance(size, tuple | list) or len(size) != len(shape):
        raise OptionError(f"size must be {len(shape)} whole numbers, got {size!r}")
    return tuple(size)


def slabs(shape: tuple[int, ...], most: int = _AT_ONCE) -> Iterator[tuple[slice, ...]]:
    """Boxes of at most ``most`` points that fill a lattice, in its order.

    Example:
        >>> [tuple((each.start, each.stop) for each in slab) for slab in slabs((2, 5), 4)]
        [((0, 1), (0, 4)), ((0, 1), (4, 5)), ((1, 2), (0, 4)), ((1, 2), (4, 5))]
    """
    if not shape:
        yield ()
        return
    rest = math.prod(shape[1:])
    step = max(1, most // rest)
    for start in range(0, shape[0], step):
        part = slice(start, min(start + step, shape[0]))
        for inner in slabs(shape[1:], most):
            yield (part, *inner)


def rendered(
    predict: Predict, shape: tuple[int, ...], outputs: int, span: Span, dtype: np.dtype
) -> np.ndarray:
    """Values of a field on ``Lattice.cells(shape)``, in its span: (*shape, outputs).

    Whole numbers are rounded, and held within the span or their type.

    Raises:
        OptionError: the array would be larger than 4 GiB.
        FirstlightError: the field is not finite somewhere.
    """
    check_extent(shape, outputs, dtype)
    lattice, result = Lattice.cells(shape), np.empty((*shape, outputs), dtype)
    for slab in slabs(shape):
        ticks = tuple(axis[part] for axis, part in zip(lattice.ticks, slab, strict=True))
        values = predict(Lattice(ticks)).double().mul_(span.half).add_(span.middle)
        if not torch.isfinite(values).all():
            raise FirstlightError(
                "the field has values that are not finite: its training diverged; fit it again "
                "with a smaller learning rate or alpha"
            )
        if dtype.kind in "iub":
            values.round_().clamp_(span.low, span.high)
        else:
            values.clamp_(float(np.finfo(dtype).min), float(np.finfo(dtype).max))
        result[slab] = values.numpy().reshape(*(len(axis) for axis in ticks), outputs)
    return result
