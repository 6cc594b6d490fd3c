"""Critical gains and fixed points of odd sigmoids against arbitrary precision and iteration."""

import math

import mpmath as mp
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.theory import critical_gain, fixed_point

#: Each written out a second time, and its critical gain.
SIGMOIDS = {
    "tanh": (mp.tanh, 1),
    "erf": (mp.erf, mp.sqrt(mp.pi) / 2),
    "arctan": (lambda x: 2 / mp.pi * mp.atan(mp.pi * x / 2), 1),
    "softsign": (lambda x: x / (1 + abs(x)), 1),
    "algebraic": (lambda x: x / mp.sqrt(1 + x * x), 1),
    "gudermannian": (lambda x: mp.asin(mp.tanh(x)), 1),
}


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("tanh", 1),
        ("erf", math.sqrt(math.pi) / 2),
        ("arctan", 1),
        ("softsign", 1),
        ("algebraic", 1),
        ("gudermannian", 1),
        (lambda x: torch.tanh(4 * x), 0.25),
        (torch.nn.Tanh(), 1),
    ],
)
def test_critical_gain(activation, expected):
    assert critical_gain(activation) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        ("relu", "not odd"),
        ("sigmoid", "not odd"),
        ("gelu", "not odd"),
        (torch.nn.functional.tanhshrink, "slope above 0"),
        (lambda x: -torch.tanh(x), "slope above 0"),
        (lambda x: torch.from_numpy(x.detach().numpy().copy()), "cannot be differentiated"),
        ("tahn", "must be one of"),
    ],
)
def test_critical_gain_errors(activation, message):
    with pytest.raises(OptionError, match=message):
        critical_gain(activation)


@given(st.sampled_from(sorted(SIGMOIDS)), st.floats(-14, 5).map(lambda e: 10**e))
def test_fixed_point_to_the_last_digits(name, excess):
    f, omega = SIGMOIDS[name]
    a = float(omega) * (1 + excess)
    if a <= critical_gain(name):
        return
    got = fixed_point(a, name)
    # erf's critical gain is known to a rounding, which counts in full next to it
    omega_error = 0 if omega == 1 else 2e-16 / excess
    with mp.workdps(60):
        u = mp.findroot(
            lambda u: f(u) / u - 1 / mp.mpf(a), (0.9 * a * got, 1.1 * a * got), solver="anderson"
        )
        assert got == pytest.approx(float(u / a), rel=4e-15 + omega_error)


@pytest.mark.parametrize(
    ("name", "closed"),
    [
        ("softsign", lambda a: (a - 1) / a),
        ("algebraic", lambda a: math.sqrt((a - 1) * (a + 1)) / a),
        ("hardtanh", lambda _: 1.0),
    ],
)
@pytest.mark.parametrize("a", [1 + 2**-50, 1.0001, 1.3, 2.0, 1e6])
def test_fixed_point_in_closed_form(name, closed, a):
    assert fixed_point(a, name) == pytest.approx(closed(a), rel=4e-15)


@pytest.mark.parametrize("name", [*SIGMOIDS, torch.nn.Tanh(), lambda x: torch.tanh(4 * x) / 2])
@pytest.mark.parametrize("a", [0.3, 0.7, 1.2, 3.0])
def test_fixed_point_is_where_iteration_ends(name, a):
    from firstlight.theory.activations import elementwise

    f, x = elementwise(name), torch.tensor([0.7], dtype=torch.float64)
    for _ in range(300):
        x = f(a * x)
    assert fixed_point(a, name) == pytest.approx(float(x), abs=1e-9)


def test_fixed_point_of_large_and_learned_activations():
    assert fixed_point(1.0, lambda x: 1e7 * torch.tanh(x)) == pytest.approx(1e7)
    soft = torch.nn.Sequential(torch.nn.PReLU(init=1.0), torch.nn.Hardtanh())
    assert fixed_point(1.5, soft) == pytest.approx(1.0)


@pytest.mark.parametrize("name", SIGMOIDS)
def test_no_fixed_point_up_to_the_critical_gain(name):
    omega = critical_gain(name)
    assert [fixed_point(a, name) for a in (omega / 2, omega)] == [0.0, 0.0]
    assert fixed_point(omega * (1 + 1e-15), name) > 0


@pytest.mark.parametrize(
    ("gain", "activation", "message"),
    [
        (0.0, "tanh", "gain"),
        (math.nan, "tanh", "gain"),
        (2.0, "relu", "not odd"),
        (2.0, "linear", "bounded"),
        (2.0, "tahn", "must be one of"),
    ],
)
def test_fixed_point_errors(gain, activation, message):
    with pytest.raises(OptionError, match=message):
        fixed_point(gain, activation)
