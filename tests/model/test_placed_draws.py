"""Draws of any code into parameters: keyed by name and place, and of the law that was asked for."""

import math
from unittest import mock

import pytest
import torch
from scipy import stats
from torch import nn

from firstlight.errors import OptionError
from firstlight.model.sharding import placed_draws


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(300, 200), nn.Linear(300, 200)
        self.table = nn.Embedding(50, 30)
        self.scale = nn.Parameter(torch.zeros(()))
        self.vector = nn.Parameter(torch.zeros(5000))


def drawn(action, seed=0):
    net = Net()
    with placed_draws(net, seed), torch.no_grad():
        action(net)
    return net


@pytest.mark.parametrize(
    ("draw", "mean", "std"),
    [
        (lambda w: nn.init.normal_(w, 0.5, 0.02), 0.5, 0.02),
        (lambda w: nn.init.uniform_(w, 1.0, 2.0), 1.5, 1 / math.sqrt(12)),
        (lambda w: nn.init.kaiming_uniform_(w, a=math.sqrt(5)), 0.0, 1 / math.sqrt(3 * 300)),
        (nn.init.xavier_normal_, 0.0, math.sqrt(2 / 500)),
        (lambda w: nn.init.trunc_normal_(w, 0.1, 1.0, -1.9, 2.1), 0.1, 0.8796),
        (lambda w: w.data.normal_(0, 0.02), 0.0, 0.02),
        (lambda w: w.normal_(), 0.0, 1.0),
        (lambda w: w.uniform_(), 0.5, 1 / math.sqrt(12)),
    ],
)
def test_the_law_that_was_asked_for_is_drawn_the_same_each_time(draw, mean, std):
    one, two, other = (
        drawn(lambda net: draw(net.a.weight), seed).a.weight.detach() for seed in (0, 0, 1)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert abs(float(one.mean()) - mean) < 5 * std / math.sqrt(60_000)
    assert float(one.std()) == pytest.approx(std, rel=0.02)


@pytest.mark.parametrize(
    ("draw", "law"),
    [
        (lambda v: nn.init.normal_(v, 1.0, 0.5), stats.norm(1.0, 0.5)),
        (lambda v: nn.init.uniform_(v, -1.0, 3.0), stats.uniform(-1.0, 4.0)),
        (lambda v: v.data.uniform_(0.5), stats.uniform(0.5, 0.5)),
        (lambda v: nn.init.trunc_normal_(v, 0.5, 1.0, 0.0, 2.0), stats.truncnorm(-0.5, 1.5, 0.5)),
        (lambda v: nn.init.trunc_normal_(v, std=0.02), stats.norm(0.0, 0.02)),
    ],
)
def test_vectors_and_scalars_are_drawn_from_the_law(draw, law):
    net = drawn(lambda net: draw(net.vector))
    assert stats.kstest(net.vector.detach().numpy(), law.cdf).pvalue > 1e-3
    scalars = [float(drawn(lambda net: draw(net.scale), seed).scale.detach()) for seed in range(60)]
    assert stats.kstest(scalars, law.cdf).pvalue > 1e-3


def test_a_vector_and_a_bias_of_one_length_differ_by_their_names():
    net = drawn(lambda net: [nn.init.normal_(layer.bias) for layer in (net.a, net.b)])
    assert net.a.bias.all()
    assert not (net.a.bias == net.b.bias).any()


def test_an_embeddings_padding_row_stays_zero():
    table = nn.Embedding(50, 30, padding_idx=4)
    with placed_draws(table):
        table.reset_parameters()
    assert not table.weight[4].any()
    assert table.weight[[3, 5]].all()


def test_a_matrix_drawn_in_another_memory_order_is_the_same():
    net, turned = Net(), Net()
    turned.a.weight = nn.Parameter(torch.empty(300, 200).t())
    for one in (net, turned):
        with placed_draws(one):
            nn.init.normal_(one.a.weight)
    assert torch.equal(net.a.weight, turned.a.weight)


def test_limits_of_a_truncated_draw_hold_in_half_precision_too():
    net = Net().to(torch.bfloat16)
    with placed_draws(net):
        nn.init.trunc_normal_(net.a.weight, 0.0, 1.0, -0.7001, 1.3001)
    limits = torch.tensor([-0.7001, 1.3001], dtype=torch.bfloat16)
    assert limits[0] <= net.a.weight.min()
    assert net.a.weight.max() <= limits[1]


def test_limits_of_a_truncated_draw_hold_when_the_mean_is_added():
    """Between limits a few roundings apart every second value stands at one of them."""
    low, high = 0.3, 0.3 + 1e-7
    for mean in torch.linspace(-3, 3, 41).tolist():
        net = drawn(lambda net, m=mean: nn.init.trunc_normal_(net.vector, m, 5.0, low, high))
        limits = torch.tensor([low, high])
        assert limits[0] <= net.vector.min()
        assert net.vector.max() <= limits[1]


def test_the_order_of_layers_and_other_draws_do_not_matter():
    forwards = drawn(lambda net: [nn.init.normal_(p) for p in net.parameters()])
    backwards = drawn(lambda net: [nn.init.normal_(p) for p in reversed([*net.parameters()])])
    for a, b in zip(forwards.parameters(), backwards.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.any()
    assert not torch.equal(forwards.a.weight, forwards.b.weight)


def test_a_second_draw_differs_from_the_first():
    once = drawn(lambda net: nn.init.normal_(net.a.weight))
    twice = drawn(lambda net: [nn.init.normal_(net.a.weight) for _ in range(2)])
    assert not torch.equal(once.a.weight, twice.a.weight)


def test_temporary_tensors_are_torchs_own_affair():
    def seeded(net):
        torch.manual_seed(3)
        net.a.weight.copy_(torch.empty(200, 300).normal_())

    net = drawn(seeded)
    torch.manual_seed(3)
    assert torch.equal(net.a.weight, torch.empty(200, 300).normal_())


@pytest.mark.parametrize("gain", [1.0, -2.0])
def test_orthogonal_starts_are_drawn_by_name_too(gain):
    one, two, other = (
        drawn(lambda net: nn.init.orthogonal_(net.a.weight, gain), seed).a.weight.detach()
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.allclose(one @ one.T, gain**2 * torch.eye(200), atol=1e-5)
    assert nn.init.orthogonal_.__module__ == "torch.nn.init"


def test_a_complex_parameter_is_drawn_in_both_parts():
    net = Net()
    net.complex = nn.Parameter(torch.zeros(200, 300, dtype=torch.complex64))
    with placed_draws(net), torch.no_grad():
        net.complex.normal_(0.5, 2.0)
    parts = torch.view_as_real(net.complex.detach()).flatten(0, 1)
    assert parts.mean(0).tolist() == pytest.approx([0.5, 0.0], abs=0.03)
    assert parts.std(0).tolist() == pytest.approx([math.sqrt(2)] * 2, rel=0.02)
    assert abs(float(torch.corrcoef(parts.T)[0, 1])) < 0.02


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_upper_end_of_a_uniform_draw_is_never_drawn(dtype):
    layer = nn.Linear(2000, 1000, dtype=dtype)
    with placed_draws(layer), torch.no_grad():
        layer.weight.uniform_(1.0, 1.5)
        assert layer.weight.min() >= 1.0
        assert layer.weight.max() < 1.5
        layer.bias.uniform_(0.25, 0.25)
        assert (layer.bias == 0.25).all()


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda w: w.normal_(0, -1), "normal expects std >= 0.0"),
        (lambda w: w.uniform_(2, 1), r"from=2 > to=1"),
    ],
)
def test_what_is_no_law_is_refused_as_torch_does(draw, words):
    before = Net()
    weight = before.a.weight.detach().clone()
    with placed_draws(before), torch.no_grad(), pytest.raises(RuntimeError, match=words):
        draw(before.a.weight)
    assert torch.equal(before.a.weight, weight)


