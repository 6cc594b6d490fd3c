"""An automatic weight scale: the largest that is expected to keep the signal between samples.

The paper (arXiv 2410.04779) leaves alpha to the user: larger ones train faster until the network
invents frequencies between the samples. In the first steps a wide network is a kernel machine whose
kernel is known in closed form (``theory.SineKernel``), so what it will put between samples can be
computed before there is a network; short fits of small pieces tell what the kernel cannot.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from firstlight.errors import OptionError
from firstlight.fields.alpha.boundary import Levels, crossing, search
from firstlight.fields.alpha.kernel_search import (
    COARSE,
    Expected,
    KernelChoice,
    KernelSearch,
    flat,
)
from firstlight.fields.alpha.probe import Probe, probe
from firstlight.fields.alpha.probe_samples import probe_samples
from firstlight.fields.networks.sine import KNOWN, Sine
from firstlight.fields.signals.signal import Signal
from firstlight.init._one_thread import in_one_thread

#: PSNR on the known samples, in dB, where the fit's own is open.
_TARGET = 40.0
#: How much worse than the best, in dB, short fits may be between samples. Every second sample of a
#: lattice leaves less to guess than lies between all of them, so there more may be lost.
_LATTICE, _SCATTERED = 1.4, 0.5
#: A weight scale whose fit stays so many dB below a smaller one's cannot be trained.
_UNTRAINABLE = 6.0
#: Where to begin where the kernel does not know.
_USUAL = 1.5
#: Widths of probes. Where there are so many weights for each sample, what they bear is the same at
#: any width (measured from 64 to 512).
_MANY, _NARROWEST, _WIDEST = 4, 16, 128


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        alpha: weight scale of every layer but the last.
        omega_0: factor of the first layer.
        expected: (alpha, PSNR between samples) as the kernel has it, in dB.
        line: the choice in a sentence.
        probed: (alpha, PSNR between samples) of short fits, in dB; empty where none were possible.
    """

    alpha: float
    omega_0: float
    expected: Expected
    line: str
    probed: Expected = ()


class _Probed(NamedTuple):
    """What short fits say: the largest alpha, and levels by alpha."""

    alpha: float
    lattice: bool
    levels: Levels


def choose_alpha(signal: Signal, network: Sine, *, target_psnr: float | None = None) -> Choice:
    """Choose the weight scale, and omega_0 where the network leaves it open.

    Kernel: for each alpha the tangent kernel of the network at its start interpolates small pieces
    of the signal from every second training sample, as far as ``target_psnr`` on those; it says the
    largest alpha whose PSNR on the other samples is within 0.3 dB of the best. Where omega_0 is
    None and that alpha is above 2.8, omega_0 is doubled until it is not.

    Short fits: the network itself is fitted to about a thousand samples in small pieces at three
    to six alphas, to at most 35 dB, and other samples judge it.

        lattice:    alpha = sqrt(kernel's * the largest within 1.4 dB of the best short fit)
        scattered:  alpha = the largest within 0.5 dB of the best short fit

    Args:
        signal: what is to be fitted; nothing that it holds out is looked at.
        network: its width, depth, start, omega and omega_0 count.
        target_psnr: how far the fit will go, in dB; 40 where it is open, and at most 60.

    Returns:
        The choice; alpha 1 where the signal has too few samples to tell.

    Raises:
        OptionError: the network's start has no known kernel.

    Example:
        >>> import numpy as np
        >>> from firstlight.fields.signals.image import read_image
        >>> waves = np.sin(np.arange(64) / 3)[:, None] * np.sin(np.arange(64) / 4)
        >>> image = read_image((127 + 127 * waves).astype(np.uint8))
        >>> 1.0 <= choose_alpha(image, Sine(width=64, depth=5)).alpha < 2.0
        True
    """
    if network.start not in KNOWN:
        raise OptionError(
            f"alpha='auto' knows the starts {' and '.join(KNOWN)}; give a number for "
            f"{network.start!r}"
        )
    network = network.resolved(signal)
    first = float(network.omega_0 or network.omega)
    kernel = KernelSearch(network, signal, _TARGET if target_psnr is None else target_psnr)
    if not kernel.possible:
        return Choice(1.0, first, (), "alpha 1: too few samples to choose another")
    found = kernel.chosen(first)
    if flat(found.expected):  # the kernel tells no weight scales apart
        found = found._replace(omega_0=first, alpha=_USUAL)
    probed = _probed(signal, replace(network, omega_0=found.omega_0), found.alpha, target_psnr)
    named = "" if found.omega_0 == first else f", omega_0 {found.omega_0:g}"
    return _choice(found, probed, named)


