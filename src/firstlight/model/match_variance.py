"""Give every weight matrix the same variance, so that two starts differ in structure only."""

import math

import torch
from torch import nn

from firstlight.model.kinds import Matrix
from firstlight.model.slots import Slot, slots
from firstlight.model.views import parts, why_blocked


def match_variance(model: nn.Module) -> None:
    """Scale every trainable weight matrix of ``model`` to mean square 2 / fan_in, He's.

    A matrix of zeros stays as it is: no factor can give it a variance.

    Example:
        >>> import torch
        >>> from firstlight.model import match_variance
        >>> layer = torch.nn.Linear(50, 20)
        >>> match_variance(layer)
        >>> round(layer.weight.pow(2).mean().item() * 50, 4)
        2.0
    """
    found = [slot for slot in slots(model) if isinstance(slot.treatment, Matrix)]
    with torch.no_grad():
        for slot in found:
            tensor = slot.tensor
            if slot.frozen or tensor is None or slot.treatment.role == "table":  # type: ignore[union-attr]
                continue
            if not why_blocked(slot, tensor):
                _match(slot)


def _match(slot: Slot) -> None:
    with slot.edit() as tensor:
        for part in parts(slot, tensor):
            matrix = part.matrix()
            mean_square = matrix.double().pow(2).mean().item()
            if mean_square > 0:
                fan_in = math.prod(part.shape[1:])
                part.write(matrix.mul_(math.sqrt(2 / fan_in / mean_square)))
