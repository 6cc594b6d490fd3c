"""The checker of the odd-sigmoid class: who is in, who is not, and what it says of both."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from firstlight.errors import OptionError
from firstlight.theory import (
    ACTIVATIONS,
    ODD_SIGMOIDS,
    OddSigmoidCheck,
    check_odd_sigmoid,
    critical_gain,
    odd_sigmoid_gain,
    odd_sigmoid_name,
)
from firstlight.theory.odd_sigmoid_class import Property


class Single(nn.Module):
    """Refuses anything but float32."""

    def forward(self, x):
        if x.dtype != torch.float32:
            raise TypeError("float32 only")
        return torch.tanh(x)


def hidden(name):
    """The same function, of which nothing is known."""
    return lambda x: ACTIVATIONS[name](x)


def beyond(x, start, first, then):
    """``first`` up to |x| = start, and from there ``then`` of what is beyond, oddly continued."""
    size = x.abs()
    return torch.where(size < start, first(x), x.sign() * (first(x.new_tensor(start)) + then(size)))


MEMBERS = {
    **{name: (hidden(name), omega) for name, omega in ODD_SIGMOIDS.items()},
    "steep": (lambda x: torch.tanh(1e4 * x), 1e-4),
    "flat": (lambda x: torch.tanh(1e-4 * x), 1e4),
    "steeper": (lambda x: torch.erf(1e9 * x), math.sqrt(math.pi) / 2e9),
    "LeCun's": (lambda x: 1.7159 * torch.tanh(2 / 3 * x), 1.5 / 1.7159),
    "low": (lambda x: 1e-9 * torch.tanh(x), 1e9),
    "high": (lambda x: 1e7 * torch.erf(x), math.sqrt(math.pi) / 2e7),
    "sigmoid": (lambda x: 2 * torch.sigmoid(2 * x) - 1, 1),
    "Laplace": (lambda x: -x.sign() * torch.expm1(-x.abs()), 1),  # autograd has f'(0) = 0
    "tenth power": (lambda x: x / (1 + x.abs() ** 10) ** 0.1, 1),
    "root": (lambda x: x / (1 + x.abs().sqrt()) ** 2, 1),
    "two scales": (lambda x: torch.tanh(x) + 0.01 * torch.tanh(1e6 * x), 1 / 10001),
    "float32": (lambda x: torch.tanh(x.float()), 1),
    "float32 within": (lambda x: torch.erf(x.float()).double(), math.sqrt(math.pi) / 2),
    "float32 alone": (Single(), 1),
    "in a module": (nn.Sequential(nn.Tanh(), nn.Identity()), 1),
}

NO_MEMBERS = {
    "sin": (torch.sin, "increasing"),
    "slow sin": (lambda x: torch.sin(x / 100), "increasing"),
    "cliff": (lambda x: x * torch.exp(-x * x), "increasing"),
    "late fall": (lambda x: torch.tanh(x) - 1e-4 * x / (1 + x * x / 1e6), "increasing"),
    "minus": (lambda x: -torch.tanh(x), "increasing"),
    "constant": (lambda x: 0 * x, "increasing"),
    "stairs": (lambda x: torch.round(torch.tanh(x) * 100) / 100, "increasing"),
    "plateau": (lambda x: beyond(x, 1, torch.tanh, lambda s: torch.tanh((s - 2).relu())), "incr"),
    "hardtanh": (functional.hardtanh, "increasing.* bound at x = 1 "),
    "a quarter of a sine": (lambda x: torch.sin(x.clamp(-math.pi / 2, math.pi / 2)), "x = 1.57"),
    "smoothstep": (lambda x: torch.where(x.abs() < 1, 1.5 * x - x**3 / 2, x.sign()), "increasing"),
    "identity": (lambda x: 1 * x, "bounded"),
    "cube": (lambda x: x**3, "bounded"),
    "asinh": (torch.asinh, "bounded"),
    "log": (lambda x: x.sign() * torch.log1p(x.abs()), "bounded"),
    "log log": (lambda x: x.sign() * torch.log1p(torch.log1p(x.abs())), "bounded"),
    "root of asinh": (lambda x: x.sign() * torch.asinh(x.abs()).sqrt(), "bounded"),
    "drift": (lambda x: torch.tanh(x) + 1e-9 * x, "bounded"),
    "overflow": (lambda x: (x.exp() - (-x).exp()) / (x.exp() + (-x).exp()), "f.71.* is nan"),
    "sinh": (torch.sinh, "f.71.* is inf"),
    "float32 asinh": (lambda x: torch.asinh(x.float()), "bounded"),
    "relu": (functional.relu, "odd"),
    "sigmoid": (torch.sigmoid, "odd"),
    "log x": (torch.log, "odd, f.0. is -inf"),
    "shifted": (lambda x: torch.tanh(x - 1e-3), "odd"),
    "raised": (lambda x: torch.tanh(x) + 1e-8, "odd"),
    "a tiny even part": (lambda x: torch.tanh(x) + 1e-9 * x * x / (1 + x * x), "odd"),
    "an even part in float32": (lambda x: (torch.tanh(x) + 1e-3 / (1 + x * x)).float(), "odd"),
    "cubed": (lambda x: torch.tanh(x) ** 3, "increasing, f' = 0 at x = 0"),
    "steps": (lambda x: torch.tanh(x) + torch.tanh(9 * (x - 3)) + torch.tanh(9 * (x + 3)), "f' fa"),
    "wiggle": (lambda x: torch.tanh(x) + 1e-9 * torch.sin(1e5 * x), "increasing"),
    "straight, then not": (lambda x: beyond(x, 1, lambda z: z, lambda s: torch.tanh(s - 1)), "f' "),
    "a kink": (lambda x: beyond(x, 2, torch.tanh, lambda s: torch.tanh(s - 2) / 1e3), "smooth"),
    "a kink of softsign": (
        lambda x: beyond(x, 1, functional.softsign, lambda s: (s - 1) / s / 5),
        "smooth, f' jumps by 0.05 at x = 1",
    ),
    "a small kink": (
        lambda x: beyond(x, 1.234, torch.tanh, lambda s: torch.tanh(s - 1.234) * 0.2878),
        "smooth",
    ),
    "a jump": (lambda x: torch.tanh(x) + 1e-4 * x.sign() * (x.abs() > 3.21), "smooth, f jumps"),
    "a wrong derivative": (
        lambda x: 1.01 * torch.tanh(x) - (0.01 * torch.tanh(x)).detach(),
        "smooth, autograd's f' is not the slope",
    ),
    "bfloat16": (lambda x: torch.tanh(x.bfloat16()), "f'"),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_members(case):
    f, omega = MEMBERS[case]
    found = check_odd_sigmoid(f)
    assert found.member, str(found)
    assert not found.closed_form
    assert "not a proof" in found.looked_at
    assert found.omega == pytest.approx(omega, rel=1e-6 if "float32" in case else 1e-12)
    assert odd_sigmoid_gain(f) == found.omega


@pytest.mark.parametrize("case", NO_MEMBERS)
def test_no_members(case):
    f, why = NO_MEMBERS[case]
    found = check_odd_sigmoid(f)
    assert not found.member
    with pytest.raises(OptionError, match=f"expected an odd sigmoid .*is not .*{why}") as caught:
        odd_sigmoid_gain(f)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - set(ODD_SIGMOIDS)))
def test_other_names(name):
    assert not check_odd_sigmoid(name).member
    assert odd_sigmoid_name(name) == ""


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from(sorted(ODD_SIGMOIDS)), st.floats(-6, 6), st.floats(-6, 6), st.floats(1e-6, 1e-2)
)
def test_scale_and_height_do_not_matter_and_a_shift_does(name, scale, height, shift):
    factor, top, f = 10**scale, 10**height, ACTIVATIONS[name]
    found = check_odd_sigmoid(lambda x: top * f(factor * x))
    assert found.member, str(found)
    assert found.omega == pytest.approx(ODD_SIGMOIDS[name] / factor / top, rel=1e-12)
    assert not check_odd_sigmoid(lambda x: top * f(factor * x + shift)).member


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        ("tanh", "tanh"),
        ("tanh(2x)", "tanh(2x)"),
        ("erf(1e-05x)", "erf(1e-05x)"),
        ("softsign(1x)", "softsign"),
        (torch.tanh, "tanh"),
        (torch.special.erf, "erf"),
        (functional.softsign, "softsign"),
        (nn.Tanh(), "tanh"),
        (nn.Softsign(), "softsign"),
        (ACTIVATIONS["gudermannian"], "gudermannian"),
        (torch.sin, ""),
        (lambda x: torch.tanh(x), ""),
        ("gelu", ""),
    ],
)
def test_what_is_known_in_closed_form(activation, name):
    assert odd_sigmoid_name(activation) == name
    if name:
        found = check_odd_sigmoid(activation)
        assert found.member
        assert found.closed_form
        assert found.looked_at == ""
        assert found.omega == pytest.approx(critical_gain(activation), rel=1e-12)


@pytest.mark.parametrize("name", ODD_SIGMOIDS)
def test_closed_forms_agree_with_numbers(name):
    assert check_odd_sigmoid(hidden(name)).omega == pytest.approx(ODD_SIGMOIDS[name], rel=1e-14)


def test_a_subclass_is_not_taken_at_its_word():
    class Clipped(nn.Tanh):
        def forward(self, x):
            return super().forward(x).clamp(-0.5, 0.5)

    assert not check_odd_sigmoid(Clipped()).member


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        ("tahn", "must be one of"),
        ("tanh(-2x)", "above 0"),
        ("tanh(0x)", "above 0"),
        ("tanh(e3x)", "above 0"),
        ("tahn(2x)", "must be one of"),
        (3, "name or a callable"),
        (lambda x: torch.softmax(x, 0), "each element alone"),
        (lambda x: torch.tanh(x) + 1e-9 * torch.randn_like(x), "other values the second time"),
        (lambda x: torch.from_numpy(x.detach().numpy().copy()), "cannot be differentiated"),
    ],
)
def test_what_cannot_be_checked(activation, message):
    with pytest.raises(OptionError, match=message) as caught:
        check_odd_sigmoid(activation)
    assert "\n" not in str(caught.value)


def test_a_function_that_changes_is_looked_at_again():
    factor = 1.0

    def f(x):
        return torch.tanh(factor * x)

    assert check_odd_sigmoid(f) is check_odd_sigmoid(f)
    factor = 2.0
    assert check_odd_sigmoid(f).omega == 0.5


def test_the_device_of_the_hour_does_not_matter():
    with torch.device("meta"):
        assert check_odd_sigmoid(lambda x: torch.tanh(3 * x)).omega == pytest.approx(1 / 3)
        assert not check_odd_sigmoid(functional.hardtanh).member


def test_it_prints_what_was_found():
    text = str(check_odd_sigmoid(functional.hardtanh)).splitlines()
    assert text[0] == "hardtanh: no odd sigmoid, omega = 1"
    assert [line.split()[1] for line in text[1:3]] == ["yes", "yes"]
    assert text[3] == "  increasing  no   f reaches its bound at x = 1 and is flat from there"
    assert text[5] == "  smooth      no   f' jumps by 1 at x = 1"
    assert "18017 places from x = 0 to 1e+15" in text[6]
    assert len(str(check_odd_sigmoid("tanh")).splitlines()) == 6


def test_results_are_checked():
    with pytest.raises(OptionError, match="a property is one of odd, bounded"):
        Property("even", True, True, "")
    with pytest.raises(OptionError, match="a check has the properties"):
        OddSigmoidCheck("tanh", 1.0, (Property("odd", True, True, ""),))
