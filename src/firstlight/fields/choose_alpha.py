"""An automatic weight scale: the largest that is expected to keep the signal between samples.

The paper (arXiv 2410.04779) leaves alpha to the user: larger ones train faster until the network
invents frequencies between the samples. In the first steps a wide network is a kernel machine whose
kernel is known in closed form (``theory.SineKernel``), so what it will put between samples can be
computed before there is a network.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from firstlight.errors import OptionError
from firstlight.fields.interpolation import interpolation_errors
from firstlight.fields.networks.sine import Sine
from firstlight.fields.networks.sine_kernel import KNOWN, sine_kernel
from firstlight.fields.patches import Patches, patches
from firstlight.fields.signals.signal import Signal
from firstlight.init._one_thread import in_one_thread

#: Weight scales that are looked at, and those around the best of them; the paper's best ones lie
#: between 1.5 and 3.
COARSE = tuple(1 + number / 2 for number in range(7))
FINE = tuple(1 + number / 8 for number in range(25))
#: How much worse than the best, in dB, the expected error between samples may be.
_TOLERANCE = 0.3
#: How much more of the initial function stays between the samples than its kernel says: fitted to
#: brute force on 16 Kodak images at 128 x 128, depths 3 and 5, and checked on others.
_INITIAL = 8.0
#: PSNR on the known samples at which the error between them is looked at.
_TARGET = 40.0
#: Where the best alpha is larger, omega_0 is doubled, at most so often.
_LARGEST, _DOUBLINGS = 2.8, 14


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        alpha: weight scale of every layer but the last.
        omega_0: factor of the first layer.
        expected: (alpha, PSNR between samples) as they were computed, in dB.
        line: the choice in a sentence.
    """

    alpha: float
    omega_0: float
    expected: tuple[tuple[float, float], ...]
    line: str


def choose_alpha(signal: Signal, network: Sine, *, target_psnr: float | None = None) -> Choice:
    """Choose the weight scale, and omega_0 where the network leaves it open.

    For each alpha the tangent kernel of the network at its start interpolates small pieces of the
    signal from every second training sample, as far as ``target_psnr`` on those. Chosen is the
    largest alpha whose PSNR on the other samples is within 0.3 dB of the best. Where omega_0 is
    None and that alpha is above 2.8, omega_0 is doubled until it is not.

    Args:
        signal: what is to be fitted; nothing that is held out is looked at.
        network: its width, depth, start, omega and omega_0 count.
        target_psnr: how far the fit will go, in dB; 40 where it is open, and at most 60.

    Returns:
        The choice; alpha 1 where the signal has too few samples to tell.

    Raises:
        OptionError: the network's start has no known kernel.

    Example:
        >>> from firstlight.fields.signals.image import read_image
        >>> waves = np.sin(np.arange(64) / 3)[:, None] * np.sin(np.arange(64) / 4)
        >>> image = read_image((127 + 127 * waves).astype(np.uint8))
        >>> 1.0 <= choose_alpha(image, Sine(depth=5)).alpha < 2.0
        True
    """
    if network.start not in KNOWN:
        raise OptionError(
            f"alpha='auto' knows the starts {' and '.join(KNOWN)}; give a number for "
            f"{network.start!r}"
        )
    network = network.resolved(signal)
    omega_0 = float(network.omega_0 or network.omega)
    pieces = patches(signal)
    if not pieces:
        return Choice(1.0, omega_0, (), "alpha 1: too few samples to choose another")
    asked = _TARGET if target_psnr is None else target_psnr
    goal = 4 / 10 ** (min(asked, 60.0) / 10)
    search = _Search(network, signal.inputs, pieces, patches(signal, 2), goal)
    # small matrices: a second thread gains nothing, and rounds otherwise
    alpha, expected = in_one_thread(lambda: search.boundary(omega_0))
    if network.omega_0 is None:
        omega_0, alpha, expected = in_one_thread(lambda: search.raised(omega_0, alpha, expected))
    return Choice(alpha, omega_0, expected, _line(alpha, omega_0, expected, network))


