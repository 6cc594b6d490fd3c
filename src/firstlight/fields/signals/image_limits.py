"""How large an image may be, and what reading a damaged one can raise."""

import struct
import zlib

from firstlight.errors import FirstlightError

#: Pixels of the largest image that is read: a small file can claim any number of them.
MOST_PIXELS = 2**27
#: What Pillow and tifffile raise for files that are not what they claim to be.
FAILURES = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)


def too_large(what: str) -> FirstlightError:
    """The error for an image of too many pixels."""
    return FirstlightError(
        f"cannot read {what}: it claims more than 2^27 pixels, which a damaged or hostile file "
        "can do; crop it or make it smaller first"
    )


def check_size(size: tuple[int, int], what: object) -> None:
    """Raise ``FirstlightError`` for a width and height of too many pixels."""
    if size[0] * size[1] > MOST_PIXELS:
        raise too_large(f"{what} as an image")