def test_two_weights_drawn_by_one_name_are_the_same():
    net = Net()
    with placed_draws(net, names={"b.weight": "a.weight"}):
        for layer in (net.a, net.b):
            layer.reset_parameters()
    assert torch.equal(net.a.weight, net.b.weight)
    assert not torch.equal(net.a.bias, net.b.bias)


def test_torchs_random_state_is_left_alone():
    net, before = Net(), torch.get_rng_state()
    with placed_draws(net):
        net.a.reset_parameters()
        net.table.reset_parameters()
    assert torch.equal(before, torch.get_rng_state())
    assert float(net.table.weight.detach().std()) == pytest.approx(1.0, abs=0.1)


def test_torchs_own_truncated_draw_is_back_afterwards_and_after_an_error():
    before = nn.init._no_grad_trunc_normal_
    with placed_draws(Net()):
        assert nn.init._no_grad_trunc_normal_ is not before
    assert nn.init._no_grad_trunc_normal_ is before
    with pytest.raises(ZeroDivisionError), placed_draws(Net()):
        _ = 1 / 0
    assert nn.init._no_grad_trunc_normal_ is before


def test_after_an_error_draws_are_torchs_own_again():
    net, expected = Net(), torch.empty(200, 300)
    with pytest.raises(ZeroDivisionError), placed_draws(net):
        _ = 1 / 0
    for weight in (net.a.weight, expected):
        torch.manual_seed(3)
        nn.init.normal_(weight)
    assert torch.equal(net.a.weight, expected)


def test_a_library_without_that_function_is_no_matter():
    with mock.patch.object(nn.init, "_no_grad_trunc_normal_", None):
        assert drawn(lambda net: nn.init.normal_(net.scale)).scale != 0


@pytest.mark.parametrize(
    "wrap", [nn.DataParallel, lambda model: torch.compile(model, backend="eager")]
)
def test_wrappers_change_no_draw(wrap):
    plain, inner = Net(), Net()
    for model in (plain, wrap(inner)):
        with placed_draws(model, seed=2):
            for module in model.modules():
                if isinstance(module, nn.Linear):
                    module.reset_parameters()
    assert torch.equal(plain.a.weight, inner.a.weight)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("x",), {}, "expected a torch.nn.Module"),
        ((nn.Linear(2, 2), -1), {}, "seed must be a whole number"),
        ((nn.Linear(2, 2),), {"names": ["weight"]}, "names must map"),
    ],
)
def test_bad_arguments_are_refused(arguments, options, words):
    with pytest.raises(OptionError, match=words), placed_draws(*arguments, **options):
        pass
