import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import firstlight
from firstlight import physics, theory
from firstlight.errors import OptionError
from firstlight.physics.deepxde import deepxde
from firstlight.physics.initializers import DEEPXDE_INITIALIZERS

LAYERS = [2, 16, 16, 16, 1]


def weights(net):
    return [each.detach().clone() for each in net.parameters()]


def same(left, right):
    return all(map(torch.equal, weights(left), weights(right)))


def test_an_initializer_fills_while_deepxde_builds():
    fill = physics.initializer("diagonal_plus_noise", depth=4, activation="tanh")
    torch.manual_seed(3)
    net = deepxde().nn.FNN(LAYERS, "tanh", fill)
    sigma = theory.noise_scale(4, 1.0, None)
    for layer in net.linears:
        diagonal = torch.zeros_like(layer.weight)
        for row in range(len(diagonal)):
            diagonal[row, row % diagonal.shape[1]] = 1
        noise = (layer.weight - diagonal).detach() * layer.in_features**0.5 / sigma
        assert noise.abs().max() < 5
        assert not layer.bias.any()
    inner = net.linears[1].weight.detach() - torch.eye(16)
    assert inner.std() == pytest.approx(sigma / 4, rel=0.2)


def test_torchs_seed_is_the_initializers():
    fill = physics.initializer("orthogonal")
    nets = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        nets.append(deepxde().nn.FNN(LAYERS, "tanh", fill))
    assert same(nets[0], nets[1])
    assert not same(nets[0], nets[2])


@given(st.sampled_from(DEEPXDE_INITIALIZERS), st.integers(0, 10**6))
def test_deepxdes_own_are_bit_equal(name, seed):
    torch.manual_seed(seed)
    theirs = deepxde().nn.FNN(LAYERS, "tanh", name)
    torch.manual_seed(seed)
    by_name = deepxde().nn.FNN(LAYERS, "tanh", physics.initializer(name))
    whole = physics.initialize(deepxde().nn.FNN(LAYERS, "tanh", "zeros"), name, seed=seed)
    assert same(theirs, by_name)
    assert same(theirs, whole)


def test_deepxdes_own_are_bit_equal_in_parallel_networks():
    sizes = [2, 8, [4, 4], [4, 4], 2]
    torch.manual_seed(5)
    theirs = deepxde().nn.PFNN(sizes, "tanh", "Glorot uniform")
    ours = physics.initialize(deepxde().nn.PFNN(sizes, "tanh", "zeros"), "Glorot uniform", seed=5)
    assert same(theirs, ours)


def test_a_whole_network_is_firstlight_initialize():
    net = deepxde().nn.FNN(LAYERS, "tanh", "Glorot normal")
    other = deepxde().nn.FNN(LAYERS, "tanh", "Glorot normal")
    physics.initialize(net, "diagonal_plus_noise", seed=7)
    firstlight.initialize(other, "diagonal_plus_noise", seed=7, activation="tanh")
    assert same(net, other)


@pytest.mark.parametrize("scheme", ["diagonal_plus_noise", "edge_of_chaos", "orthogonal", "lsuv"])
@pytest.mark.parametrize("kind", ["FNN", "PFNN"])
def test_every_start_fills_every_network(scheme, kind):
    dde = deepxde()
    sizes = {"FNN": LAYERS, "PFNN": [2, 8, [4, 4], [4, 4], 2]}[kind]
    net = getattr(dde.nn, kind)(sizes, "tanh", "Glorot normal")
    before = weights(net)
    physics.initialize(net, scheme, example=torch.rand(64, 2))
    changed = [not torch.equal(a, b) for a, b in zip(before, weights(net), strict=True)]
    matrices = [each.dim() > 1 for each in before]
    assert changed == matrices


def test_registered_names_work_in_deepxdes_own_look_up():
    physics.register()
    physics.register()
    dde = deepxde()
    torch.manual_seed(0)
    named = dde.nn.FNN(LAYERS, "tanh", "diagonal_plus_noise:depth=4:activation=tanh")
    torch.manual_seed(0)
    made = dde.nn.FNN(
        LAYERS, "tanh", physics.initializer("diagonal_plus_noise", depth=4, activation="tanh")
    )
    assert same(named, made)
    assert dde.nn.initializers.get("Glorot normal") is torch.nn.init.xavier_normal_
    with pytest.raises(OptionError, match="scheme must be one of Glorot normal"):
        dde.nn.initializers.get("no such")
    with pytest.raises(OptionError, match="diagonal_plus_noise"):
        dde.nn.initializers.get("diagonal_plus_noise")


