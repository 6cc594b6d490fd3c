"""Short fits of small pieces of a signal, to see what a weight scale does between samples."""

from typing import NamedTuple

from firstlight.fields.alpha.probe_samples import ProbeSamples
from firstlight.fields.networks.sine import Sine
from firstlight.fields.objective import Objective
from firstlight.fields.signals.signal import psnr
from firstlight.fields.specification import FitSpec
from firstlight.fields.training import Training

#: A probe ends at this PSNR, in dB, or at the fit's own target below it: from here on what lies
#: between the samples changes little. And after so many steps, which small alphas need.
_TARGET, _STEPS = 35.0, 600


class Probe(NamedTuple):
    """PSNR, in dB, of the best step on what was fitted, and on what was not."""

    fitted: float
    held_out: float


def probe(samples: ProbeSamples, network: Sine, *, target_psnr: float | None = None) -> Probe:
    """Fit some samples for a moment (Adam, 1e-4), and look at the others.

    Args:
        samples: small pieces of a signal.
        network: with every number chosen.
        target_psnr: of the fit that it stands for.

    Example:
        >>> import numpy as np
        >>> from firstlight.fields.alpha.probe_samples import probe_samples
        >>> from firstlight.fields.signals.image import read_image
        >>> waves = 127 + 127 * np.sin(np.arange(32) / 3)[:, None] * np.sin(np.arange(32) / 4)
        >>> samples = probe_samples(read_image(waves.astype(np.uint8)))
        >>> network = Sine(width=16, depth=3)
        >>> good, bad = (probe(samples, network.with_alpha(alpha)) for alpha in (1.0, 4.0))
        >>> good.held_out > bad.held_out
        True
    """
    fitted = samples.fitted
    module = network.build(fitted.inputs, fitted.outputs, seed=0)
    goal = _TARGET if target_psnr is None else min(target_psnr, _TARGET)
    spec = FitSpec(target_psnr=goal, steps=_STEPS)
    training = Training(module, Objective(module, fitted, len(fitted)), spec, None)
    while training.advance(lambda: 0.0):
        pass
    training.restore_best()
    held_out = psnr(lambda asked: module(asked.all().x).detach(), samples.held_out)
    return Probe(training.best.psnr, held_out)
