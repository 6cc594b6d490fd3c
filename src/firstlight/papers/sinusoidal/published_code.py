"""What the authors' code of sinusoidal initialization computes, digit by digit.

It is not the paper's formula: columns count from 0 instead of 1, and the angle, up to 2 pi m, is
a float32, which loses digits as m grows. ``firstlight.init.sinusoidal_`` is the formula.
"""

import math

import torch
from torch import Tensor


def published_code_(weight: Tensor) -> Tensor:
    """Fill a matrix (m, n) in place, at the paper's variance 2 / (m + n).

    Example:
        >>> w = published_code_(torch.empty(64, 128))
        >>> round(float(w.var(correction=0)) * (64 + 128), 4)
        2.0

    Reference: arXiv 2505.12909, its repository.
    """
    m, n = weight.shape
    count = torch.arange(1, m + 1, dtype=torch.float32)
    places = torch.arange(n, dtype=torch.float32) / n
    angle = 2 * math.pi * count[:, None] * places + (2 * math.pi / m * count)[:, None]
    wave = torch.sin(angle)
    scale = math.sqrt(2 / ((m + n) * float(wave.var(correction=0))))
    with torch.no_grad():
        return weight.copy_(wave * scale)