def _line(
    alpha: float, omega_0: float, expected: tuple[tuple[float, float], ...], network: Sine
) -> str:
    best = max(level for _, level in expected)
    line = f"alpha {alpha:.2f}"
    if omega_0 != (network.omega_0 or network.omega):
        line += f", omega_0 {omega_0:g}"
    line += (
        f": the largest whose kernel is within {_TOLERANCE} dB of the best, {best:.1f} dB, between "
        "samples"
    )
    if expected[-1][0] > alpha:
        line += f"; {expected[-1][0]:g} would lose {best - expected[-1][1]:.1f} dB"
    return line


class _Search:
    """Expected errors between samples, by alpha and omega_0."""

    def __init__(
        self,
        network: Sine,
        inputs: int,
        pieces: list[Patches],
        coarser: list[Patches],
        goal: float,
    ) -> None:
        self._network, self._inputs, self._goal = network, inputs, goal
        self._pieces, self._coarser = pieces, coarser

    def boundary(self, omega_0: float) -> tuple[float, tuple[tuple[float, float], ...]]:
        """The largest alpha within the tolerance of the best, and what was computed."""
        errors: dict[float, tuple[float, float]] = {}
        for alpha in COARSE:
            errors[alpha] = self._errors(self._pieces, alpha, omega_0)
            if errors[alpha][0] > 1.25 * min(error for error, _ in errors.values()):
                break  # past the best it only gets worse
        fall = self._falls(omega_0, errors)
        first = _crossing(_levels(errors, fall, self._goal))
        for alpha in FINE:
            if abs(alpha - first) < COARSE[1] - COARSE[0] and alpha not in errors:
                errors[alpha] = self._errors(self._pieces, alpha, omega_0)
        expected = _levels(errors, fall, self._goal)
        return _crossing(expected), expected

    def raised(
        self, omega_0: float, alpha: float, expected: tuple[tuple[float, float], ...]
    ) -> tuple[float, float, tuple[tuple[float, float], ...]]:
        """Double omega_0 until its alpha is not too large; halving it makes fits slower."""
        for _ in range(_DOUBLINGS):
            if alpha <= _LARGEST:
                break
            omega_0 *= 2.0
            alpha, expected = self.boundary(omega_0)
        return omega_0, alpha, expected

    def _falls(self, omega_0: float, errors: dict[float, tuple[float, float]]) -> float:
        """How much smaller errors are at a scale than at the next coarser one: 1 to 4."""
        alpha = min(errors, key=lambda each: errors[each][0])
        error = errors[alpha][0]
        if not self._coarser or error <= 0:
            return 1.0
        return min(4.0, max(1.0, self._errors(self._coarser, alpha, omega_0)[0] / error))

    def _errors(self, pieces: list[Patches], alpha: float, omega_0: float) -> tuple[float, float]:
        """Mean squared errors of the signal and of the initial function between samples."""
        network = replace(self._network, alpha=alpha, omega_0=omega_0)
        kernel = sine_kernel(network, self._inputs)
        assert kernel is not None, "checked by choose_alpha"
        each = [interpolation_errors(kernel, piece, self._goal) for piece in pieces]
        signal, initial = np.mean(each, axis=0)
        return float(signal), float(initial)


def _levels(
    errors: dict[float, tuple[float, float]], fall: float, goal: float
) -> tuple[tuple[float, float], ...]:
    """(alpha, PSNR between samples), by alpha; as much error as on the samples comes with it."""
    return tuple(
        (alpha, 10 * math.log10(4 / max(error / fall + _INITIAL * initial + goal, 1e-12)))
        for alpha, (error, initial) in sorted(errors.items())
    )


def _crossing(expected: tuple[tuple[float, float], ...]) -> float:
    """The largest alpha at which the level, a line between its points, is near the best."""
    least = max(level for _, level in expected) - _TOLERANCE
    last = max(number for number, (_, level) in enumerate(expected) if level >= least)
    alpha, level = expected[last]
    if last + 1 == len(expected):
        return alpha
    beyond, lower = expected[last + 1]
    return alpha + (level - least) / (level - lower) * (beyond - alpha)


def with_choice(network: Sine, choice: Choice) -> Sine:
    """The network with what was chosen."""
    return replace(network, alpha=choice.alpha, omega_0=choice.omega_0)
