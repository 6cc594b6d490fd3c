"""Dropout as a function is off, too: a model's own code may call it by the model's own mode."""

from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_DROPOUTS = frozenset(
    {
        functional.dropout,
        functional.dropout1d,
        functional.dropout2d,
        functional.dropout3d,
        functional.alpha_dropout,
        functional.feature_alpha_dropout,
        torch.dropout,
    }
)


class DropoutOff(TorchFunctionMode):
    """Lets every dropout hand on its input.

    Example:
        >>> with DropoutOff():
        ...     functional.dropout(torch.ones(2), 1.0)
        tensor([1., 1.])
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run ``func`` unless it is a dropout."""
        kwargs = dict(kwargs or {})
        if func in _DROPOUTS:
            return args[0] if args else kwargs["input"]
        if func is functional.scaled_dot_product_attention and "dropout_p" in kwargs:
            kwargs["dropout_p"] = 0.0
        if func is functional.multi_head_attention_forward:
            kwargs["training"] = False
        return func(*args, **kwargs)
