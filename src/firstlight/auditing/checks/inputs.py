"""Checks of the batch."""

import math
from collections.abc import Iterator

from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.result import Audit
from firstlight.model.trace import Trace


def _numbers(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for one in audit.inputs:  # a mask may hold minus infinity on purpose
        bad = math.isnan(one.mean) if "mask" in one.name else not one.finite
        yield Found(one.name, float(bad))


def _sizes(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for one in audit.inputs:
        size = math.hypot(one.mean, one.std)
        if one.finite and size > 0 and "mask" not in one.name:
            yield Found(one.name, size)


_SCALE = "LeCun et al., Efficient BackProp, 1998: inputs near mean 0 and variance 1"

CHECKS = (
    Check(
        "inputs are numbers",
        _numbers,
        1,
        1,
        "IEEE 754",
        "{where} holds NaN or infinite numbers",
        "every input is a finite number",
        "mend the data: no start can help",
    ),
    Check(
        "input scale",
        _sizes,
        10,
        50,
        f"{_SCALE}; pixels from 0 to 255 have about 130",
        "{where} has a root mean square of {number}",
        "inputs have a root mean square of at most {number}",
        "bring the inputs to mean 0 and standard deviation 1, pixels by (x / 255 - mean) / std",
    ),
    Check(
        "faint inputs",
        _sizes,
        1e-3,
        0.0,
        _SCALE,
        "{where} has a root mean square of {number}",
        "inputs have a root mean square of at least {number}",
        "bring the inputs to mean 0 and standard deviation 1",
        smaller=True,
    ),
)
