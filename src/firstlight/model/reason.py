"""What went wrong, in one line that can be stored, shown and searched."""

import traceback
from pathlib import Path


def reason(error: BaseException) -> str:
    """Return the kind of ``error``, the first line of its message, and where it was raised.

    Example:
        >>> from firstlight.model.reason import reason
        >>> reason(RuntimeError("out of memory"))
        'RuntimeError: out of memory'
    """
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    if frames and not frames[-1].filename.startswith("<"):  # <frozen importlib> says nothing
        text += f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})"
    # a message may hold half a character, which no file in UTF-8 can
    return text.encode("utf-8", "backslashreplace").decode()
