"""Options of a fit: every one is checked before anything is computed."""

import json
import math

import pytest

from firstlight.errors import OptionError
from firstlight.fields.specification import FitSpec


def test_limits_and_their_default():
    assert FitSpec().steps == 2000
    assert FitSpec(steps=0).steps == 0
    assert FitSpec(seconds=3).steps is None
    assert FitSpec(target_psnr=0.0).steps is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_psnr": math.nan}, "target_psnr must be a finite number"),
        ({"target_psnr": math.inf}, "target_psnr must be a finite number"),
        ({"target_psnr": "40"}, "target_psnr must be a finite number"),
        ({"steps": -1}, "steps must be a whole number of 0 or more"),
        ({"steps": 2.0}, "steps must be a whole number of 0 or more"),
        ({"steps": True}, "steps must be a whole number"),
        ({"seconds": 0}, "seconds must be a number above 0"),
        ({"seconds": -1.0}, "seconds must be a number above 0"),
        ({"seed": -1}, "seed must be a whole number of 0 or more"),
        ({"seed": 2**63}, "seed must be below"),
        ({"seed": 0.5}, "seed must be a whole number"),
        ({"optimizer": "lion"}, "optimizer must be one of adam, sgd; got 'lion'"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0"),
        ({"learning_rate": math.nan}, "learning_rate must be a finite number"),
        ({"layer_rates": 2.0}, "layer_rates must be one factor for each weight layer, got 2.0"),
        ({"layer_rates": "112"}, "layer_rates must be one factor"),
        ({"layer_rates": (1.0, -1.0)}, "a factor of layer_rates must be a number above 0"),
        ({"batch": 0}, "batch must be a whole number of 1 or more"),
        ({"batch": "half"}, "batch, where it is no number, must be one of auto, full; got 'half'"),
        ({"batch": 1.5}, "batch must be a whole number"),
        ({"precision": "float16"}, "precision must be one of float32, bfloat16"),
        ({"compile": "yes"}, "compile, where it is not True or False, must be one of auto"),
        ({"compile": 1}, "compile, where it is not True or False"),
        ({"step": 5}, "fit has no option 'step'; it has target_psnr, steps, "),
    ],
)
def test_a_wrong_option_is_one_clear_line(options, message):
    with pytest.raises(OptionError, match=message) as raised:
        FitSpec.of(options)
    assert "\n" not in str(raised.value)


def test_it_is_plain_values():
    spec = FitSpec.of({"steps": 3, "layer_rates": [1, 2], "learning_rate": 1e-3})
    assert spec.layer_rates == (1.0, 2.0)
    assert json.loads(json.dumps(spec.as_dict()))["layer_rates"] == [1.0, 2.0]
    with pytest.raises(AttributeError):
        spec.steps = 4
