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
from firstlight.fields.networks.sine import Sine
from firstlight.fields.patches import Patches, patches
from firstlight.fields.signals.signal import Signal
from firstlight.theory import SineKernel

#: Weight scales that are looked at; the paper's best ones lie between 1.5 and 3.
GRID = tuple(1 + number / 8 for number in range(25))
#: How much worse than the best, in dB, the expected error between samples may be.
_TOLERANCE = 0.1
#: How much more of the initial function stays between the samples than its kernel says: fitted to
#: 27 trained networks (Kodak at 128 x 128, depths 3 and 5), where it made the fewest errors.
_INITIAL = 10.0
#: PSNR on the known samples at which the error between them is looked at.
_TARGET = 40.0
#: c_w of the starts whose kernel is known.
_SCALES = {"siren": math.sqrt(6), "gradient_control": math.sqrt(3)}
#: omega_0 is doubled at most so often where no weight scale would be large enough.
_DOUBLINGS = 14


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
    largest alpha whose PSNR on the other samples is within 0.1 dB of the best. Where even alpha 4
    is too small and omega_0 is None, omega_0 is doubled until it is not.

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
    if network.start not in _SCALES:
        raise OptionError(
            f"alpha='auto' knows the starts {' and '.join(_SCALES)}; give a number for "
            f"{network.start!r}"
        )
    network = network.resolved(signal)
    omega_0 = float(network.omega_0 or network.omega)
    pieces = patches(signal)
    if not pieces:
        return Choice(1.0, omega_0, (), "alpha 1: too few samples to choose another")
    goal = 4 / 10 ** (min(target_psnr or _TARGET, 60.0) / 10)
    search = _Search(network, signal.inputs, pieces, patches(signal, 2), goal)
    alpha, expected = search.boundary(omega_0)
    if alpha >= GRID[-1] and network.omega_0 is None:
        omega_0, alpha, expected = search.doubled(omega_0)
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
        self._fall: float | None = None

    def boundary(self, omega_0: float) -> tuple[float, tuple[tuple[float, float], ...]]:
        """The largest alpha within the tolerance of the best, and what was computed."""
        errors: list[tuple[float, float, float]] = []
        for alpha in GRID:
            errors.append((alpha, *self._errors(self._pieces, alpha, omega_0)))
            if errors[-1][1] > 1.25 * min(error for _, error, _ in errors):  # it only gets worse
                break
        best = min(errors, key=lambda each: each[1])
        fall = self._falls(best[0], best[1], omega_0)
        expected = tuple(
            (alpha, 10 * math.log10(4 / (error / fall + _INITIAL * initial)))
            for alpha, error, initial in errors
        )
        least = max(level for _, level in expected) - _TOLERANCE
        return _crossing(expected, least), expected

    def doubled(self, omega_0: float) -> tuple[float, float, tuple[tuple[float, float], ...]]:
        """The smallest doubling of omega_0 for which alpha stays below the largest, halving."""
        low, high = 0, _DOUBLINGS
        found = (omega_0, *self.boundary(omega_0))
        while high - low > 1:
            middle = (low + high) // 2
            alpha, expected = self.boundary(omega_0 * 2**middle)
            if alpha < GRID[-1]:
                high, found = middle, (omega_0 * 2**middle, alpha, expected)
            else:
                low = middle
        return found

    def _falls(self, alpha: float, error: float, omega_0: float) -> float:
        """How much smaller errors are at a scale than at the next coarser one: 1 to 4."""
        if not self._coarser or error <= 0:
            return 1.0
        return min(4.0, max(1.0, self._errors(self._coarser, alpha, omega_0)[0] / error))

    def _errors(self, pieces: list[Patches], alpha: float, omega_0: float) -> tuple[float, float]:
        """Mean squared errors of the signal and of the initial function between samples."""
        network = self._network
        kernel = SineKernel(
            layers=network.depth - 1,
            inputs=self._inputs,
            width=network.width,
            omega_0=omega_0,
            omega=network.omega,
            alpha=alpha,
            weight_scale=_SCALES[network.start],
            bias_scale=network.omega / math.sqrt(3 * network.width)
            if network.start == "siren"
            else 0.0,
            distribution=network.distribution,
        )
        each = [interpolation_errors(kernel, piece, self._goal) for piece in pieces]
        signal, initial = np.mean(each, axis=0)
        return float(signal), float(initial)


def _crossing(expected: tuple[tuple[float, float], ...], least: float) -> float:
    """The largest alpha at which the expected level, between its points a line, is enough."""
    last = max(number for number, (_, level) in enumerate(expected) if level >= least)
    alpha, level = expected[last]
    if last + 1 == len(expected):
        return alpha
    beyond, lower = expected[last + 1]
    return alpha + (level - least) / (level - lower) * (beyond - alpha)


def interpolation_errors(kernel: SineKernel, piece: Patches, goal: float) -> tuple[float, float]:
    """Mean squared errors on the asked samples, of the signal and of a draw of the start.

        f = K_* (K + ridge)^-1 y,  the ridge such that the known samples' error is ``goal``

    Args:
        kernel: of the network.
        piece: known and asked samples.
        goal: mean squared error on the known samples.
    """
    known = kernel.tangent(piece.known[:, None] - piece.known[None])
    across = kernel.tangent(piece.asked[:, None] - piece.known[None])
    values, vectors = np.linalg.eigh(known)
    values = np.maximum(values, 0)
    middle = piece.known_values.mean((0, 1))
    targets = _columns(piece.known_values - middle)
    ridge = _ridge(values, vectors.T @ targets, goal)
    weights = across @ (vectors / (values + ridge)) @ vectors.T
    error = np.square(weights @ targets - _columns(piece.asked_values - middle)).mean()
    drawn = kernel.covariance(piece.known[:, None] - piece.known[None])
    beside = kernel.covariance(piece.asked[:, None] - piece.known[None])
    variance = float(kernel.covariance(np.zeros((1, piece.known.shape[1])))[0])
    initial = variance + (weights * (weights @ drawn - 2 * beside)).sum(1).mean()
    return float(error), max(0.0, float(initial))


def _columns(values: np.ndarray) -> np.ndarray:
    """(pieces, n, outputs) as (n, pieces * outputs)."""
    return np.moveaxis(values, 1, 0).reshape(values.shape[1], -1)


def _ridge(values: np.ndarray, targets: np.ndarray, goal: float) -> float:
    """The ridge that leaves the error ``goal`` on the known samples, by halving its logarithm."""
    low, high = -16.0, 3.0
    for _ in range(40):
        middle = (low + high) / 2
        left = (10**middle / (values + 10**middle))[:, None] * targets
        low, high = (low, middle) if np.square(left).mean() > goal else (middle, high)
    return 10**low


def with_choice(network: Sine, choice: Choice) -> Sine:
    """The network with what was chosen."""
    return replace(network, alpha=choice.alpha, omega_0=choice.omega_0)