@pytest.mark.parametrize(
    ("scheme", "options", "line"),
    [
        ("lsuv", {}, "lsuv needs a batch of data, which an initializer does not see"),
        ("siren", {}, "siren needs each weight's place in the network"),
        ("diagonal_plus_noise", {"activation": "tanh"}, "needs depth, which it does not see"),
        ("diagonal_plus_noise", {"depth": 3}, "needs activation, which it does not see"),
        ("diagonal_plus_noise", {"depth": 3, "activation": "relu"}, "relu"),
        ("diagonal_plus_noise", {"depth": 0, "activation": "tanh"}, "depth"),
        ("orthogonal", {"depth": 3}, "does not use the option 'depth'"),
        ("Glorot normal", {"gain": 2}, "Glorot normal is DeepXDE's own and takes no options"),
        ("nothing", {}, "scheme must be one of Glorot normal"),
    ],
)
def test_what_an_initializer_cannot_do_is_one_clear_line(scheme, options, line):
    with pytest.raises(OptionError, match=line) as caught:
        physics.initializer(scheme, **options)
    assert "\n" not in str(caught.value)


def test_making_an_initializer_draws_nothing():
    torch.manual_seed(0)
    first = torch.rand(1)
    torch.manual_seed(0)
    physics.initializer("diagonal_plus_noise", depth=4, activation="tanh")
    assert torch.equal(torch.rand(1), first)


@pytest.mark.parametrize("scheme", ["diagonal_plus_noise", "orthogonal", "auto", "lsuv"])
def test_a_network_of_zeros_is_filled_as_any_other(scheme):
    example = torch.rand(64, 2, generator=torch.Generator().manual_seed(0))
    nets = [deepxde().nn.FNN(LAYERS, "tanh", name) for name in ("zeros", "Glorot normal")]
    for net in nets:
        physics.initialize(net, scheme, seed=2, example=example)
    assert all(bool(layer.weight.any()) for layer in nets[0].linears)
    if scheme != "auto":  # which may keep what it finds
        assert same(*nets)


def test_zeros_that_are_wanted_and_a_refusal_leave_zeros():
    net = deepxde().nn.FNN(LAYERS, "relu", "zeros")
    with pytest.raises(OptionError, match="relu is no odd sigmoid"):
        physics.initialize(net, "diagonal_plus_noise")
    assert not any(bool(each.any()) for each in net.parameters())
    net = deepxde().nn.FNN(LAYERS, "tanh", "Glorot normal")
    torch.nn.init.zeros_(net.linears[-1].weight)
    physics.initialize(net, "orthogonal")
    assert not net.linears[-1].weight.any()


@pytest.mark.parametrize("scheme", ["Glorot normal", "orthogonal"])
@pytest.mark.parametrize("seed", [-1, 1.5, "1", None, True])
def test_a_seed_is_a_whole_number(scheme, seed):
    net = deepxde().nn.FNN(LAYERS, "tanh", "Glorot normal")
    before = weights(net)
    with pytest.raises(OptionError, match="seed must be a whole number >= 0, got"):
        physics.initialize(net, scheme, seed=seed)
    assert all(map(torch.equal, before, weights(net)))


def test_deepxdes_own_take_torchs_seeds():
    net = deepxde().nn.FNN(LAYERS, "tanh", "zeros")
    with pytest.raises(OptionError, match=r"seed must be below 2\^64 for He normal, got 1180"):
        physics.initialize(net, "He normal", seed=2**70)
    assert not any(bool(each.any()) for each in net.parameters())
    physics.initialize(net, "He normal", seed=2**64 - 1)
    assert net.linears[0].weight.any()


def test_a_generator_is_none_of_ones_own():
    with pytest.raises(OptionError, match=r"generator must be a torch.Generator.*got 3"):
        physics.initializer("orthogonal", generator=3)


def test_a_wrong_name_changes_nothing():
    net = deepxde().nn.FNN(LAYERS, "tanh", "Glorot normal")
    before = weights(net)
    with pytest.raises(OptionError, match="scheme must be one of"):
        physics.initialize(net, "nothing")
    assert all(map(torch.equal, before, weights(net)))
