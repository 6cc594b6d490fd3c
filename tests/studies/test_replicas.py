import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from firstlight.errors import OptionError
from firstlight.studies import replica_optimizers
from firstlight.studies.deep_network import STRUCTURES, DeepNetwork, parameters
from firstlight.studies.replicas import Replicas

RATES = (1e-3, 1e-2, 0.1)
OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adam:beta1=0.5:beta2=0.9:eps=0.001": lambda p, lr: torch.optim.Adam(
        p, lr, betas=(0.5, 0.9), eps=1e-3
    ),
    "sgd": torch.optim.SGD,
    "sgd:momentum=0.9": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9),
    "sgd:momentum=0.9:nesterov=True": lambda p, lr: torch.optim.SGD(
        p, lr, momentum=0.9, nesterov=True
    ),
}


def modules(network, count=3, seed=0):
    torch.manual_seed(seed)
    return [network.build().double() for _ in range(count)]


def trained_alone(module, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad()
        cross_entropy(module(x), y).backward()
        optimizer.step()
    return torch.cat([each.detach().flatten() for each in module.parameters()])


@pytest.mark.parametrize("text", OPTIMIZERS)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_replicas_train_as_each_would_alone(structure, text):
    network = DeepNetwork(5, 3, (6, 4), 5, "tanh", structure)
    each = modules(network)
    replicas = Replicas(each)
    optimizer = replica_optimizers.build(text, torch.tensor(RATES, dtype=torch.float64))
    torch.manual_seed(1)
    batches = [
        (torch.randn(3, 7, 5, dtype=torch.float64), torch.randint(0, 3, (3, 7))) for _ in range(12)
    ]
    for x, y in batches:
        logits = replicas(x, training=True).logits
        losses = cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none")
        replicas.backward(losses.view(3, -1).mean(1))
        optimizer.step(replicas.values, replicas.gradients)
    for number, (module, rate) in enumerate(zip(each, RATES, strict=True)):
        own = [(x[number], y[number]) for x, y in batches]
        alone = trained_alone(module, OPTIMIZERS[text](module.parameters(), rate), own)
        # biases before a batch norm have no gradient but rounding, which Adam makes steps of
        near = 1e-6 if structure == "batch_norm" and text.startswith("adam") else 1e-9
        assert torch.allclose(replicas.values[number], alone, rtol=1e-6, atol=near)
        x = batches[0][0]
        module.eval()
        with torch.no_grad():
            together, by_itself = replicas(x).logits[number], module(x[number])
        assert torch.allclose(together, by_itself, rtol=1e-6, atol=near)


@given(
    widths=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    depth=st.integers(3, 7),
    structure=st.sampled_from(STRUCTURES),
    shared=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_the_forward_pass_is_that_of_the_modules(widths, depth, structure, shared):
    network = DeepNetwork(4, 3, tuple(widths), depth, "softsign", structure)
    each = modules(network, count=4)
    x = torch.randn(2, 1, 8, 4, dtype=torch.float64)
    given_ = x if shared else x.expand(2, 2, 8, 4).flatten(0, 1)
    passed = Replicas(each)(given_, training=True, keep=True)
    assert [tuple(h.shape) for h in passed.hidden] == [(4, 8, w) for w in network.sizes[1:-1]]
    for number, module in enumerate(each):
        assert torch.allclose(passed.logits[number], module(x[number // 2, 0]), atol=1e-10)


def test_one_replica_of_nan_leaves_the_others_alone():
    network = DeepNetwork(4, 2, (3,), 3)
    each = modules(network)
    with torch.no_grad():
        each[1].layers[0].weight.fill_(float("nan"))
    replicas = Replicas(each)
    losses = replicas(torch.randn(3, 5, 4, dtype=torch.float64)).logits.square().mean((1, 2))
    replicas.backward(losses)
    assert replicas.gradients.isnan().any(1).tolist() == [False, True, False]


def test_replicas_have_one_shape():
    one, other = DeepNetwork(4, 2, (3,), 3), DeepNetwork(4, 2, (3,), 4)
    with pytest.raises(OptionError, match="same DeepNetwork"):
        Replicas([one.build(), other.build()])
    with pytest.raises(OptionError, match="same DeepNetwork"):
        Replicas([])


def test_a_residual_network_skips_a_round_of_its_widths():
    network = DeepNetwork(4, 2, (6, 3), 5, structure="residual")
    assert [network.skips(layer) for layer in range(5)] == [None, None, 0, None, 2]
    module = network.build()
    with torch.no_grad():
        for layer in (*module.layers[1:], module.output):
            layer.weight.zero_()
            layer.bias.zero_()
        module.output.weight[0, 0] = 1.0
    x = torch.randn(3, 4)
    first = torch.tanh(module.layers[0](x))
    assert torch.allclose(module(x)[:, 0], first[:, 0])


def test_parameters_are_counted():
    network = DeepNetwork(5, 3, (6, 4), 5, structure="batch_norm")
    assert parameters(network) == sum(each.numel() for each in network.build().parameters())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"widths": (0,)}, "a width must be a whole number from 1"),
        ({"widths": (-4,)}, "a width must be a whole number from 1"),
        ({"widths": ()}, "widths must be a tuple"),
        ({"widths": (4, 3), "depth": 1}, "cannot have 2 widths in turn"),
        ({"depth": 0}, "depth must be a whole number from 1"),
        ({"depth": 2.5}, "depth must be a whole number"),
        ({"activation": "tan"}, "activation must be one of"),
        ({"activation": "tanh:scale=0"}, "activation must read as|scale must be"),
        (
            {"activation": "tanh:gain=2"},
            "activation must read as in tanh, tanh.2x. or",
        ),
        ({"structure": "dense"}, "structure must be one of plain, batch_norm"),
    ],
)
def test_what_is_no_network_is_one_line(change, said):
    given_ = {"inputs": 4, "classes": 2, "widths": (3,), "depth": 3, **change}
    with pytest.raises(OptionError, match=said) as error:
        DeepNetwork(**given_)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["adamw", "lion", "adam:momentum=0.9", "sgd:momentum=x", 3])
def test_what_is_no_optimizer(text):
    with pytest.raises(OptionError):
        replica_optimizers.check(text)
