"""Power spectrum of a network's initial function: measured, and predicted from Bessel functions."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from firstlight.errors import OptionError
from firstlight.fields.networks.network import Facts, Network
from firstlight.fields.networks.sine_kernel import sine_kernel
from firstlight.theory import sine_spectrum

#: Values along a line, at least and at most; the prediction takes their square.
_FEWEST, _MOST = 512, 4096
#: Values for each cycle of the sampling's limit.
_FINER = 8
#: Outputs that the network is built with, and lines along each coordinate: what is averaged over.
_OUTPUTS, _LINES = 64, 16
#: Places whose values are computed at once.
_AT_ONCE = 4096


@dataclass(frozen=True)
class InitialSpectrum:
    """Mean power spectrum of one output of the initial function along one coordinate.

    Attributes:
        axis: the coordinate, from 0.
        measured: power at k = 0, 1, ... cycles across the signal, which is [-1, 1]; the sum is the
            function's mean square.
        predicted: expected power; None where there is no closed form.
        nyquist: cycles across the signal that its training samples resolve.
        beyond: power above them where ``measured`` ends below them; None where it does not.
    """

    axis: int
    measured: tuple[float, ...]
    predicted: tuple[float, ...] | None
    nyquist: float
    beyond: float | None = None

    @property
    def above(self) -> float | None:
        """Measured share of the power above the Nyquist frequency; None where it is not seen.

        The mean is left out, which the window puts at 0 and 1 cycles.
        """
        if self.beyond is None:
            return _share_above(self.measured, self.nyquist)
        total = math.fsum(self.measured[2:])  # aliasing moves power, and loses none
        return min(1.0, self.beyond / total) if total > 0 else 0.0

    @property
    def predicted_above(self) -> float | None:
        """Predicted share of the power above the Nyquist frequency."""
        return None if self.predicted is None else _share_above(self.predicted, self.nyquist)


def _share_above(power: tuple[float, ...], nyquist: float) -> float | None:
    if nyquist >= len(power) - 1:
        return None
    total = math.fsum(power[2:])
    return math.fsum(power[max(2, math.floor(nyquist) + 1) :]) / total if total > 0 else 0.0


def initial_spectra(
    network: Network, signal: Facts, *, seed: int = 0, lines: int = _LINES
) -> tuple[InitialSpectrum, ...]:
    """The spectrum of a network before training, along each coordinate of a signal.

        mean over lines and outputs of |FFT(w f)|^2 / points^2,  w a Hann window of mean square 1

    Lines lie at random places. Where a line has too few values for the signal's Nyquist frequency,
    the power above that is measured on short pieces of lines, whose values are as near to each
    other as that takes. The network is built with 64 outputs, so that the mean over the
    last layer's draws is smooth; its other layers are those that ``seed`` gives the fit.

    The prediction is ``theory.sine_spectrum``'s for one neuron of the last sine layer, times the
    last layer's fan_in Var(w), and its bias at frequency 0. Where the first layer has no biases,
    the other coordinates are its phases, and are taken as many turns.

    Args:
        network: its specification; numbers that depend on the signal are filled in.
        signal: inputs and spacing of the training samples.
        seed: of the network's draws.
        lines: along each coordinate.

    Raises:
        OptionError: the number of lines is not from 1 to 1024, or a number is missing.

    Example:
        >>> from firstlight.fields.networks.sine import Sine
        >>> from firstlight.fields.signals.image import read_image
        >>> image = read_image(np.zeros((64, 64), np.uint8))
        >>> first, _ = initial_spectra(Sine(width=64, depth=3, alpha=1.0), image)
        >>> first.nyquist, 0.5 < sum(first.measured) / sum(first.predicted) < 2
        (32.0, True)

    Reference: arXiv 2410.04779.
    """
    if isinstance(lines, bool) or not isinstance(lines, int) or not 1 <= lines <= 1024:
        raise OptionError(f"lines must be a whole number from 1 to 1024, got {lines!r}")
    network = network.resolved(signal)
    limits = [round(1 / spacing, 4) for spacing in signal.spacing]  # float32 is about whole
    points = _points(max(limits))
    module = network.build(signal.inputs, _OUTPUTS, seed)
    predicted = predicted_spectrum(network, signal.inputs, points)
    generator = torch.Generator().manual_seed(seed)
    found = []
    for axis, limit in enumerate(limits):
        x = _lines(signal.inputs, axis, lines, points, generator)
        power = _power_on(module, x, lines)
        beyond = None
        if limit >= len(power) - 1:
            x = _pieces(signal.inputs, axis, lines, limit, generator)
            beyond = math.fsum(_power_on(module, x, lines)[_MOST // _FINER + 1 :])
        found.append(InitialSpectrum(axis, tuple(power.tolist()), predicted, limit, beyond))
    return tuple(found)


def predicted_spectrum(network: Network, inputs: int, points: int) -> tuple[float, ...] | None:
    """Expected power of one output at 0, 1, ... cycles; None where there is no closed form.

    Args:
        network: every number filled in.
        inputs: number of coordinates.
        points: samples of the interval.
    """
    kernel = sine_kernel(network, inputs)
    if kernel is None or kernel.distribution != "uniform":
        return None
    has_bias = kernel.bias_scale > 0
    phase = kernel.omega_0 / math.sqrt(inputs) if has_bias else 0.0
    power = sine_spectrum(
        points,
        layers=kernel.layers,
        omega=kernel.omega_0,
        alpha=kernel.alpha,
        inputs=inputs,
        weight_scale=kernel.alpha * kernel.weight_scale,
        phase=phase if has_bias or inputs == 1 else math.pi,
        bias_scale=kernel.bias_scale,
    )
    # the last layer is drawn as one with c_w in a sine, without its omega
    power = power * kernel.weight_scale**2 / 3 / kernel.omega**2
    if has_bias:
        power[:2] += np.array([2, 1]) / 3 / (3 * kernel.width)  # a constant under the window
    return tuple(power.tolist())


def _points(limit: float) -> int:
    """A power of two that resolves four times the sampling's limit, where that is not too much."""
    return int(min(max(2 ** math.ceil(math.log2(_FINER * limit)), _FEWEST), _MOST))


