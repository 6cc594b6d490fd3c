"""What the trace says of small networks whose facts are plain, and that it leaves no trace."""

import math

import pytest
import torch
from snapshot import check_equal, snapshot
from torch import nn
from torch.nn import functional
from zoo import CASES, ZOO
from zoo.entry import load

import firstlight
from firstlight.model import trace


class Net(nn.Module):
    """Layers by name, and a forward given as a function of the module and x."""

    def __init__(self, run, **layers):
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.run(self, x)


def mlp(activation, depth=2):
    layers = {f"l{i}": nn.Linear(8, 8) for i in range(depth)}

    def run(net, x):
        for name in layers:
            x = activation(getattr(net, name)(x))
        return net.head(x)

    own = {"activation": activation} if isinstance(activation, nn.Module) else {}
    return Net(run, **layers, **own, head=nn.Linear(8, 3))


def both_ways(model, x):
    ways = [trace(model), trace(model, x)]
    assert [way.how for way in ways] == ["torch.fx", "a run on the meta device"]
    return ways


X = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        (lambda x: x * torch.sigmoid(x), "silu"),
        (lambda x: x.sigmoid().mul(x), "silu"),
        (lambda x: functional.gelu(x, approximate="tanh"), "gelu_tanh"),
        (
            lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
            "gelu_tanh",
        ),
        (lambda x: x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0))), "gelu"),
        (lambda x: x.clamp(min=0), "relu"),
        (lambda x: torch.where(x > 0, x, 0.0), "relu"),
        (nn.Tanh(), "tanh"),
        (torch.tanh, "tanh"),
    ],
)
def test_activations_are_known_by_what_they_compute(activation, name):
    for known in both_ways(mlp(activation), X):
        site = known.facts["l0.weight"].after
        assert (site.name, site.measured) == (name, False)
        assert known.facts["head.weight"].before.name == name


@pytest.mark.parametrize("f", [lambda x: x - torch.sin(x), lambda x: functional.relu(x).square()])
def test_an_unseen_activation_is_measured(f):
    for known in both_ways(mlp(f), X):
        site = known.facts["l1.weight"].after
        assert site.measured
        x = torch.linspace(-2, 2, 9, dtype=torch.float64)
        torch.testing.assert_close(site.function(x), f(x))
        gain = firstlight.theory.gain(site.function)
        assert gain == pytest.approx(firstlight.theory.gain(f))


@pytest.mark.skipif(not ZOO["hf_gpt2"].available, reason="needs transformers")
@pytest.mark.parametrize(
    ("kind", "name"),
    [("NewGELUActivation", "gelu_tanh"), ("QuickGELUActivation", None), ("SiLUActivation", "silu")],
)
def test_activation_modules_of_transformers(kind, name):
    act = getattr(load("transformers.activations"), kind)()
    for known in both_ways(nn.Sequential(nn.Linear(8, 8), act, nn.Linear(8, 3)), X):
        site = known.facts["0.weight"].after
        assert site.name == (name or kind)
        assert site.measured == (name is None)


class Wrapped(nn.Module):
    """Does not say which function it holds."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def test_modules_that_look_alike_are_told_apart():
    for function, name in ((torch.tanh, "tanh"), (torch.erf, "erf"), (functional.relu, "relu")):
        net = nn.Sequential(nn.Linear(8, 8), Wrapped(function), nn.Linear(8, 3))
        for known in both_ways(net, X):
            assert known.facts["0.weight"].after.name == name


def test_a_scale_and_a_shift_are_no_activation():
    for known in both_ways(mlp(lambda x: x * 3 + 1), X):
        assert known.facts["l0.weight"].after is None
        assert not known.activations


def test_depth_and_height_count_weights_and_heads_are_ends():
    for known in both_ways(mlp(torch.relu, 3), X):
        at = {name: (f.depth, f.height, f.feeds) for name, f in known.facts.items()}
        assert at["l0.weight"] == at["l0.bias"] == (0, 3, "activation")
        assert at["l2.weight"] == (2, 1, "activation")
        assert at["head.weight"] == (3, 0, "head")
        assert (known.facts["l0.weight"].reads, known.depth) == ("data", 4)


def test_a_branch_that_is_added_back_ends_in_a_residual():
    def run(net, x):
        x = net.stem(x)
        x = x + net.out(functional.gelu(net.inner(net.norm(x))))
        return net.head(x)

    names = ("stem", "inner", "out", "head")
    layers = {name: nn.Linear(8, 8) for name in names}
    for known in both_ways(Net(run, norm=nn.LayerNorm(8), **layers), X):
        facts = {name: known.facts[f"{name}.weight"] for name in names}
        assert (facts["inner"].reads, facts["inner"].feeds) == ("norm", "activation")
        assert (facts["out"].reads, facts["out"].feeds) == ("activation", "residual")
        assert facts["out"].after is None
        assert facts["head"].reads == "sum"
        assert known.residual
        assert known.normalised


@pytest.mark.parametrize("rotated", [False, True])
def test_queries_keys_and_values_feed_attention(rotated):
    """Positions that rotate queries add a weight's output to itself: that is no residual."""

    def turn(x):
        return x * 0.8 + torch.cat([-x[..., 4:], x[..., :4]], -1) * 0.6 if rotated else x

    def run(net, x):
        scores = turn(net.q(x)) @ turn(net.k(x)).transpose(-1, -2)
        return net.o(scores.softmax(-1) @ net.v(x))

    model = Net(run, **{name: nn.Linear(8, 8) for name in "qkvo"})
    for known in both_ways(model, X[None]):
        assert [known.facts[f"{n}.weight"].feeds for n in "qkvo"] == ["attention"] * 3 + ["head"]
        assert known.facts["o.weight"].reads == "attention"


