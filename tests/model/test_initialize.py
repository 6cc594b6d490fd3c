import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import firstlight
from firstlight import FirstlightError, OptionError
from firstlight.init import SCHEMES, harmonic_
from firstlight.model import views


def build():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(4, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 8, 2),
        nn.Flatten(),
        nn.Linear(8 * 81, 16),
        nn.LayerNorm(16),
        nn.Linear(16, 6),
    )


BATCH = torch.randn(12, 4, 8, 8, generator=torch.Generator().manual_seed(1))
ODD_SIGMOID = ("diagonal_plus_noise", "edge_of_chaos", "isometric_diagonal")
NEEDS = {name: {"activation": "tanh"} for name in ODD_SIGMOID}


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_every_scheme_gives_a_finite_repeatable_start(scheme):
    options = NEEDS.get(scheme, {})
    example = BATCH if SCHEMES[scheme].data_driven else None
    models = [build() for _ in range(2)]
    for model in models:
        for parameter in model.parameters():
            nn.init.constant_(parameter, 0.37)
        torch.rand(3)  # the global random state must not matter
        result = firstlight.initialize(model, scheme, seed=3, example=example, **options)
        assert result is model
    assert same(state(models[0]), state(models[1]))
    for view in views(models[0]):
        assert bool(view.weight.isfinite().all())
        assert not bool((view.weight == 0.37).all())
    for module in models[0]:
        if getattr(module, "bias", None) is not None:
            assert not module.bias.any()
    assert bool((models[0][1].weight == 1).all())
    assert bool((models[0][6].weight == 1).all())
    assert bool((models[0][1].running_var == 1).all())


def test_layers_of_one_shape_differ():
    model = firstlight.initialize(nn.Sequential(nn.Linear(32, 32), nn.Linear(32, 32)), "harmonic")
    first, second = (layer.weight for layer in model)
    assert not torch.equal(first, second)
    assert float(first.detach().sum(1).abs().max()) < 1e-5


@pytest.mark.parametrize("scheme", ["he_normal", "harmonic", "orthogonal"])
def test_inserting_a_layer_changes_no_other(scheme):
    def named(*names):
        return nn.ModuleDict({name: nn.Linear(16, 16) for name in names})

    short = firstlight.initialize(named("a", "b", "c"), scheme, seed=5)
    long = firstlight.initialize(named("a", "new", "b", "c"), scheme, seed=5)
    for name in "abc":
        assert torch.equal(short[name].weight, long[name].weight)
    assert not torch.equal(short["a"].weight, short["b"].weight)
    other = firstlight.initialize(named("a", "b", "c"), scheme, seed=6)
    assert not torch.equal(short["a"].weight, other["a"].weight)


def test_attention_parts_are_filled_apart():
    attention = firstlight.initialize(nn.MultiheadAttention(32, 4), "orthogonal")
    for part in attention.in_proj_weight.detach().chunk(3):
        torch.testing.assert_close(part @ part.T, torch.eye(32), atol=1e-5, rtol=0)
    assert not attention.in_proj_bias.any()
    assert not attention.out_proj.bias.any()


def test_global_random_state_is_untouched():
    model = nn.Linear(8, 8)
    before = torch.get_rng_state()
    firstlight.initialize(model, "he_normal")
    assert torch.equal(before, torch.get_rng_state())


def test_frozen_and_excluded_and_zero_norms_are_kept():
    model = build()
    model[0].weight.requires_grad_(False)
    nn.init.zeros_(model[1].weight)  # closes a residual branch on purpose
    nn.init.constant_(model[7].bias, 0.5)
    before = state(model)
    firstlight.initialize(model, "he_normal", exclude=["7.*"])
    after = model.state_dict()
    kept = {name for name in before if torch.equal(before[name], after[name])}
    assert {"0.weight", "1.weight", "7.weight", "7.bias"} <= kept
    assert not {"3.weight", "5.weight", "0.bias"} & kept


def test_siren_scales_all_but_the_last_layer():
    def weights(**options):
        net = nn.Sequential(nn.Linear(2, 64), nn.Linear(64, 64), nn.Linear(64, 1))
        return [layer.weight for layer in firstlight.initialize(net, "siren", **options)]

    plain, scaled = weights(), weights(alpha=2.0)
    ratios = [float((b / a).detach().mean()) for a, b in zip(plain, scaled, strict=True)]
    assert ratios == pytest.approx([2, 2, 1])


