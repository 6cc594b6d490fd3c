import copy
import importlib.util
import json
import os
import signal
import warnings

import pytest
import torch
from torch import nn
from zoo.entry import load

import firstlight
from firstlight import FirstlightError, OptionError


def build():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Embedding(10, 8, padding_idx=0),
        nn.Linear(8, 16),
        nn.LayerNorm(16),
        nn.GELU(),
        nn.Linear(16, 4),
    )


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_plan_names_every_parameter_and_buffer_and_changes_nothing():
    model = nn.Sequential(build(), nn.BatchNorm1d(4))
    before, rng = state(model), torch.get_rng_state()
    plan = firstlight.plan(model, "harmonic")
    assert str(plan)
    assert plan.predictions is not None
    assert [row.name for row in plan] == list(before)
    assert same(before, state(model))
    assert torch.equal(rng, torch.get_rng_state())


def test_rows_hold_what_the_weights_will_be():
    model = build()
    plan = firstlight.plan(model, "he_normal")
    row = plan["1.weight"]
    assert (row.kind, row.shape, row.fan_in, row.fan_out) == ("linear", (16, 8), 8, 16)
    assert (row.scheme, row.reads, row.after, row.learnt) == (
        "he_normal",
        "table",
        "gelu",
        "torch.fx",
    )
    assert row.std == pytest.approx((2 / 8) ** 0.5)
    assert row.gain == pytest.approx(2**0.5)
    assert plan["4.weight"].before == "gelu"
    assert plan["4.weight"].feeds == "head"
    assert plan["2.bias"].std == 0
    with pytest.raises(FirstlightError, match="no parameter 'nope'"):
        plan["nope"]


@pytest.mark.parametrize("undo", [True, False])
def test_initialize_and_apply_write_the_same(undo):
    one, two = build(), build()
    firstlight.initialize(one, "harmonic")
    assert firstlight.plan(two, "harmonic").apply(undo=undo) is two
    assert same(state(one), state(two))


def test_undo_restores_every_bit_once():
    model = build()
    before = state(model)
    plan = firstlight.plan(model, "orthogonal")
    with pytest.raises(FirstlightError, match="nothing to undo"):
        plan.undo()
    plan.apply()
    assert not same(before, state(model))
    assert plan.undo() is model
    assert same(before, state(model))
    with pytest.raises(FirstlightError, match="nothing to undo"):
        plan.undo()


class _Fragile(nn.Module):
    """A parametrization whose inverse fails."""

    def forward(self, x):
        return x

    def right_inverse(self, _):
        raise RuntimeError("no inverse today")


@pytest.mark.parametrize("undo", [True, False])
def test_a_failure_on_the_way_leaves_every_bit(undo):
    model = build()
    nn.utils.parametrize.register_parametrization(model[4], "weight", nn.Identity())
    model[4].parametrizations["weight"][0] = _Fragile()
    before = state(model)
    with pytest.raises(RuntimeError, match="no inverse today"):
        firstlight.plan(model, "harmonic").apply(undo=undo)
    assert same(before, state(model))


