"""Faults as data: ``CASES`` has each on every architecture that it fits."""

import pytest

from . import in_signals, in_training, in_weights
from .architectures import ARCHITECTURES, Architecture
from .fault import Fault, Finding, Planted

__all__ = ["ARCHITECTURES", "CASES", "FAULTS", "Architecture", "Fault", "Finding", "Planted"]

FAULTS: tuple[Fault, ...] = (*in_weights.FAULTS, *in_signals.FAULTS, *in_training.FAULTS)

CASES = [
    pytest.param(fault, name, id=f"{fault.name}-{name}") for fault in FAULTS for name in fault.on
]
