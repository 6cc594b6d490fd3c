"""One network under several schemes: same batch, same order, nothing of the user's changed."""

import copy

import pytest
import torch
from torch import nn

import firstlight
from firstlight.errors import FirstlightError, OptionError


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 8))


def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(32, 64, generator=generator), torch.randint(8, (32,), generator=generator)


def test_each_audit_is_that_of_the_network_started_so():
    model, data = network(), batch()
    schemes = ["lsuv", "default", "harmonic:gain=1.0", "auto"]
    found = firstlight.audit_starts(model, data, schemes, seed=3)
    assert list(found) == schemes
    started = {
        "default": network(),
        "lsuv": firstlight.initialize(network(), "lsuv", seed=3, example=data[0]),
        "harmonic:gain=1.0": firstlight.initialize(network(), "harmonic", gain=1.0, seed=3),
        "auto": firstlight.initialize(network(), example=data[0], seed=3),
    }
    for scheme, clone in started.items():
        assert found[scheme] == firstlight.audit(clone, data), scheme


def test_all_see_the_same_batch_and_the_model_stays_as_it_was():
    model, data = network().eval(), batch()
    model[0].weight.grad = torch.ones_like(model[0].weight)
    before, drawn = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    found = firstlight.audit_starts(model, data, ["default", "he_normal", "orthogonal"])
    assert len({one.inputs for one in found.values()}) == 1
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())
    assert not any(module.training for module in model.modules())
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight))
    assert torch.equal(torch.get_rng_state(), drawn)


def test_the_seed_changes_random_schemes_only():
    model, data = network(), batch()
    first, second = (
        firstlight.audit_starts(model, data, ["default", "he_normal", "sinusoidal"], seed=seed)
        for seed in (0, 1)
    )
    assert first["default"] == second["default"]
    assert first["sinusoidal"] == second["sinusoidal"]
    assert first["he_normal"] != second["he_normal"]


def test_what_is_asked_for_reaches_every_audit():
    model, (inputs, labels) = network(), batch()
    found = firstlight.audit_starts(
        model,
        (inputs, labels),
        ["default", "zero"],
        loss=nn.CrossEntropyLoss(label_smoothing=0.1),
        ntk=True,
        jacobian=True,
    )
    for one in found.values():
        assert one.kernel is not None
        assert one.jacobian is not None
        assert one.output.loss_name == "CrossEntropyLoss"


def test_one_name_and_a_wrapped_model_are_taken_as_well():
    model, data = nn.DataParallel(network()), batch()
    found = firstlight.audit_starts(model, data, "default")
    assert found == {"default": firstlight.audit(network(), data)}


class Stopped(nn.Module):
    """Counts its runs; the first one ends the test."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 8)

    def forward(self, *_):
        raise AssertionError("it was run")


@pytest.mark.parametrize(
    ("schemes", "message"),
    [
        (["default", "foo"], "scheme must be one of default, auto, "),
        (["default:gain=1"], "scheme default takes no options"),
        (["auto:gain=1"], "scheme auto takes no options"),
        (["harmonic:foo=1"], "does not use the option 'foo'"),
        (["default", ""], "scheme must be one of"),
        (["default", "zero", "default"], "got 'default' twice"),
        ([], "at least one scheme"),
        (["default", 3], "must be a name, got 3"),
        (None, "must be names of schemes, got None"),
    ],
)
def test_bad_schemes_are_refused_before_anything_runs(schemes, message):
    with pytest.raises(OptionError, match=message):
        firstlight.audit_starts(Stopped(), batch(), schemes)


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ("harmonic:mode=foo", "harmonic:mode=foo: .*mode must be one of"),
        ("siren:omega=foo", "siren:omega=foo: "),
        ("siren:omega=(1,2)", r"siren:omega=\(1,2\): "),
    ],
)
def test_a_scheme_that_cannot_start_the_network_is_named(scheme, message):
    with pytest.raises(OptionError, match=message):
        firstlight.audit_starts(network(), batch(), ["default", scheme])


def test_a_model_that_cannot_be_copied_is_one_clear_line():
    model = network()
    model.tensor = model[0].weight * 2  # no leaf: torch copies leaves only
    with pytest.raises(FirstlightError, match="harmonic: the model cannot be copied: RuntimeError"):
        firstlight.audit_starts(model, batch(), ["harmonic"])
    assert firstlight.audit_starts(model, batch(), ["default"])["default"].weights


def test_what_has_no_values_yet_is_refused():
    with torch.device("meta"):
        model = network()
    with pytest.raises(OptionError, match="on the meta device"):
        firstlight.audit_starts(model, batch(), ["harmonic"])
