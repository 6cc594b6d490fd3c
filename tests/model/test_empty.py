"""Models built on the meta device and given memory by ``to_empty``: nothing stays garbage."""

import importlib.util

import pytest
import torch
from torch import nn
from zoo.entry import load

import firstlight
from firstlight import FirstlightError, OptionError


class Positions(nn.Module):
    """Holds a buffer and a parameter that nobody but its own ``__init__`` fills."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 6)
        self.register_buffer("table", torch.arange(6.0))
        self.token = nn.Parameter(torch.zeros(6))

    def forward(self, x):
        return self.body(x + self.table + self.token)


def build(device=None):
    with torch.device(device or "cpu"):
        return nn.Sequential(
            nn.Embedding(20, 8), nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.LSTM(16, 4)
        )


@pytest.fixture
def t():
    """Return transformers."""
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("transformers is not installed")
    return load("transformers")


def poisoned(model):
    """Give a meta model memory, with the worst that memory can hold."""
    model.to_empty(device="cpu")
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.detach().fill_(float("nan") if tensor.is_floating_point() else 77)
    return model


def test_a_meta_model_is_planned_but_not_written():
    model = build("meta")
    plan = firstlight.plan(model, "harmonic")
    assert set(plan.blocked) >= {"1.weight", "1.bias", "2.running_var"}
    assert "cannot be applied yet" in str(plan)
    with pytest.raises(OptionError, match=r"is on the meta device .*to_empty"):
        plan.apply()
    with pytest.raises(OptionError, match=r"is on the meta device .*to_empty"):
        firstlight.initialize(model, "harmonic")
    assert all(p.is_meta for p in model.parameters())


@pytest.mark.parametrize("fill", ["nan", "zeros"])
def test_a_plan_made_on_meta_fills_everything_after_to_empty(fill):
    model = build("meta")
    plan = firstlight.plan(model, "harmonic", seed=4)
    poisoned(model)
    if fill == "zeros":  # what fresh memory often holds must not pass for zero on purpose
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.detach().zero_()
    plan.apply()
    real = firstlight.initialize(build(), "harmonic", seed=4)
    for (name, one), two in zip(
        model.state_dict().items(), real.state_dict().values(), strict=True
    ):
        assert one.isfinite().all(), name
        if name != "0.weight":  # the framework's own draw
            assert torch.equal(one, two), name
    assert 0.8 < model[0].weight.std() < 1.2


def test_the_frameworks_own_start_is_keyed_by_seed():
    def table(seed):
        model = build("meta")
        plan = firstlight.plan(model, "harmonic", seed=seed)
        plan_model = poisoned(model)
        state = torch.get_rng_state()
        plan.apply()
        assert torch.equal(state, torch.get_rng_state())
        return plan_model[0].weight.detach().clone()

    assert torch.equal(table(1), table(1))
    assert not torch.equal(table(1), table(2))


def test_what_nobody_fills_is_refused_by_name():
    with torch.device("meta"):
        model = Positions()
    plan = firstlight.plan(model, "harmonic")
    assert plan.unfilled == ("token", "table")
    assert "nobody fills after to_empty: token, table" in str(plan)
    poisoned(model)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    with pytest.raises(FirstlightError, match=r"nobody fills token, table after to_empty"):
        plan.apply()
    after = model.state_dict()
    assert all(
        torch.equal(
            before[n],
            after[n],
        )
        or before[n].isnan().all()
        for n in before
    )
    firstlight.initialize(model, "harmonic", empty=True, exclude=["token", "table"])
    assert model.body.weight.isfinite().all()


def test_hugging_face_buffers_are_filled_by_their_own_library(t):
    config = t.LlamaConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=50,
    )
    with torch.device("meta"):
        model = t.LlamaForCausalLM(config)
    plan = firstlight.plan(model)
    poisoned(model)
    plan.apply()
    expected = t.LlamaForCausalLM(config).model.rotary_emb.inv_freq
    assert torch.equal(model.model.rotary_emb.inv_freq, expected)
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())


def test_a_stage_of_a_hugging_face_model_starts_as_the_whole_does(t):
    config = t.GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=50, n_positions=8)
    with torch.device("meta"):
        model, stage = t.GPT2LMHeadModel(config), nn.Module()
        stage.transformer = nn.Module()
        stage.transformer.wte = nn.Embedding(50, 32)
    plan = firstlight.plan(model)
    plan.apply(poisoned(stage), undo=False)
    plan.apply(poisoned(model), undo=False)
    assert float(model.transformer.wte.weight.detach().std()) == pytest.approx(0.02, rel=0.1)
    assert torch.equal(stage.transformer.wte.weight, model.transformer.wte.weight)
    assert torch.equal(model.lm_head.weight, model.transformer.wte.weight)


class Broken(nn.Linear):
    def reset_parameters(self):
        raise ValueError("no\nway")


def test_a_layers_own_start_that_fails_is_named():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(3, 3), nn.Embedding(4, 3))
        model.broken = Broken.__new__(Broken)
        model.broken.__dict__.update(nn.Linear(3, 3).__dict__)
    poisoned(model)
    with pytest.raises(
        FirstlightError, match=r"^the own start of broken \(Broken\) failed: no way"
    ):
        firstlight.initialize(model, empty=True)


def test_what_is_not_included_gets_the_frameworks_start_in_an_empty_model():
    model = poisoned(build())
    firstlight.initialize(model, "harmonic", include=["1.*"], empty=True)
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())


def test_garbage_that_is_left_alone_is_refused_where_it_shows():
    model = poisoned(build())
    with pytest.raises(FirstlightError, match=r"^0.weight holds NaN.* pass empty=True"):
        firstlight.initialize(model)
    assert model[1].weight.isnan().all()  # and nothing was written


def test_blocks_start_their_layers_again_as_when_the_model_is_made(t):
    config = t.GPT2Config(n_embd=64, n_layer=8, n_head=2, vocab_size=50, n_positions=8)
    with torch.device("meta"):
        model = t.GPT2LMHeadModel(config)
    plan = firstlight.plan(model)
    poisoned(model)
    plan.apply(undo=False)
    narrow = model.transformer.h[3].attn.c_proj.weight.detach()
    assert float(narrow.std()) == pytest.approx(0.02 / 4, rel=0.1)
    wide = model.transformer.h[3].attn.c_attn.weight.detach()
    assert float(wide.std()) == pytest.approx(0.02, rel=0.1)


def test_attention_starts_the_layers_in_it():
    with torch.device("meta"):
        model = nn.MultiheadAttention(64, 4)
    plan = firstlight.plan(model)
    plan.apply(poisoned(model))
    assert not model.out_proj.bias.any()
    assert not model.in_proj_bias.any()
    assert (
        float(model.in_proj_weight.detach().abs().max()) <= (6 / (64 + 192)) ** 0.5
    )  # Xavier's bound


class Fills(nn.Module):
    """Starts all that it has, and what its user has excluded, too."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.mine, self.own = nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(4))
        self.register_buffer("mask", torch.zeros(4, dtype=torch.bool))
        self.register_buffer("small", torch.zeros(4, dtype=torch.uint8))

    def reset_parameters(self):
        with torch.no_grad():
            for tensor in (self.mine, self.own):
                tensor.fill_(1.0)
            self.small.zero_()


