"""WINNER's noise scales, from where a signal's spectrum has its middle (arXiv 2509.09719)."""

import math
from collections.abc import Callable

import numpy as np

from firstlight.errors import OptionError, check_choice, not_negative
from firstlight.theory._arguments import whole

#: Noise scales (s_0, s_1) by kind of signal, from z, the centroid of one channel.
_RULES: dict[str, Callable[[float], tuple[float, float]]] = {
    "image": lambda z: (-50 * math.expm1(-5 * z), 0.4 * z),
    "audio": lambda z: (-3500 * math.expm1(-7 * z), 3 * z),
}


def spectral_centroid(samples: np.ndarray) -> float:
    """Mean frequency of a signal's rows, weighted by magnitude, in cycles per sample times two.

        psi = 2 mean over rows of (sum f |F(f)|) / (sum |F(f)|),  F = rfft, f = rfftfreq

    Args:
        samples: real numbers, (..., length): rows of an image, channels of audio.

    Returns:
        psi in [0, 1]; 0 for a signal that is zero.

    Raises:
        OptionError: fewer than 2 samples in a row, or not finite.

    Example:
        >>> turns = np.arange(64) / 4
        >>> round(spectral_centroid(np.sin(2 * np.pi * turns)), 6)
        0.5

    Reference: arXiv 2509.09719.
    """
    rows = np.atleast_2d(np.asarray(samples, dtype=np.float64))
    if rows.shape[-1] < 2 or not np.isfinite(rows).all():
        raise OptionError("a spectral centroid needs rows of 2 or more finite samples")
    size = np.abs(np.fft.rfft(rows))
    total = size.sum(-1)
    middle = (size * np.fft.rfftfreq(rows.shape[-1])).sum(-1) / np.where(total > 0, total, 1)
    return 2 * float(middle.mean())


def winner_noise(centroid: float, kind: str, channels: int = 1) -> tuple[float, float]:
    """Noise scales (s_0, s_1) of the first two layers.

        image:  s_0 = 50 (1 - exp(-5 z)),    s_1 = 0.4 z,   z = psi / channels
        audio:  s_0 = 3500 (1 - exp(-7 z)),  s_1 = 3 z

    As the authors' code has it; their text says 5 for audio's 7.

    Args:
        centroid: psi, of ``spectral_centroid``.
        kind: "image" or "audio".
        channels: of the signal, 1 or more.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> [round(scale, 3) for scale in winner_noise(0.1, "image")]
        [19.673, 0.04]

    Reference: arXiv 2509.09719.
    """
    check_choice(kind, _RULES, "kind")
    return _RULES[kind](not_negative(centroid, "centroid") / whole(channels, "channels"))
