"""When torch.compile is used."""

import numpy as np
import pytest
import torch
from torch import nn

from firstlight import fields
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


def test_steps_of_small_batches_are_compiled(monkeypatch):
    sizes = []

    def counted(function):
        def call(*batch):
            if len(batch) == 3:
                sizes.append(len(batch[0]))
            return function(*batch)

        return call

    monkeypatch.setattr(torch, "compile", counted)
    image = fields.load(np.arange(256, dtype=np.uint8).reshape(16, 16), kind="image")
    network = fields.Sine(width=8, depth=3, alpha=1.0)
    fields.fit(image, network, steps=3, batch=32, compile=True)
    assert sizes.count(32) >= 3
    assert set(sizes) == {32}