def _lines(inputs: int, axis: int, lines: int, points: int, generator: torch.Generator) -> Tensor:
    """Coordinates of lines along an axis through random places: (lines * points, inputs)."""
    x = (2 * torch.rand(lines, 1, inputs, generator=generator) - 1).repeat(1, points, 1)
    x[..., axis] = 2 * torch.arange(points) / points - 1
    return x.reshape(-1, inputs)


def _pieces(inputs: int, axis: int, lines: int, limit: float, generator: torch.Generator) -> Tensor:
    """Coordinates of short pieces of such lines, which resolve four times the limit."""
    length = 2 * _MOST / (_FINER * limit)
    x = _lines(inputs, axis, lines, _MOST, generator).reshape(lines, _MOST, inputs)
    start = (2 - length) * torch.rand(lines, 1, generator=generator) - 1
    x[..., axis] = start + length / 2 * (x[..., axis] + 1)
    return x.reshape(-1, inputs)


def _power_on(module: nn.Module, x: Tensor, lines: int) -> np.ndarray:
    """The power of a network's values on lines of equally many places."""
    with torch.no_grad():
        values = torch.cat([module(part) for part in x.split(_AT_ONCE)])
    return _power(values.double().numpy().reshape(lines, len(x) // lines, -1))


def _power(values: np.ndarray) -> np.ndarray:
    """Both signs' power of (lines, points, outputs), averaged: (points // 2 + 1,)."""
    points = values.shape[1]
    window = math.sqrt(2 / 3) * (1 - np.cos(2 * np.pi * np.arange(points) / points))
    parts = np.fft.rfft(values * window[:, None], axis=1) / points
    power = np.square(np.abs(parts)).mean((0, 2))
    power[1 : (points + 1) // 2] *= 2
    return power
