"""How samples keep an array's numbers: integers of 8 and 16 bits as they are, others in float32."""

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import FirstlightError
from firstlight.fields.signals.samples import Span

#: Types whose whole range becomes [-1, 1]; of the others it is the least to the largest value.
RANGES = {
    "bool": Span(0, 1),
    "uint8": Span(0, 255),
    "int8": Span(-128, 127),
    "uint16": Span(0, 65535),
    "int16": Span(-32768, 32767),
}
#: Numbers that are float64 at once.
_AT_ONCE = 2**20


def stored(array: np.ndarray) -> tuple[Tensor, Span, Span]:
    """An array's numbers as a new tensor, the tensor's span, and the span of the numbers.

    Raises:
        FirstlightError: some are not finite, or too large to be told apart in float64.

    Example:
        >>> stored(np.array([0, 65535], dtype=np.uint16))
        (tensor([-32768,  32767], dtype=torch.int16), Span(low=-32768, high=32767), \
Span(low=0, high=65535))
    """
    name = array.dtype.name
    if name not in RANGES:
        values, between = stretched(array)
        return torch.from_numpy(values), Span(-1, 1), between
    native = array.astype(array.dtype.newbyteorder("="), order="C")
    span = RANGES[name]
    if name == "uint16":  # torch's uint16 lacks operators, and int32 would take twice the memory
        native ^= 0x8000
        return torch.from_numpy(native.view(np.int16)), RANGES["int16"], span
    return torch.from_numpy(native.view(np.uint8) if name == "bool" else native), span, span


def stretched(values: np.ndarray) -> tuple[np.ndarray, Span]:
    """Numbers of any real type in [-1, 1], float32, and the span from their least to their most.

    Raises:
        FirstlightError: some are not finite, or too large to be told apart in float64.
    """
    finite = np.isfinite(values)
    if not finite.all():
        count = values.size - int(np.count_nonzero(finite))
        raise FirstlightError(
            f"{count} of {values.size} values are NaN or infinite; replace them, for example by "
            "numpy.nan_to_num"
        )
    span = Span(float(values.min()), float(values.max()))
    size, limit = max(-span.low, span.high), 1e300 if values.dtype.kind == "f" else 2**53
    if size > limit:
        raise FirstlightError(
            f"the largest value is {size:.3g}, and {limit:.3g} is the limit; scale them down"
        )
    result = np.empty(values.shape, np.float32)
    flat, into = values.reshape(-1), result.reshape(-1)
    for start in range(0, len(flat), _AT_ONCE):
        part = flat[start : start + _AT_ONCE].astype(np.float64)
        into[start : start + _AT_ONCE] = (part - span.middle) / span.half
    return result, span
