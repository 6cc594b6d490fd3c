"""Biases and norms at their usual values, whatever the weights are."""

import torch
from torch import nn

from firstlight.model.kinds import Value
from firstlight.model.leave import why_left_alone
from firstlight.model.slots import slots


def set_usual_values(model: nn.Module) -> None:
    """Set biases to 0, norms to 1 and 0, running statistics to their start; frozen ones stay.

    Example:
        >>> layer = nn.Linear(2, 3)
        >>> set_usual_values(layer)
        >>> layer.bias.tolist()
        [0.0, 0.0, 0.0]
    """
    with torch.no_grad():
        for slot in slots(model):
            if isinstance(slot.treatment, Value) and not why_left_alone(slot):
                with slot.edit() as tensor:
                    tensor.fill_(slot.treatment.value)
