"""What a function can be called with."""

import inspect
from collections.abc import Callable
from typing import Any


def accepts(function: Callable[..., Any], *arguments: Any, **options: Any) -> bool:
    """Return whether a function can be called so; a builtin that does not tell, can.

    Example:
        >>> from firstlight.model.signature import accepts
        >>> accepts(lambda x: x, 1), accepts(lambda x: x, 1, 2)
        (True, False)
    """
    try:
        inspect.signature(function).bind(*arguments, **options)
    except TypeError:
        return False
    except ValueError:
        return True
    return True
