"""Adam and SGD over stacked networks, each with a learning rate of its own."""

import math
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from firstlight.comparison import optimizers
from firstlight.errors import OptionError


class ReplicaOptimizer(Protocol):
    """Changes values (R, P) by gradients (R, P)."""

    def step(self, values: Tensor, gradients: Tensor) -> None:
        """Make one update in place."""


class Adam:
    """Adam without weight decay; each row is what ``torch.optim.Adam`` makes of it.

    Args:
        rates: learning rate of each row, (R,).
        beta1: memory of the mean.
        beta2: memory of the mean square.
        eps: added to the root.

    Example:
        >>> values = torch.zeros(2, 3)
        >>> Adam(torch.tensor([0.1, 1.0])).step(values, torch.ones(2, 3))
        >>> [round(value, 6) for value in values[:, 0].tolist()]
        [-0.1, -1.0]

    Reference: Kingma and Ba, arXiv 1412.6980.
    """

    def __init__(
        self, rates: Tensor, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        self._rates, self._beta1, self._beta2, self._eps = rates[:, None], beta1, beta2, eps
        self._steps = 0
        self._mean: Tensor | None = None
        self._square: Tensor | None = None

    def step(self, values: Tensor, gradients: Tensor) -> None:
        """Make one update in place."""
        if self._mean is None or self._square is None:
            self._mean, self._square = torch.zeros_like(values), torch.zeros_like(values)
        self._steps += 1
        self._mean.lerp_(gradients, 1 - self._beta1)
        self._square.mul_(self._beta2).addcmul_(gradients, gradients, value=1 - self._beta2)
        root = math.sqrt(1 - self._beta2**self._steps)
        change = self._square.sqrt().div_(root).add_(self._eps)
        torch.div(self._mean, change, out=change)
        values.addcmul_(change, self._rates.to(values), value=-1 / (1 - self._beta1**self._steps))


class SGD:
    """SGD without weight decay; each row is what ``torch.optim.SGD`` makes of it.

    Args:
        rates: learning rate of each row, (R,).
        momentum: 0 is none.
        nesterov: whether the gradient is looked up ahead.

    Example:
        >>> values = torch.zeros(2, 3)
        >>> SGD(torch.tensor([0.5, 1.0])).step(values, torch.ones(2, 3))
        >>> values[:, 0].tolist()
        [-0.5, -1.0]
    """

    def __init__(self, rates: Tensor, momentum: float = 0.0, nesterov: bool = False) -> None:
        self._rates, self._momentum, self._nesterov = rates[:, None], momentum, nesterov
        self._buffer: Tensor | None = None

    def step(self, values: Tensor, gradients: Tensor) -> None:
        """Make one update in place."""
        change = gradients
        if self._momentum:
            if self._buffer is None:
                self._buffer = gradients.clone()
            else:
                self._buffer.mul_(self._momentum).add_(gradients)
            change = self._buffer
            if self._nesterov:
                change = gradients.add(self._buffer, alpha=self._momentum)
        values.addcmul_(change, self._rates.to(values), value=-1)


_OPTIMIZERS: dict[str, Callable[..., ReplicaOptimizer]] = {"adam": Adam, "sgd": SGD}


def build(text: str, rates: Tensor) -> ReplicaOptimizer:
    """Build the optimizer that ``text`` names, as in "adam" or "sgd:momentum=0.9".

    Raises:
        OptionError: unknown, or an option that it does not take.

    Example:
        >>> type(build("sgd:momentum=0.9", torch.ones(2))).__name__
        'SGD'
    """
    name, options = _parse(text)
    return _OPTIMIZERS[name](rates, **options)


def check(text: str) -> None:
    """Raise ``OptionError`` unless ``build`` can build it."""
    build(text, torch.ones(1))


def _parse(text: str) -> tuple[str, dict[str, Any]]:
    if not isinstance(text, str) or text.partition(":")[0] not in _OPTIMIZERS:
        raise OptionError(f"optimizer must be one of {', '.join(_OPTIMIZERS)}; got {text!r:.60}")
    optimizers.check(text)  # that torch takes the values
    return optimizers.parse(text)