@pytest.mark.parametrize(("options", "gain"), [({}, "relu"), ({"gain": "silu"}, "silu")])
def test_harmonic_takes_the_gain_for_zero_sum_rows(options, gain):
    layer = firstlight.initialize(nn.Linear(64, 8), "harmonic", **options)
    expected = firstlight.theory.gain(gain, zero_sum=True)
    assert float(layer.weight.detach()[0].norm()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("activation", "name"), [(nn.ReLU, "relu"), (nn.SiLU, "silu")])
def test_the_signal_keeps_its_variance_through_a_deep_plain_network(activation, name):
    layers = [layer for _ in range(30) for layer in (nn.Linear(512, 512), activation())]
    net = firstlight.initialize(nn.Sequential(*layers, nn.Linear(512, 512)), "harmonic", gain=name)
    x = torch.randn(256, 512, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        variance = float(net(x).var()) / float(net[0](x).var())
    assert 0.01 < variance < 100  # a gain wrong by 20 % would be off by 1.2^60 = 56000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scheme": "harmonics"}, "scheme must be one of .*harmonic.*got 'harmonics'"),
        (
            {"scheme": "zero", "gain": 2.0},
            "'zero' does not use the option 'gain'; it accepts: none",
        ),
        ({"scheme": "harmonic", "layer": 2}, "does not use the option 'layer'"),
        ({"scheme": "harmonic", "mode": "fan"}, "0.weight: mode must be one of"),
        ({"scheme": "lsuv"}, "pass example=batch"),
        ({"scheme": "auto", "gain": 2.0}, "'auto' takes no options, and plan no argument 'gain'"),
        ({"scheme": "diagonal_plus_noise"}, "needs the option 'activation'"),
        ({"scheme": "harmonic", "seed": -1}, "seed must be a whole number >= 0, got -1"),
    ],
)
def test_bad_calls_change_nothing(arguments, message):
    model = build()
    before = state(model)
    with pytest.raises(OptionError, match=message):
        firstlight.initialize(model, **arguments)
    assert same(before, model.state_dict())


@pytest.mark.parametrize(
    ("scheme", "late", "message"),
    [
        ("harmonic", nn.Linear(2, 4), "3.weight: harmonic_ needs at least 3 inputs"),
        ("looks_linear", nn.Linear(7, 4), "mirrors the inputs"),
        ("sinusoidal", nn.Linear(2, 2), "sinusoidal_ is constant"),
        ("harmonic", nn.Linear(4, 4, device="meta"), "to_empty"),
    ],
)
def test_a_bad_last_layer_leaves_the_first_ones_alone(scheme, late, message):
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8), nn.ReLU(), late)
    before = model[0].weight.clone(), model[1].weight.clone()
    with pytest.raises(OptionError, match=message):
        firstlight.initialize(model, scheme)
    assert torch.equal(before[0], model[0].weight)
    assert torch.equal(before[1], model[1].weight)


def test_a_failing_batch_restores_the_model():
    model = build()
    before = state(model)
    with pytest.raises(FirstlightError, match="the model cannot be run on the example: "):
        firstlight.initialize(model, "lsuv", example=torch.randn(2, 3, 3))
    assert same(before, model.state_dict())
    with pytest.raises(FirstlightError):
        firstlight.initialize(model, "lsuv", example=torch.zeros(4, 4, 8, 8))
    assert same(before, model.state_dict())


def test_lsuv_gives_unit_variance():
    model = firstlight.initialize(build(), "lsuv", example=BATCH)
    outputs = []
    for layer in (model[0], model[5]):
        layer.register_forward_hook(lambda _m, _i, out: outputs.append(float(out.detach().std())))
    model(BATCH)
    assert outputs == pytest.approx([1, 1], rel=0.02)


def test_copies_are_equal_across_dtype_within_rounding():
    net = firstlight.initialize(nn.Linear(64, 32), "harmonic")
    half = firstlight.initialize(nn.Linear(64, 32, dtype=torch.bfloat16), "harmonic")
    torch.testing.assert_close(half.weight.float(), net.weight, atol=0, rtol=2**-8)
    assert copy.deepcopy(net).weight.equal(net.weight)
    assert not torch.equal(net.weight, harmonic_(torch.empty(32, 64)))


@pytest.mark.parametrize("scheme", ["harmonic", "sinusoidal", "he_normal", "orthogonal", "zero"])
def test_a_default_device_does_not_matter(scheme):
    """Users build under ``with torch.device(...)``; the fills still work where the tensor is."""
    plain, inside = nn.Linear(300, 8), nn.Linear(300, 8)
    firstlight.initialize(plain, scheme)
    with torch.device("meta"):
        firstlight.initialize(inside, scheme)
    assert torch.equal(plain.weight, inside.weight)


