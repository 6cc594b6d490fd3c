"""Checks of the batch."""

import math
from collections.abc import Iterator

from firstlight.auditing.checks.check import Check, Found
from firstlight.auditing.result import Audit
from firstlight.model.trace import Trace


def _numbers(audit: Audit, _trace: Trace) -> Iterator[Found]:
    for one in audit.inputs:  # a mask may hold minus infinity, which is no NaN
        yield Found(one.name, float(math.isnan(one.mean)))


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
        "{where} holds NaN",
        "no input is NaN",
        "mend the data: no start can help",
    ),
    Check(
        "input scale",
        _sizes,
        10,
        math.inf,
        _SCALE,
        "{where} has a root mean square of {number}",
        "inputs have a root mean square of at most {number}",
        "bring the inputs to mean 0 and standard deviation 1, pixels by (x / 255 - mean) / std",
    ),
    Check(
        "input scale",
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
