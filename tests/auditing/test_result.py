"""An audit as text, JSON, frames, and as the gate of CI."""

import json
import math

import pytest
import torch
from torch import nn

import firstlight


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))


def batch():
    torch.manual_seed(1)
    return torch.randn(64, 8), torch.randint(4, (64,))


@pytest.fixture
def healthy():
    return firstlight.audit(net(), batch())


@pytest.fixture
def broken():
    model = net()
    with torch.no_grad():
        model[0].weight[0] = math.nan
    return firstlight.audit(model, batch())


def test_health_is_asserted(healthy, broken):
    healthy.assert_healthy(warnings=True)
    named = r"weights are numbers: 0\.weight"
    with pytest.raises(firstlight.UnhealthyError, match=named) as caught:
        broken.assert_healthy()
    assert "firstlight.initialize" in str(caught.value)
    assert isinstance(caught.value, firstlight.FirstlightError)
    assert (healthy.level, broken.level) == ("ok", "failure")


def test_json_is_valid_even_with_infinities(broken, healthy):
    def refuse(constant):
        raise AssertionError(constant)

    for audit in (broken, healthy):
        read = json.loads(audit.to_json(sketches=True), parse_constant=refuse)
        assert read["level"] == audit.level
        assert len(read["weights"]) == 2
        assert read["activations"][0]["sketch"]["on"]
    assert "sketch" not in json.loads(healthy.to_json())["weights"][0]


@pytest.mark.parametrize(
    ("of", "rows"), [("weights", 2), ("activations", 1), ("gradients", 4), ("inputs", 1)]
)
def test_frames_have_a_row_for_each(healthy, of, rows):
    frame = healthy.to_frame(of)
    assert len(frame) == rows
    assert "sketch" not in frame
    with pytest.raises(firstlight.OptionError, match="weights, activations"):
        healthy.to_frame("layers")


def test_frames_of_nothing_are_empty(healthy):
    assert healthy.to_frame("norms").empty
    assert set(healthy.to_frame("verdicts").level) == {"ok"}


def test_the_text_tells_the_state_the_number_and_the_remedy(healthy, broken):
    assert str(healthy).startswith("Sequential: healthy (2 weight matrices")
    assert "uninformed 1.386" in str(healthy)
    assert "x failure: weights are numbers: 0.weight" in str(broken)
    assert "    firstlight.initialize(model, 'harmonic', include=['0.weight'])" in str(broken)


def test_failures_come_first(broken):
    levels = [verdict.level for verdict in broken.verdicts]
    assert levels == sorted(levels, key=["failure", "warning", "ok"].index)


def test_measures_are_those_of_the_obvious_computation(healthy):
    model, (x, y) = net(), batch()
    z = model[0](x)
    z.retain_grad()
    loss = nn.functional.cross_entropy(model[2](torch.relu(z)), y)
    loss.backward()
    site = healthy.activations[0]
    gradient, z, loss = z.grad, z.detach(), loss.detach()
    assert site.second_moment == pytest.approx(float(z.square().mean()), rel=1e-5)
    assert site.gradient_norm == pytest.approx(float(gradient.norm()), rel=1e-5)
    assert site.output_second_moment == pytest.approx(float(z.relu().square().mean()), rel=1e-5)
    assert healthy.output.loss == pytest.approx(float(loss), rel=1e-6)
    norms = {one.name: one.norm for one in healthy.gradients}
    for name, parameter in model.named_parameters():
        assert norms[name] == pytest.approx(float(parameter.grad.norm()), rel=1e-5)
    assert healthy.weights[0].gradient_norm == norms["0.weight"]
