"""Sinusoidal initialization exactly as published (arXiv 2505.12909, NeurIPS 2025)."""

import math

from torch import Tensor

from firstlight.errors import OptionError, check_choice
from firstlight.init._sine import fill_sines
from firstlight.init._tensor import Gain, gain_value, part_of
from firstlight.init.block import Block
from firstlight.init.shards import blockwise


@blockwise
def sinusoidal_(
    tensor: Tensor, *, mode: str = "fan_avg", gain: Gain = 1.0, block: Block | None = None
) -> Tensor:
    """Fill with the published sinusoids: row i has frequency i and phase i / m.

        W[i, j] = a sin(2 pi i j / n + 2 pi i / m),   i = 1..m,  j = 1..n

    where (m, n) is the tensor flattened to (out, in * prod(kernel)) and ``a`` makes the variance
    of the whole matrix gain^2 / fan, which by default is Glorot's 2 / (m + n). The matrix is the
    same every time: there is nothing to seed.

    Where m is a multiple of n, rows repeat up to sign, and the rank falls at m = n and m = 2 n: a
    768 x 768 matrix has rank 383. Where m > n, some rows are constant. ``harmonic_`` has neither.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        mode: "fan_avg" = (m + n) / 2, "fan_in" = n or "fan_out" = m of the flattened matrix.
        gain: a number, or an activation (name or callable) for ``theory.gain`` with zero-sum rows.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, the mode is unknown, or the shape is so small
            that the formula gives a constant matrix.

    Example:
        >>> import torch
        >>> w = firstlight.init.sinusoidal_(torch.empty(64, 128))
        >>> bool(w.sum(1).abs().max() < 1e-6), round(float(w.var() * (64 + 128)), 3)
        (True, 2.0)

    Reference: "Sinusoidal Initialization, Time for a New Start", arXiv 2505.12909.
    """
    part = part_of(tensor, "sinusoidal_", block)
    m, n = part.shape[0], part.inputs
    fans = {"fan_in": n, "fan_out": m, "fan_avg": (m + n) / 2}
    check_choice(mode, fans, "mode")
    target = gain_value(gain, zero_sum=True) ** 2 / fans[mode] if fans[mode] else 0.0
    check_varies(part)

    def rows(index: Tensor) -> tuple[Tensor, Tensor]:
        i = index + 1
        # column 0 holds j = 1, which adds i / n to the phase
        return i, (i % m).double() / m + (i % n).double() / n

    amplitude = math.sqrt(target / sinusoidal_variance(m, n)) if m else 0.0
    return fill_sines(tensor, part, rows, amplitude)


def check_varies(tensor: Tensor | Block, **_: object) -> None:
    """Raise ``OptionError`` for the few small shapes where the formula is constant."""
    m, n = tensor.shape[0], math.prod(tensor.shape[1:])
    if m > 0 and sinusoidal_variance(m, n) < 1e-12:
        raise OptionError(
            f"sinusoidal_ is constant at shape {tuple(tensor.shape)}: it needs more inputs"
        )


def sinusoidal_variance(m: int, n: int) -> float:
    """Variance of all m x n entries of the published formula at amplitude 1, in closed form.

    Sums over j vanish unless n divides i (mean) or 2 i (mean square), so with h = n / gcd(n, 2)

        v = 1/2 - 1/(2m) sum_t cos(4 pi h t / m) - (1/m sum_t sin(2 pi n t / m))^2

    over the multiples h t <= m and n t <= m; both sums are geometric.

    Example:
        >>> from firstlight.init.sinusoidal import sinusoidal_variance
        >>> sinusoidal_variance(64, 576)
        0.5
    """
    if m == 0:
        return 0.0
    return _mean_square(m, n) - _mean(m, n) ** 2


def sinusoidal_mean_square(m: int, n: int) -> float:
    """Mean square of all entries of the published formula, in units of their variance.

    Example:
        >>> from firstlight.init.sinusoidal import sinusoidal_mean_square
        >>> sinusoidal_mean_square(64, 576)
        1.0
    """
    return _mean_square(m, n) / sinusoidal_variance(m, n) if m else 0.0


def _mean_square(m: int, n: int) -> float:
    h = n // math.gcd(n, 2)
    cosine, _ = _geometric(2 * h, m, m // h)
    return 0.5 - cosine / (2 * m)


def _mean(m: int, n: int) -> float:
    _, sine = _geometric(n, m, m // n)
    return sine / m


def _geometric(step: int, m: int, terms: int) -> tuple[float, float]:
    """Sums of cos and sin of 2 pi step t / m over t = 1..terms."""
    if step % m == 0:
        return float(terms), 0.0

    def half_turns(k: int) -> float:
        return math.pi * (k % (2 * m)) / m

    length = math.sin(half_turns(step * terms)) / math.sin(half_turns(step))
    middle = half_turns(step * (terms + 1))
    return length * math.cos(middle), length * math.sin(middle)