@pytest.mark.parametrize("undo", [True, False])
def test_ctrl_c_leaves_all_or_nothing(monkeypatch, undo):
    """It comes while the first weight is written; nothing may be half done."""
    model, whole = build(), firstlight.initialize(build(), "harmonic")
    before = state(model)
    plan = firstlight.plan(model, "harmonic")
    real = firstlight.init.Scheme.__call__
    sent = []

    def interrupted(self, weight, place, options):
        if weight.numel() and not sent:
            sent.append(os.kill(os.getpid(), signal.SIGINT))
        return real(self, weight, place, options)

    monkeypatch.setattr(firstlight.init.Scheme, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        plan.apply(undo=undo)
    assert sent
    assert same(state(model), before if undo else state(whole))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_changed_shape_is_refused():
    model = build()
    plan = firstlight.plan(model, "harmonic")
    model[4].weight = nn.Parameter(torch.zeros(5, 16))
    before = state(model)
    with pytest.raises(FirstlightError, match=r"4\.weight had shape \(4, 16\) .*make a new plan"):
        plan.apply()
    assert same(before, state(model))


def test_a_write_that_does_not_land_is_an_error(monkeypatch):
    model = build()
    before = state(model)
    plan = firstlight.plan(model, "harmonic")
    real = firstlight.init.Scheme.__call__

    def elsewhere(self, weight, place, options, block=None):
        return real(self, weight.clone() if weight.numel() else weight, place, options, block)

    monkeypatch.setattr(firstlight.init.Scheme, "__call__", elsewhere)
    from firstlight.model import filling, readback

    monkeypatch.setattr(
        filling, "remember", lambda value, **_: readback.remember(torch.full_like(value, 0.5))
    )
    with pytest.raises(FirstlightError, match="does not hold what was written to it"):
        plan.apply()
    assert same(before, state(model))


def test_overrides_by_name_pattern_and_type():
    plan = firstlight.plan(
        build(),
        "harmonic",
        overrides={
            nn.Linear: "he_normal",
            "1.bias": 0.25,
            "4.*": "keep",
            "type:Embedding": {"scheme": "truncated_normal", "gain": 0.5},
        },
    )
    assert plan["1.weight"].scheme == "he_normal"
    assert plan["1.bias"].std == 0.25
    assert plan["4.weight"].scheme is None
    assert plan["4.weight"].reason == "override 4.*: keep"
    model = plan.apply()
    assert bool((model[1].bias == 0.25).all())
    assert not model[0].weight[0].any(), "the padding row stays"
    assert model[0].weight.detach()[1:].std() == pytest.approx(0.5 / 8**0.5, rel=0.2)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"nope": "keep"}, "overrides='nope' matches no parameter"),
        ({"1.weight": "harmonics"}, "scheme must be one of"),
        ({"1.weight": "harmonic:depth=3"}, "does not use the option 'depth'"),
        ({"1.weight": None}, "must be 'keep', a number, a scheme"),
        ({"1.weight": "lsuv"}, "fits whole models"),
        ({"1.weight": 2.0}, "takes a scheme or 'keep'"),
        ({"1.bias": 1e39}, r"1e\+39 is no value of torch.float32"),
        ({nn.Embedding: 2.0}, "can be given a scheme by its own name alone"),
        ({"1.bias": "he_normal"}, "is no weight matrix; give a number or 'keep'"),
        ({"1.bias": float("nan")}, "must be a finite number"),
        (["1.weight"], "overrides takes a mapping"),
        ({nn.Conv2d: "keep"}, "overrides='Conv2d' matches no parameter"),
        ({int: "keep"}, "takes name patterns or module types"),
    ],
)
def test_bad_overrides_are_one_line_and_change_nothing(overrides, message):
    model = build()
    before = state(model)
    with pytest.raises(OptionError, match=message) as caught:
        firstlight.initialize(model, "harmonic", overrides=overrides)
    assert "\n" not in str(caught.value)
    assert same(before, state(model))