@pytest.mark.parametrize("halves", [False, True])
def test_a_gate_and_what_it_gates_are_told_apart(halves):
    """Cut from one output or not, the two factors of a gate are two signals."""

    def run(net, x):
        gate, up = net.fused(x).chunk(2, -1) if halves else (net.gate(x), net.up(x))
        return net.down(functional.silu(gate) * up)

    layers = {"fused": nn.Linear(8, 16)} if halves else {n: nn.Linear(8, 8) for n in ("gate", "up")}
    for known in both_ways(Net(run, **layers, down=nn.Linear(8, 8)), X):
        assert known.facts["down.weight"].reads == "gate"
        assert [site.name for site in known.activations.values()] == ["silu"]
        if not halves:
            assert known.facts["gate.weight"].after.name == "silu"
            assert known.facts["up.weight"].feeds == "gate"
            assert known.facts["up.weight"].after is None


def test_an_activation_is_seen_through_norms_and_inside_them():
    first, last, x = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3), torch.randn(2, 3, 8, 8)
    middles = [[nn.BatchNorm2d(4), nn.ELU()]]
    if ZOO["timm_vit"].available:
        middles.append([load("timm.layers").BatchNormAct2d(4, act_layer=nn.ELU)])
    for middle in middles:
        for known in both_ways(nn.Sequential(first, *middle, last), x):
            facts = known.facts["0.weight"]
            assert (facts.feeds, facts.after.name) == ("norm", "elu")
            assert known.facts[f"{1 + len(middle)}.weight"].before.name == "elu"
            assert known.normalised


@pytest.mark.parametrize("omega", [30.0, 1.0])
def test_the_frequency_of_a_sine_network_is_found(omega):
    plan = firstlight.plan(mlp(lambda x: torch.sin(omega * x)))
    assert plan["l1.weight"].scheme == plan["head.weight"].scheme == "siren"
    assert plan["l1.weight"].options["omega"] == pytest.approx(omega)


def test_fourier_features_are_no_sine_network():
    def run(net, x):
        angles = x @ net.frequencies
        return net.head(net.body(torch.cat([angles.sin(), angles.cos()], -1)).relu())

    model = Net(run, body=nn.Linear(8, 8), head=nn.Linear(8, 2))
    model.register_buffer("frequencies", torch.randn(8, 4))
    for known in both_ways(model, X):
        assert (known.facts["body.weight"].depth, known.facts["head.weight"].depth) == (0, 1)
    plan = firstlight.plan(model)
    assert {plan["body.weight"].scheme, plan["head.weight"].scheme} == {None}


def facts_of(known):
    def short(f):
        names = (f.before.name if f.before else "", f.after.name if f.after else "")
        return (f.reads, *names, f.feeds, f.depth, f.height)

    return {name: short(f) for name, f in known.facts.items()}


@pytest.mark.parametrize("entry", CASES)
def test_the_code_and_a_run_tell_the_same(entry, request):
    model = entry.build()
    read, run = trace(model), trace(model, entry.example() if entry.example else None)
    if request.node.callspec.id == "torchvision_swin":
        request.applymarker(pytest.mark.xfail(strict=True, reason="its attention is an fx leaf"))
    if read.how == "torch.fx" and run.graph is not None:
        assert facts_of(read) == facts_of(run)
    elif request.node.callspec.id != "scripted":
        assert run.facts


class Fails(nn.Module):
    """Goes by the data, counts its runs, caches and draws; then fails."""

    def __init__(self, fails=True):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
        self.register_buffer("runs", torch.zeros(()))
        self.fails = fails

    def forward(self, x):
        self.runs += 1
        self.cache = self.body(x) if x.sum() > -1e9 else x
        if self.fails:
            raise RuntimeError("no such batch")
        return self.cache.tanh()


@pytest.mark.parametrize("fails", [True, False])
def test_a_real_run_leaves_the_model_as_it_was(fails):
    model = Fails(fails)
    before = snapshot(model)
    known = trace(model, X)
    assert known.how.startswith("not traced" if fails else "a run on the batch")
    assert fails == ("no such batch" in known.how)
    check_equal(before, snapshot(model))
