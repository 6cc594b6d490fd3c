"""When torch.compile is used."""

import pytest
import torch
from torch import nn

from firstlight.fields.compiling import pays, works
from firstlight.fields.specification import FitSpec

WIDE = nn.Linear(1000, 1000)


@pytest.mark.parametrize(
    ("samples", "options", "expected"),
    [
        (100, {"steps": 10}, False),
        (2**18, {"steps": 10**6}, True),
        (2**18, {"steps": 10**6, "seconds": 30.0}, False),  # too short to win it back
        (2**18, {"steps": 10**6, "seconds": 3000.0}, True),
        (2**24, {"target_psnr": 40.0}, True),
        (2**24, {"target_psnr": 40.0, "steps": 0}, False),
        (2**10, {"target_psnr": 40.0}, False),
    ],
)
def test_it_is_used_for_long_fits(samples, options, expected):
    assert pays(WIDE, samples, FitSpec(**options)) is expected


def test_frozen_weights_do_not_count():
    frozen = nn.Sequential(WIDE, nn.Linear(1000, 1))
    both = pays(frozen, 2**16, FitSpec(steps=2000))
    frozen[0].requires_grad_(False)
    assert (both, pays(frozen, 2**16, FitSpec(steps=2000))) == (True, False)
    frozen[0].requires_grad_(True)


def test_a_compiler_that_fails_is_no_error(monkeypatch):
    def broken(function):
        raise OSError("no compiler")

    monkeypatch.setattr(torch, "compile", broken)
    assert works(torch.device("cpu")) is False
    monkeypatch.setattr(torch, "compile", lambda function: function)
    assert works(torch.device("cpu")) is True