def test_overrides_from_yaml_and_back(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(
        "overrides:\n  1.weight: siren:omega=20\n  2.weight: 0.5\n  type:Embedding: keep\n"
    )
    plan = firstlight.plan(build(), "harmonic", overrides=path)
    assert dict(plan["1.weight"].options) == {"omega": 20}
    assert plan["2.weight"].std == 0.5
    path.write_text(plan.to_yaml())
    again = firstlight.plan(build(), "zero", overrides=str(path))
    assert [(r.name, r.scheme, r.std) for r in again] == [(r.name, r.scheme, r.std) for r in plan]
    assert same(state(plan.apply()), state(again.apply()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!python/object/apply:os.system [ls]", "cannot read .* as YAML"),
        ("[1, 2]", "overrides takes a mapping"),
        ("a: [", "cannot read .* as YAML"),
    ],
)
def test_yaml_is_data_and_checked(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(OptionError, match=message):
        firstlight.plan(build(), "harmonic", overrides=path)
    with pytest.raises(OptionError, match="cannot read"):
        firstlight.plan(build(), "harmonic", overrides=tmp_path / "none.yaml")


def test_json_holds_the_table():
    plan = firstlight.plan(build(), "edge_of_chaos", activation=torch.tanh)
    read = json.loads(plan.to_json())
    assert [row["name"] for row in read["assignments"]] == [row.name for row in plan]
    assert read["settings"] == {"scheme": "edge_of_chaos", "seed": 0, "activation": "tanh"}


def test_include_asks_for_frozen_zero_and_embedding_weights():
    model = build()
    model[1].requires_grad_(False)
    nn.init.zeros_(model[4].weight)
    left = firstlight.plan(model, "he_normal")
    assert left["1.weight"].reason == left["1.bias"].reason == "frozen"
    assert left["4.weight"].reason.startswith("all zeros")
    assert left["0.weight"].scheme is None
    asked = firstlight.plan(model, "he_normal", include=["1.*", "4.weight", nn.Embedding])
    assert [r.name for r in asked if r.scheme] == ["0.weight", "1.weight", "1.bias", "4.weight"]
    assert asked["2.weight"].reason == "not included"


def test_loaded_parameters_stay():
    model = build()
    model[1].weight._is_hf_initialized = True  # as transformers marks what it loads
    assert firstlight.plan(model, "harmonic")["1.weight"].reason == "loaded from a checkpoint"


@pytest.mark.parametrize("layer", [nn.LSTM(4, 6, 2, bidirectional=True), nn.LSTMCell(4, 6)])
def test_recurrent_parts_are_orthogonal_and_forget_gates_start_where_asked(layer):
    firstlight.initialize(layer, "he_normal", forget_bias=1.0)
    for name, tensor in layer.named_parameters():
        gates = tensor.detach().chunk(4)
        if name.startswith("weight_hh"):
            for gate in gates:
                torch.testing.assert_close(gate @ gate.T, torch.eye(6), atol=1e-5, rtol=0)
        elif name.startswith("bias"):
            forget = 1.0 if name.startswith("bias_ih") else 0.0
            assert [float(gate.unique()) for gate in gates] == [0, forget, 0, 0]


def test_forget_bias_is_for_lstms():
    with pytest.raises(OptionError, match="forget_bias is for LSTMs"):
        firstlight.plan(nn.GRU(3, 3), "harmonic", forget_bias=1.0)


def test_tied_weights_come_once_with_all_names():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    plan = firstlight.plan(model, "harmonic")
    assert plan["1.weight"] is plan["0.weight"]
    assert plan["0.weight"].names == ("0.weight", "1.weight")


def test_a_parameter_in_the_memory_of_another_is_left_alone():
    model = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 4))
    model[1].weight = nn.Parameter(model[0].weight.detach().t())
    plan = firstlight.plan(model, "harmonic")
    assert plan["1.weight"].reason == "shares memory with 0.weight"
    plan.apply()
    assert torch.equal(model[1].weight, model[0].weight.T)


def test_groups_are_joined_in_the_table():
    text = str(firstlight.plan(nn.Conv2d(16, 16, 3, groups=8), "harmonic"))
    assert "weight[0]…[7]" in text
    assert len(text.splitlines()) == 4


def test_a_scheme_by_type_is_for_matrices_and_a_number_for_the_rest():
    plan = firstlight.plan(build(), "zero", overrides={nn.Linear: "he_normal", "2.*": 0.5})
    assert plan["1.weight"].scheme == plan["4.weight"].scheme == "he_normal"
    assert plan["1.bias"].value == 0.0
    assert plan["2.weight"].value == plan["2.bias"].value == 0.5


def test_a_name_is_no_pattern_where_it_is_one_of_the_models():
    model = nn.ModuleDict({"a?b": nn.Linear(4, 4), "axb": nn.Linear(4, 4)})
    plan = firstlight.plan(model, "harmonic", exclude=["a?b.weight"])
    assert (plan["a?b.weight"].reason, plan["axb.weight"].scheme) == ("excluded", "harmonic")
    marked = firstlight.plan(
        nn.Sequential(nn.MultiheadAttention(4, 1)), "harmonic", exclude=["*.in_proj_weight[q]"]
    )
    assert marked["0.in_proj_weight[q]"].reason == "excluded"
    assert marked["0.in_proj_weight[k]"].scheme == "harmonic"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"exclude": "1"}, r"exclude='1' matches no parameter of the model; for all of 1: '1.\*'"),
        ({"exclude": "1.weight,1.bias"}, "give several as a list"),
        ({"include": ["token"]}, "include='token': token is left alone .*in overrides"),
        ({"overrides": {"1.weight": "zero"}, "exclude": ["1.*"]}, "drop one of them"),
        ({"empty": "no"}, "empty must be True or False, got 'no'"),
        ({"overrides": ""}, "overrides takes a mapping"),
    ],
)
def test_no_argument_is_silently_without_effect(arguments, message):
    model = build()
    model.token = nn.Parameter(torch.ones(3))
    with pytest.raises(OptionError, match=message):
        firstlight.plan(model, "harmonic", **arguments)


