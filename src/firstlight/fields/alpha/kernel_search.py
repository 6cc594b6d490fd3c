"""What a wide network's kernel expects of weight scales, before there is a network."""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from firstlight.fields.alpha.boundary import crossing
from firstlight.fields.alpha.interpolation import interpolation_errors
from firstlight.fields.alpha.patches import Patches, patches
from firstlight.fields.networks.sine import Sine
from firstlight.fields.networks.sine_kernel import sine_kernel
from firstlight.fields.signals.signal import Signal
from firstlight.init._one_thread import in_one_thread

#: (alpha, PSNR between samples in dB), by alpha.
Expected = tuple[tuple[float, float], ...]

#: Weight scales that are looked at, and those around the best of them; the paper's best ones lie
#: between 1.5 and 3.
COARSE = tuple(1 + number / 2 for number in range(7))
FINE = tuple(1 + number / 8 for number in range(25))
#: How much worse than the best, in dB, the expected error between samples may be.
TOLERANCE = 0.3
#: How much more of the initial function stays between the samples than its kernel says: fitted to
#: brute force on 16 Kodak images at 128 x 128, depths 3 and 5.
_INITIAL = 8.0
#: PSNR on the known samples, in dB, above which float64 has nothing to say.
_HIGHEST = 60.0
#: Where the best alpha is larger, omega_0 is doubled, as long as it is below what samples resolve.
_LARGEST = 2.8


class KernelChoice(NamedTuple):
    """The first layer's factor, the weight scale, and what was computed for it."""

    omega_0: float
    alpha: float
    expected: Expected


class KernelSearch:
    """Expected errors between samples, by alpha and omega_0.

    Args:
        network: its width, depth, start and omega count.
        signal: whose training samples are looked at.
        target_psnr: how far the fit will go, in dB.
    """

    def __init__(self, network: Sine, signal: Signal, target_psnr: float) -> None:
        self._network, self._inputs = network, signal.inputs
        self._pieces, self._coarser = patches(signal), patches(signal, 2)
        self._nyquist = math.pi / min(signal.spacing)
        self._goal = 4 / 10 ** (min(target_psnr, _HIGHEST) / 10)

    @property
    def possible(self) -> bool:
        """Whether there are enough samples."""
        return bool(self._pieces)

    def boundary(self, omega_0: float) -> tuple[float, Expected]:
        """The largest alpha within the tolerance of the best, and what was computed."""
        errors: dict[float, tuple[float, float]] = {}
        for alpha in COARSE:
            errors[alpha] = self._errors(self._pieces, alpha, omega_0)
            if errors[alpha][0] > 1.25 * min(error for error, _ in errors.values()):
                break  # past the best it only gets worse
        fall = self._falls(omega_0, errors)
        first = crossing(dict(_levels(errors, fall, self._goal)), TOLERANCE)
        for alpha in FINE:
            if abs(alpha - first) < COARSE[1] - COARSE[0] and alpha not in errors:
                errors[alpha] = self._errors(self._pieces, alpha, omega_0)
        expected = _levels(errors, fall, self._goal)
        return crossing(dict(expected), TOLERANCE), expected

    def chosen(self, omega_0: float) -> KernelChoice:
        """The boundary at omega_0; where that is open, it is doubled until alpha is not too large.

        Halving it would make fits slower.
        """
        alpha, expected = self.boundary(omega_0)
        while self._network.omega_0 is None and alpha > _LARGEST and omega_0 < self._nyquist:
            omega_0 *= 2.0
            alpha, expected = self.boundary(omega_0)
        return KernelChoice(omega_0, alpha, expected)

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
        # small matrices: a second thread gains nothing, and rounds otherwise
        each = in_one_thread(
            lambda: [interpolation_errors(kernel, piece, self._goal) for piece in pieces]
        )
        signal, initial = np.mean(each, axis=0)
        return float(signal), float(initial)


def _levels(errors: dict[float, tuple[float, float]], fall: float, goal: float) -> Expected:
    """(alpha, PSNR between samples), by alpha; as much error as on the samples comes with it."""
    return tuple(
        (alpha, 10 * math.log10(4 / max(error / fall + _INITIAL * initial + goal, 1e-12)))
        for alpha, (error, initial) in sorted(errors.items())
    )


def flat(expected: Expected) -> bool:
    """Whether all weight scales are as good as the best: nothing speaks for any."""
    levels = [level for _, level in expected]
    return max(levels) - min(levels) <= TOLERANCE
