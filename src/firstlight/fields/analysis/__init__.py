"""What a field network is like at its start: spectrum, tangent kernel, gradients by layer."""

from firstlight.fields.analysis.gradient_share import gradient_shares
from firstlight.fields.analysis.spectrum import InitialSpectrum, initial_spectra
from firstlight.fields.analysis.tangent import (
    Kernel,
    closed_form,
    measured_kernel,
    sample_points,
)

__all__ = [
    "InitialSpectrum",
    "Kernel",
    "closed_form",
    "gradient_shares",
    "initial_spectra",
    "measured_kernel",
    "sample_points",
]