def test_a_parameter_of_no_known_layer_takes_a_scheme_by_name():
    model = nn.ParameterDict({"w": torch.ones(6, 8)})
    row = firstlight.plan(model, overrides={"w": "he_normal"})["w"]
    assert (row.scheme, row.fan_in) == ("he_normal", 8)


def test_values_keep_their_sign_and_forget_gates_through_yaml(tmp_path):
    model = nn.ModuleDict(
        {"lstm": nn.LSTM(3, 4), "norm": nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))}
    )
    plan = firstlight.plan(model, "he_normal", overrides={"norm.bias": -0.5}, forget_bias=1.0)
    path = tmp_path / "plan.yaml"
    path.write_text(plan.to_yaml())
    again = firstlight.plan(model, "zero", overrides=path)
    assert again["norm.bias"].value == -0.5
    assert again["norm.weight"].scheme == "he_normal"
    same_rows = [(r.name, r.scheme, r.value, r.rows_value) for r in plan]
    assert [(r.name, r.scheme, r.value, r.rows_value) for r in again] == same_rows
    after = state(plan.apply())
    plan.undo()
    assert same(after, state(again.apply()))


def test_what_yaml_cannot_hold_is_refused():
    plan = firstlight.plan(build(), "edge_of_chaos", activation=torch.tanh)
    with pytest.raises(FirstlightError, match="option 'activation' is a function"):
        plan.to_yaml()
    fitted = firstlight.plan(nn.Linear(3, 3), "lsuv", example=torch.randn(4, 3))
    with pytest.raises(FirstlightError, match="fitted to a batch"):
        fitted.to_yaml()


def test_applied_twice_it_undoes_to_the_first_state():
    model = build()
    before = state(model)
    plan = firstlight.plan(model, "he_normal")
    plan.apply()
    plan.apply()
    assert same(before, state(plan.undo()))


def test_stale_plans_are_refused():
    model = build()
    plan = firstlight.plan(model, "harmonic")
    model[1] = nn.Linear(8, 16)
    with pytest.raises(FirstlightError, match=r"1\.weight belongs to a layer that is gone"):
        plan.apply()
    plan = firstlight.plan(model, "harmonic")
    model[4].requires_grad_(False)
    with pytest.raises(FirstlightError, match=r"4\.\w+ was frozen since"):
        plan.apply()
    plan = firstlight.plan(model, "harmonic")
    plan.apply()
    model[1].weight = nn.Parameter(torch.zeros(16, 8))
    with pytest.raises(FirstlightError, match="cannot undo: weight was replaced"):
        plan.undo()


@pytest.mark.parametrize("gain", [1e9, 1e-20])
def test_weights_that_half_precision_cannot_hold_are_an_error(gain):
    model = build().half()
    before = state(model)
    with pytest.raises(FirstlightError, match=r"would be (all zeros|not finite) in torch.float16"):
        firstlight.plan(model, "harmonic", gain=gain).apply()
    assert same(before, state(model))


def test_strided_biases_are_written_and_read_back():
    model = nn.Linear(8, 4)
    model.bias = nn.Parameter(torch.ones(8)[::2])
    assert not firstlight.initialize(model, "harmonic").bias.any()


def test_a_frozen_part_of_a_parametrization_freezes_the_weight():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))
    layer.parametrizations.weight.original0.requires_grad_(False)
    assert firstlight.plan(layer, "harmonic")["weight"].reason == "frozen"


@pytest.mark.parametrize("copied", [False, True])
def test_hugging_face_checkpoints_stay(tmp_path, copied):
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("transformers is not installed")
    t = load("transformers")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    t.BertModel(t.BertConfig(vocab_size=20, intermediate_size=32, **sizes)).save_pretrained(
        tmp_path
    )
    model = t.BertModel.from_pretrained(tmp_path)
    model = copy.deepcopy(model) if copied else model
    before = state(model)
    firstlight.initialize(model, "he_normal")
    assert same(before, state(model))


def test_a_quantised_model_says_that_it_is():
    model = nn.Sequential(nn.Linear(4, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to move its quantisation elsewhere
        model = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(OptionError, match="0 is quantised: initialize before quantising"):
        firstlight.plan(model)
