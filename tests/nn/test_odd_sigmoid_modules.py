"""The odd-sigmoid modules: their formulas, derivatives, precisions, and what they refuse."""

import copy
import math
import pickle

import mpmath as mp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import firstlight
from firstlight.errors import OptionError
from firstlight.nn import Algebraic, Arctan, Erf, Gudermannian, OddSigmoid, Softsign, Tanh
from firstlight.theory import check_odd_sigmoid, critical_gain

#: Each formula a second time, in arbitrary precision.
FORMULAS = {
    Tanh: mp.tanh,
    Erf: mp.erf,
    Arctan: lambda x: 2 / mp.pi * mp.atan(mp.pi * x / 2),
    Softsign: lambda x: x / (1 + abs(x)),
    Algebraic: lambda x: x / mp.sqrt(1 + x * x),
    Gudermannian: lambda x: mp.asin(mp.tanh(x)),
}
every = pytest.mark.parametrize("kind", FORMULAS, ids=lambda kind: kind.__name__)


@every
@settings(max_examples=30, deadline=None)
@given(x=st.floats(-9, 9).filter(lambda x: abs(x) > 1e-6), scale=st.sampled_from([1.0, 0.3, 2.0]))
def test_value_slope_and_curvature(kind, x, scale):
    f, module = FORMULAS[kind], kind(scale)
    place = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    value = module(place)
    (slope,) = torch.autograd.grad(value, place, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, place)
    with mp.workdps(40):
        expected = [mp.diff(lambda z: f(mp.mpf(scale) * z), x, order) for order in range(3)]
    for found, wanted in zip((value, slope, curvature), expected, strict=True):
        assert found.item() == pytest.approx(float(wanted), rel=1e-9, abs=3e-14 * scale**2)


@every
@pytest.mark.parametrize("scale", [1.0, 1e-3, 2.5, 1e4])
def test_omega_and_membership(kind, scale):
    module = kind(scale)
    assert module.omega == pytest.approx(critical_gain(module), rel=1e-12)
    found = check_odd_sigmoid(module)
    assert found.member
    assert found.closed_form
    assert found.omega == module.omega


@every
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_precisions(kind, dtype):
    """The largest numbers of a type go to the bound, not to 0 or NaN."""
    x = torch.tensor([-6e4, -300.0, -1.0, 0.0, 1e-3, 2.0, 6e4]).to(dtype).requires_grad_()
    y = kind()(x)
    y.sum().backward()
    assert y.dtype == dtype
    wanted = kind()(x.detach().double())
    torch.testing.assert_close(y.double(), wanted, rtol=4 * torch.finfo(dtype).eps, atol=0)
    assert x.grad.isfinite().all()
    assert float(x.grad[3]) == pytest.approx(1 / kind().omega, rel=4 * torch.finfo(dtype).eps)


@every
def test_compiled_and_transformed(kind):
    module, x = kind(1.5), torch.randn(7, generator=torch.Generator().manual_seed(0))
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), module(x))
    slopes = torch.vmap(torch.func.grad(module))(x)
    torch.testing.assert_close(slopes, torch.autograd.functional.jacobian(module, x).diagonal())
    traced = torch.fx.symbolic_trace(nn.Sequential(module))
    torch.testing.assert_close(traced(x), module(x))


@every
def test_repr_and_copies(kind):
    assert repr(kind()) == f"{kind.__name__}()"
    module = kind(0.1)
    assert repr(module) == f"{kind.__name__}(scale=0.1)"
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert (other.scale, other.closed_form) == (0.1, f"{kind.formula}(0.1x)")
    assert not list(module.parameters())
    assert not module.state_dict()


@pytest.mark.parametrize("scale", [0, -1.0, math.nan, math.inf, "2", True, None])
def test_scales_that_are_refused(scale):
    with pytest.raises(OptionError, match="scale must be") as caught:
        Tanh(scale)
    assert "\n" not in str(caught.value)


@every
@pytest.mark.parametrize("dtype", [torch.complex64, torch.int64, torch.bool])
def test_inputs_that_are_refused(kind, dtype):
    message = f"{kind.__name__} expected a real floating-point tensor, got {dtype}"
    with pytest.raises(OptionError, match=message):
        kind()(torch.ones(3, dtype=dtype))


def test_the_base_class_is_no_activation():
    with pytest.raises(OptionError, match="OddSigmoid has no formula of its own; take Tanh, Erf"):
        OddSigmoid()


def test_a_subclass_that_computes_something_else_is_not_known_by_name():
    class Half(Tanh):
        def forward(self, x):
            return super().forward(x).relu()

    assert Half().closed_form == ""
    assert not check_odd_sigmoid(Half()).member


def test_it_is_part_of_the_package():
    assert firstlight.nn.Tanh is Tanh