def test_what_is_excluded_stays_whatever_a_layers_own_start_does():
    with torch.device("meta"):
        model = Fills()
    plan = firstlight.plan(model, exclude=["mine", "mask"])
    poisoned(model)
    model.mine.detach().fill_(5.0)
    model.mask.fill_(True)
    plan.apply()
    assert (model.mine == 5).all()
    assert (model.own == 1).all()
    assert model.mask.all()
    assert not model.small.any()


def test_a_mask_that_nobody_fills_is_named():
    with torch.device("meta"):
        model = Fills()
    with pytest.raises(FirstlightError, match="nobody fills mask after to_empty"):
        firstlight.plan(model).apply(poisoned(model))


def test_what_a_parametrization_keeps_for_itself_is_named():
    with torch.device("meta"):
        model = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)))
    plan = firstlight.plan(model, "he_normal")
    assert plan.unfilled == tuple(f"0.parametrizations.weight.0.{name}" for name in ("_u", "_v"))
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)))
    firstlight.initialize(poisoned(model), "he_normal", empty=True)
    assert model[0].weight.isfinite().all()


@pytest.mark.parametrize(("gain", "what"), [(1e-9, "all zeros"), (1e7, "not finite")])
@pytest.mark.parametrize("undo", [False, True])
def test_values_that_the_dtype_cannot_hold_are_refused_before_any_is_written(gain, what, undo):
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)).half()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    plan = firstlight.plan(model, "harmonic", overrides={"1.weight": f"harmonic:gain={gain}"})
    with pytest.raises(FirstlightError, match=f"^1.weight would be {what} in torch.float16"):
        plan.apply(undo=undo)
    for parameter, value in zip(model.parameters(), before, strict=True):
        assert torch.equal(parameter, value)
