"""Closed-form mathematics of initialization: gains, thresholds, mean field, skewness, spectra."""

from firstlight.theory.activations import ACTIVATIONS, Activation
from firstlight.theory.arcsine import ArcsineLaw
from firstlight.theory.balanced import balanced_gain, balanced_scale
from firstlight.theory.edge_of_chaos import edge_of_chaos
from firstlight.theory.expectation import gaussian_expectation
from firstlight.theory.flip import (
    flip_probability,
    log_flip_probability,
    log_negative_rate,
    negative_rate,
    noise_scale,
)
from firstlight.theory.gain import gain
from firstlight.theory.layer_maps import squared_slope
from firstlight.theory.mean_field import MeanField
from firstlight.theory.odd_sigmoid import critical_gain, fixed_point
from firstlight.theory.odd_sigmoid_class import (
    ODD_SIGMOIDS,
    OddSigmoidCheck,
    check_odd_sigmoid,
    odd_sigmoid_gain,
    odd_sigmoid_name,
)
from firstlight.theory.odd_sigmoid_spread import noise_for_spread, spread_after
from firstlight.theory.oui import expected_oui, oui
from firstlight.theory.sine import (
    sine_gradient_factor,
    sine_harmonics,
    sine_spectrum,
    sine_variance,
)
from firstlight.theory.sine_kernel import SineKernel
from firstlight.theory.skew import (
    expected_skewed_share,
    on_probability,
    on_probability_of,
    skew_threshold,
    skewed_share,
)
from firstlight.theory.winner import spectral_centroid, winner_noise

__all__ = [
    "ACTIVATIONS",
    "ODD_SIGMOIDS",
    "Activation",
    "ArcsineLaw",
    "MeanField",
    "OddSigmoidCheck",
    "SineKernel",
    "balanced_gain",
    "balanced_scale",
    "check_odd_sigmoid",
    "critical_gain",
    "edge_of_chaos",
    "expected_oui",
    "expected_skewed_share",
    "fixed_point",
    "flip_probability",
    "gain",
    "gaussian_expectation",
    "log_flip_probability",
    "log_negative_rate",
    "negative_rate",
    "noise_for_spread",
    "noise_scale",
    "odd_sigmoid_gain",
    "odd_sigmoid_name",
    "on_probability",
    "on_probability_of",
    "oui",
    "sine_gradient_factor",
    "sine_harmonics",
    "sine_spectrum",
    "sine_variance",
    "skew_threshold",
    "skewed_share",
    "spectral_centroid",
    "spread_after",
    "squared_slope",
    "winner_noise",
]