@pytest.mark.parametrize(
    ("wrap", "faithful"),
    [
        (nn.utils.parametrizations.weight_norm, True),
        (nn.utils.parametrizations.orthogonal, False),
        (nn.utils.parametrizations.spectral_norm, False),
        (nn.utils.spectral_norm, False),
        (lambda layer: prune.l1_unstructured(layer, "weight", 0.5), False),
    ],
)
def test_computed_weights_are_written_through_what_computes_them(wrap, faithful):
    x = torch.randn(3, 8)
    model = nn.Sequential(nn.Linear(8, 8), wrap(nn.Linear(8, 8)))
    plain = firstlight.initialize(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)), "harmonic")
    before = state(model)
    made = firstlight.plan(model, "harmonic")
    made.apply()
    model(x)  # hooks compute the weight anew
    written = model[1].weight.detach()
    if faithful:
        torch.testing.assert_close(written, plain[1].weight)
    assert not any(torch.equal(written, w) for w in before.values())
    made.undo()
    iterated = {n for n in before if n.endswith(("_u", "_v"))}  # spectral_norm's, by the forward
    after = model.state_dict()
    assert all(torch.equal(before[n], after[n]) for n in before.keys() - iterated)
    firstlight.initialize(model, "harmonic", exclude=["1.*"])
    kept = {n: v for n, v in before.items() if n.startswith("1.") and n not in iterated}
    assert all(torch.equal(v, model.state_dict()[n]) for n, v in kept.items())


@pytest.mark.parametrize("model", [nn.ReLU(), nn.BatchNorm1d(4)])
def test_a_model_with_nothing_to_fill_is_refused(model):
    with pytest.raises(OptionError, match="no Linear, convolution, attention or recurrent weight"):
        firstlight.initialize(model, "harmonic")


@pytest.mark.parametrize("pattern", ["in_proj_weight[q]", "in_proj_weight", "in_*", "*[q]*"])
def test_parts_of_a_parameter_are_excluded_by_name(pattern):
    attention = nn.MultiheadAttention(4, 1)
    before = attention.in_proj_weight.detach().clone()
    firstlight.initialize(attention, "harmonic", exclude=[pattern])
    assert torch.equal(before[:4], attention.in_proj_weight[:4])
    whole = "[" not in pattern
    assert torch.equal(before[4:], attention.in_proj_weight[4:]) == whole


@pytest.mark.parametrize(
    ("exclude", "message"),
    [
        (["haed.*"], "exclude='haed.*' matches no parameter"),
        ([3], "name patterns or module types, got 3"),
    ],
)
def test_a_pattern_that_matches_nothing_is_refused(exclude, message):
    model = build()
    before = state(model)
    with pytest.raises(OptionError, match=message):
        firstlight.initialize(model, "harmonic", exclude=exclude)
    assert same(before, model.state_dict())


def test_biases_of_norms_and_second_names_of_tied_weights_are_excluded():
    model = build()
    nn.init.constant_(model[6].bias, 0.5)
    firstlight.initialize(model, "harmonic", exclude=["*.bias"])
    assert bool((model[6].bias == 0.5).all())
    tied = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    tied[1].weight = tied[0].weight
    before = tied[0].weight.detach().clone()
    firstlight.initialize(tied, "harmonic", exclude="1.weight")
    assert torch.equal(before, tied[0].weight)


@pytest.mark.parametrize("freeze", [True, False])
def test_places_do_not_depend_on_what_is_left_alone(freeze):
    """Weight scaling ends before the network's last layer, not before the last one filled."""

    def hidden(**options):
        net = nn.Sequential(nn.Linear(2, 8), nn.Linear(8, 8), nn.Linear(8, 1))
        net[2].requires_grad_(not freeze)
        exclude = [] if freeze else ["2.*"]
        return firstlight.initialize(net, "siren", exclude=exclude, **options)[1].weight.detach()

    torch.testing.assert_close(hidden(alpha=2.0), 2 * hidden())


def test_an_embedding_keeps_its_weight_where_a_head_shares_it():
    model = nn.ModuleDict(
        {
            "embed": nn.Embedding(10, 8, padding_idx=0),
            "body": nn.Linear(8, 8),
            "head": nn.Linear(8, 10),
        }
    )
    model["head"].weight = model["embed"].weight
    before = model["embed"].weight.detach().clone()
    firstlight.initialize(model, "harmonic")
    assert torch.equal(before, model["embed"].weight)