def _choice(kernel: KernelChoice, probed: _Probed | None, named: str) -> Choice:
    """What both say, in a sentence."""
    unknown = flat(kernel.expected)
    if probed is None and unknown:
        line = "alpha 1: nothing tells weight scales apart"
        return Choice(1.0, kernel.omega_0, kernel.expected, line)
    if probed is None:
        line = f"alpha {kernel.alpha:.2f}{named}: the most that the kernel bears on small pieces"
        line += _loss(kernel.alpha, dict(kernel.expected))
        return Choice(kernel.alpha, kernel.omega_0, kernel.expected, line)
    if probed.lattice and not unknown:
        alpha = math.sqrt(kernel.alpha * probed.alpha)
        why = f"amid the {kernel.alpha:.2f} that the kernel bears on small pieces and the"
        why += f" {probed.alpha:.2f} that short fits of them bear"
    else:
        alpha, why = probed.alpha, "the most that short fits of small pieces bear"
    line = f"alpha {alpha:.2f}{named}: {why}{_loss(alpha, probed.levels)}"
    return Choice(alpha, kernel.omega_0, kernel.expected, line, tuple(probed.levels.items()))


def _probed(
    signal: Signal, network: Sine, start: float, target_psnr: float | None
) -> _Probed | None:
    """Short fits around a weight scale; None where there are too few samples or none succeeds."""
    samples = probe_samples(signal)
    if samples is None:
        return None

    width = _width(signal, network, len(samples.fitted))
    fits: dict[float, Probe] = {}

    def level(alpha: float) -> float:
        # each by itself, so that Ctrl-C waits for no more than one
        small = replace(network, alpha=alpha, width=width)
        fits[alpha] = in_one_thread(lambda: probe(samples, small, target_psnr=target_psnr))
        return _level(alpha, fits)

    tolerance = _LATTICE if samples.lattice else _SCATTERED
    levels = {alpha: _level(alpha, fits) for alpha in search(level, start, tolerance, COARSE[-1])}
    if not math.isfinite(max(levels.values())):
        return None
    return _Probed(crossing(levels, tolerance), samples.lattice, levels)


def _width(signal: Signal, network: Sine, samples: int) -> int:
    """The probes' width: enough, or where the fit has few weights for a sample, as few."""
    whole = len(signal.train)
    if network.with_alpha(1.0).parameters(signal.inputs, signal.outputs) >= _MANY * whole:
        return min(network.width, _WIDEST)
    return min(network.width, max(_NARROWEST, round(math.sqrt(samples / whole) * network.width)))


def _level(alpha: float, fits: dict[float, Probe]) -> float:
    """PSNR between samples; none where a smaller weight scale could be fitted and this one not."""
    smaller = [fit.fitted for other, fit in fits.items() if other < alpha]
    if smaller and fits[alpha].fitted < max(smaller) - _UNTRAINABLE:
        return -math.inf
    return fits[alpha].held_out


def _loss(alpha: float, levels: Levels) -> str:
    """What a larger weight scale would cost, where it is known."""
    best = max(levels.values())
    for larger, level in levels.items():
        if larger > alpha and _LATTICE < best - level < math.inf:
            return f"; {larger:.2f} would lose {best - level:.1f} dB between samples"
    return ""


def with_choice(network: Sine, choice: Choice) -> Sine:
    """The network with what was chosen."""
    return replace(network, alpha=choice.alpha, omega_0=choice.omega_0)
