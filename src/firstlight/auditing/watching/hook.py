"""A forward hook that stays with one model: copies and files of the model do without it."""

from collections.abc import Callable
from typing import Any

import torch


class Hook:
    """Calls a function, unless the call is being compiled: then nothing of it is left."""

    def __init__(self, call: Callable[..., None]) -> None:
        self._call = call

    def __call__(self, *args: Any) -> None:
        """Call the function."""
        if not torch.compiler.is_compiling():
            self._call(*args)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Nothing":
        return Nothing()

    def __reduce__(self) -> tuple[type["Nothing"], tuple[()]]:
        return Nothing, ()


class Nothing:
    """What stands in a copy in place of the hook."""

    def __call__(self, *_: Any) -> None:
        """Do nothing."""
