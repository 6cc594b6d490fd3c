"""Short fits against a plain loop."""

import math

import numpy as np
import pytest
import torch

from firstlight import fields
from firstlight.fields.alpha.probe import probe
from firstlight.fields.alpha.probe_samples import probe_samples


@pytest.fixture
def samples():
    waves = 127 + 127 * np.sin(np.arange(40) / 3)[:, None] * np.sin(np.arange(40) / 4)
    return probe_samples(fields.load(waves.astype(np.uint8), kind="image"))


def plainly(samples, network, target, steps):
    """The level held out after the first step at the target, or after the best one."""
    module = network.build(2, 1, seed=0)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-4)
    known, asked = samples.fitted.all(), samples.held_out.all()
    best, held_out = -math.inf, None
    for _ in range(steps + 1):
        error = (module(known.x) - known.y).square().mean()
        level = 10 * math.log10(4 / float(error.detach()))
        if level > best:
            with torch.no_grad():
                between = (module(asked.x) - asked.y).square().mean()
            best, held_out = level, 10 * math.log10(4 / float(between))
        if level >= target:
            break
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return best, held_out


@pytest.mark.parametrize(("target", "goal"), [(None, 35.0), (15.0, 15.0), (60.0, 35.0)])
def test_it_is_a_fit_to_the_target(samples, target, goal):
    network = fields.Sine(width=32, depth=3, alpha=2.0)
    fitted, held_out = plainly(samples, network, goal, 600)
    found = probe(samples, network, target_psnr=target)
    assert found.fitted == pytest.approx(fitted, abs=0.05)
    assert found.held_out == pytest.approx(held_out, abs=0.05)


def test_too_large_weights_lose_what_lies_between(samples):
    network = fields.Sine(width=32, depth=3)
    levels = [probe(samples, network.with_alpha(alpha)).held_out for alpha in (1.0, 4.0)]
    assert levels[0] > levels[1] + 3
