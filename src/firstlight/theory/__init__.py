"""Closed-form mathematics of initialization: gains, thresholds, mean field, skewness."""

from firstlight.theory.activations import ACTIVATIONS, Activation
from firstlight.theory.edge_of_chaos import edge_of_chaos
from firstlight.theory.expectation import gaussian_expectation
from firstlight.theory.gain import gain
from firstlight.theory.odd_sigmoid import (
    critical_gain,
    log_negative_rate,
    negative_rate,
    noise_scale,
)
from firstlight.theory.oui import oui
from firstlight.theory.skew import skewed_share

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "critical_gain",
    "edge_of_chaos",
    "gain",
    "gaussian_expectation",
    "log_negative_rate",
    "negative_rate",
    "noise_scale",
    "oui",
    "skewed_share",
]
