"""Optimizers by name, with the settings of the sinusoidal paper (arXiv 2505.12909) as defaults."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from firstlight.errors import OptionError, check_choice

LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-3

_OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}
_OPTIONS = {
    "sgd": {"momentum", "nesterov"},
    "adam": {"beta1", "beta2", "eps"},
    "adamw": {"beta1", "beta2", "eps"},
}


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Split "sgd:momentum=0.9" into the optimizer's name and its options.

    Raises:
        OptionError: unknown optimizer, or an option or value that it does not take.

    Example:
        >>> from firstlight.comparison.optimizers import parse
        >>> parse("sgd:momentum=0.9:nesterov=True")
        ('sgd', {'momentum': 0.9, 'nesterov': True})
    """
    name, *parts = text.split(":")
    check_choice(name, _OPTIMIZERS, "optimizer")
    options: dict[str, Any] = {}
    for part in parts:
        key, _, value = part.partition("=")
        check_choice(key, sorted(_OPTIONS[name]), f"option of optimizer {name!r}")
        if key in options:
            raise OptionError(f"optimizer {text!r}: {key} is given twice")
        options[key] = _value(text, key, value)
    return name, options


def _value(text: str, key: str, value: str) -> bool | float:
    what = f"optimizer {text!r}: {key}"
    if key == "nesterov":
        check_choice(value, ("True", "False"), what)
        return value == "True"
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise OptionError(f"{what} must be a number, got {value!r}")
    return number


def check(text: str) -> None:
    """Raise ``OptionError`` unless ``text`` names an optimizer whose options it accepts."""
    _, options = parse(text)
    if options:  # building one loads torch's compiler, which takes longer than all the rest
        build(text, [nn.Parameter(torch.zeros(1))])


def build(
    text: str,
    parameters: Iterable[nn.Parameter],
    learning_rate: float = LEARNING_RATE,
    weight_decay: float = WEIGHT_DECAY,
) -> torch.optim.Optimizer:
    """Build the optimizer that ``text`` names over ``parameters``; no schedule, no momentum.

    Example:
        >>> import torch
        >>> from firstlight.comparison.optimizers import build
        >>> type(build("adamw", torch.nn.Linear(2, 2).parameters())).__name__
        'AdamW'
    """
    name, options = parse(text)
    tensors = list(parameters)
    # one kernel for all weights, where torch has had it for long
    fused = all(tensor.device.type in ("cpu", "cuda") for tensor in tensors)
    if name != "sgd":
        options["betas"] = (options.pop("beta1", 0.9), options.pop("beta2", 0.999))
    try:
        return _OPTIMIZERS[name](  # type: ignore[call-arg]
            tensors, lr=learning_rate, weight_decay=weight_decay, fused=fused, **options
        )
    except (TypeError, ValueError) as error:
        raise OptionError(f"optimizer {text!r}: {error}") from error