@pytest.mark.parametrize(
    ("late", "message"),
    [
        (nn.LazyBatchNorm1d(), "1.weight has no shape yet"),
        (nn.LayerNorm(8, device="meta"), "1.weight is on the meta device"),
        (nn.LazyLinear(4), "1.weight has no shape yet"),
    ],
)
def test_norms_and_lazy_layers_are_checked_before_anything_is_written(late, message):
    model = nn.Sequential(nn.Linear(8, 8), late)
    before = model[0].weight.detach().clone()
    with pytest.raises(OptionError, match=message):
        firstlight.initialize(model, "harmonic")
    assert torch.equal(before, model[0].weight)


def test_frozen_norms_keep_their_statistics():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    model[1].requires_grad_(False).running_mean.fill_(5)
    firstlight.initialize(model, "harmonic")
    assert bool((model[1].running_mean == 5).all())


@pytest.mark.parametrize("model", [None, nn.Linear, torch.zeros(3)])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(OptionError, match=r"expected a torch\.nn\.Module"):
        firstlight.initialize(model, "harmonic")


@pytest.mark.parametrize(
    "layer",
    [nn.ConvTranspose2d(8, 8, 3, groups=8, bias=False), nn.Conv2d(8, 8, 3, groups=8, bias=False)],
)
def test_a_constant_image_passes_depthwise_layers(layer):
    firstlight.initialize(layer, "harmonic")
    with torch.no_grad():
        inside = layer(torch.ones(1, 8, 12, 12))[0, :, 4:8, 4:8]
    means = inside.mean((1, 2))
    torch.testing.assert_close(means.abs(), torch.full((8,), 2**0.5))
    assert bool((means > 0).any())
    assert bool((means < 0).any())


def test_edge_of_chaos_has_no_bias_variance_where_biases_are_zero():
    with pytest.raises(OptionError, match="does not use the option 'bias_variance'"):
        firstlight.initialize(build(), "edge_of_chaos", activation="tanh", bias_variance=0.3)


def test_shared_biases_and_norms_are_excluded_by_any_name():
    norm = nn.LayerNorm(4)
    nn.init.constant_(norm.weight, 0.5)
    model = nn.Sequential(nn.Linear(4, 4), norm, nn.Linear(4, 4), norm)
    model[2].bias = model[0].bias
    before = model[0].bias.detach().clone()
    firstlight.initialize(model, "harmonic", exclude=["3.*", "2.bias"])
    assert torch.equal(before, model[0].bias)
    assert bool((norm.weight == 0.5).all())


@pytest.mark.parametrize("name", ["bias", "weight"])
def test_what_no_inverse_leads_to_is_left_alone_and_named(name):
    model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
    layer = model[0] if name == "bias" else model[1]
    nn.utils.parametrize.register_parametrization(layer, name, nn.Softplus())
    before = getattr(layer, name).detach().clone()
    made = firstlight.plan(model, "harmonic")
    row = made[f"{0 if name == 'bias' else 1}.{name}"]
    assert row.reason == "is computed by Softplus, which has no right_inverse"
    made.apply()
    assert torch.equal(before, getattr(layer, name))


def test_a_bias_made_in_inference_mode_is_refused_before_anything_changes():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    with torch.inference_mode():
        model[1].bias = nn.Parameter(torch.ones(4))
    before = model[0].weight.detach().clone()
    with pytest.raises(OptionError, match=r"1\.bias was made in inference mode"):
        firstlight.initialize(model, "harmonic")
    assert torch.equal(before, model[0].weight)


def test_frozen_computed_weights_stay():
    model = nn.Sequential(nn.Linear(4, 4), nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)))
    model[1].requires_grad_(False)
    before = model[1].weight.clone()
    firstlight.initialize(model, "harmonic")
    assert torch.equal(before, model[1].weight)
    model[1].requires_grad_(True)
    firstlight.initialize(model, "harmonic", exclude=["1.parametrizations.*"])
    assert torch.equal(before, model[1].weight)


def test_exclude_takes_names_only():
    with pytest.raises(OptionError, match="exclude takes name patterns or types, got 3"):
        firstlight.initialize(build(), "harmonic", exclude=3)


def test_tensors_made_in_inference_mode_are_written_in_it():
    torch.set_num_threads(2)  # several tensors at a time, as far as that can be
    with torch.inference_mode():
        model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        firstlight.initialize(model, "he_normal")
    assert not model[0].bias.any()


def test_threads_change_no_value():
    def weights(threads):
        torch.set_num_threads(threads)
        model = nn.Sequential(*(nn.Linear(64, 64) for _ in range(9)))
        firstlight.initialize(model, "he_normal", seed=2)
        assert torch.get_num_threads() == threads
        return state(model)

    assert same(weights(1), weights(2))
