"""Give every weight matrix the same variance, so that two starts differ in structure only."""

import math

import torch
from torch import nn

from firstlight.model.views import views


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
    with torch.no_grad():
        for view in views(model):
            if view.frozen or view.blocked:
                continue
            mean_square = view.weight.double().pow(2).mean().item()
            if mean_square > 0:
                view.weight.mul_(math.sqrt(2 / view.fan_in / mean_square))
