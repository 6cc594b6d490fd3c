import pytest
import torch

from firstlight.errors import OptionError
from firstlight.physics import PinnSpec, find_problem
from firstlight.physics.activations import DEEPXDE_ACTIVATIONS, SMOOTH, activation
from firstlight.physics.deepxde import arithmetic, deepxde
from firstlight.physics.network import build_network
from firstlight.theory import ACTIVATIONS
from firstlight.theory.activations import derivative, named

POISSON = find_problem("poisson_1d")
SCALED = ["tanh(2x)", "erf(0.5x)", "softplus(3x)", "sin(2x)"]


@pytest.mark.parametrize(
    "name", [name for name in ACTIVATIONS if name not in ("linear", "identity")]
)
def test_smooth_is_what_has_a_derivative_without_jumps(name):
    x = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    slope = derivative(ACTIVATIONS[name])(x)
    jumps = bool((slope[1:] - slope[:-1]).abs().max() > 1e-2)
    assert (name in SMOOTH) is not jumps


@pytest.mark.parametrize("name", [*SMOOTH, *SCALED])
def test_the_network_computes_what_its_name_says(name):
    spec = PinnSpec(scheme="Glorot normal", activation=name, depth=2, width=4)
    with arithmetic("float64"):
        net = build_network(POISSON, spec, torch.zeros(4, 1).numpy())
        x = torch.linspace(-1, 1, 7)[:, None]
        h = x
        for layer in net.linears[:-1]:
            h = named(name)(h @ layer.weight.T + layer.bias)
        expected = h @ net.linears[-1].weight.T + net.linears[-1].bias
        assert torch.allclose(net(x), expected, rtol=1e-12)
    assert set(net.state_dict()) == {
        f"linears.{i}.{w}" for i in range(3) for w in ("weight", "bias")
    }


@pytest.mark.parametrize("name", DEEPXDE_ACTIVATIONS)
def test_deepxdes_own_are_deepxdes(name):
    assert activation(name) == name
    assert callable(deepxde().nn.activations.get(name))


@pytest.mark.parametrize(
    ("name", "omega"),
    [("softsign", 1), ("erf", 0.886227), ("tanh(2x)", 0.5), ("algebraic(4x)", 0.25)],
)
def test_the_diagonal_is_the_activations_critical_gain(name, omega):
    spec = PinnSpec(activation=name, depth=400, width=4)
    with arithmetic():
        net = build_network(POISSON, spec, torch.zeros(4, 1).numpy())
    inner = torch.stack([layer.weight.detach().diagonal() for layer in net.linears[1:-1]])
    assert inner.mean() == pytest.approx(omega, rel=0.01)


@pytest.mark.parametrize(
    "name",
    ["tan", "hardtanh", "linear", "relu(2x)", "tanh(-2x)", "tanh(0x)", "tanh(x)", "tanh(2x", 3],
)
def test_others_are_one_clear_line(name):
    with pytest.raises(OptionError, match=r"activation must be one of tanh, .* got") as caught:
        PinnSpec(activation=name)
    assert "\n" not in str(caught.value)
