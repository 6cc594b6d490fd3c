"""Weights behind what computes them: read without a trace, written so that they land."""

import pytest
import torch
from snapshot import check_equal, snapshot
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune
from zoo import CASES
from zoo.entry import quiet

import firstlight
from firstlight.model.slots import slots
from firstlight.model.storage import storage_of


class Doubled(nn.Module):
    """W = 2 V."""

    def forward(self, v):
        return 2 * v

    def right_inverse(self, w):
        return w / 2


class Squared(nn.Module):
    """No right_inverse: nothing tells how to set the weight."""

    def forward(self, v):
        return v.square()


def old_weight_norm(layer):
    with quiet(r"`torch\.nn\.utils\.weight_norm` is deprecated"):
        return nn.utils.weight_norm(layer)


def doubled(layer):
    parametrize.register_parametrization(layer, "weight", Doubled())
    return layer


def chained(layer):
    return doubled(parametrizations.weight_norm(layer))


def squared(layer):
    parametrize.register_parametrization(layer, "weight", Squared())
    return layer


def pruned(layer):
    return prune.l1_unstructured(layer, "weight", 0.5)


WRAPS = {
    "weight_norm": parametrizations.weight_norm,
    "weight_norm_old": old_weight_norm,
    "spectral_norm": parametrizations.spectral_norm,
    "spectral_norm_old": nn.utils.spectral_norm,
    "orthogonal": parametrizations.orthogonal,
    "pruned": pruned,
    "doubled": doubled,
    "chained": chained,
    "squared": squared,
}
#: Those whose weight can be any matrix.
FREE = ("weight_norm", "weight_norm_old", "doubled", "chained")


def build(wrap):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), WRAPS[wrap](nn.Linear(8, 8)))


def look(model, **options):
    """Make a plan and use all of it."""
    try:
        plan = firstlight.plan(model, **options)
    except firstlight.OptionError as error:
        assert "no Linear, convolution" in str(error)  # noqa: PT017 - some have nothing to fill
        return
    assert str(plan)
    assert plan.to_json()
    assert len(plan.assignments) == len(plan)


@pytest.mark.parametrize("entry", CASES)
def test_a_plan_changes_nothing(entry):
    torch.manual_seed(0)
    model = entry.build()
    before = snapshot(model)
    look(model)
    check_equal(before, snapshot(model))
    look(model, example=entry.example() if entry.example else None)
    check_equal(before, snapshot(model))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("wrap", WRAPS)
def test_reading_a_computed_weight_changes_nothing(wrap, training):
    model = build(wrap).train(training)
    before = snapshot(model)
    first = storage_of(model[2], "weight").read().clone()
    second = storage_of(model[2], "weight").read()
    look(model, scheme="harmonic", example=torch.randn(4, 8, generator=torch.Generator()))
    check_equal(before, snapshot(model))
    assert torch.equal(first, second)
    assert not second.requires_grad


@pytest.mark.parametrize("wrap", WRAPS)
def test_what_is_read_is_what_the_model_computes_with(wrap):
    model = build(wrap).eval()
    x = torch.randn(4, 8)
    read = storage_of(model[2], "weight").read()
    torch.testing.assert_close(model[2](x), x @ read.T + model[2].bias)


@pytest.mark.parametrize("wrap", FREE)
def test_a_free_weight_becomes_exactly_what_the_scheme_says(wrap):
    model, x = build(wrap), torch.randn(4, 8)
    plain = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    firstlight.initialize(plain, "he_normal")
    firstlight.initialize(model, "he_normal")
    torch.testing.assert_close(model(x), plain(x))


def test_an_orthogonal_weight_becomes_an_orthogonal_one_made_of_the_scheme():
    model = build("orthogonal")
    before = model[2].weight.detach().clone()
    firstlight.initialize(model, "he_normal")
    after = model[2].weight.detach()
    torch.testing.assert_close(after @ after.T, torch.eye(8))
    assert not torch.allclose(before, after)


def test_spectral_norm_divides_what_was_written_by_its_largest_singular_value():
    model = build("spectral_norm")
    plain = firstlight.initialize(build("pruned"), "he_normal")[2].weight_orig
    firstlight.initialize(model, "he_normal")
    torch.testing.assert_close(model[2].parametrizations.weight.original, plain)
    for _ in range(200):
        model(torch.randn(4, 8))
    assert float(torch.linalg.matrix_norm(model[2].weight.detach(), 2)) == pytest.approx(
        1, abs=1e-3
    )


def test_pruned_entries_stay_pruned():
    model = build("pruned")
    mask = model[2].weight_mask.clone()
    firstlight.initialize(model, "he_normal")
    model(torch.randn(4, 8))
    assert torch.equal(model[2].weight != 0, mask != 0)
    assert torch.equal(model[2].weight_mask, mask)


def test_no_right_inverse_is_said_and_kept():
    model = build("squared")
    before = model[2].weight.detach().clone()
    plan = firstlight.plan(model, "he_normal")
    assert plan["2.weight"].scheme is None
    assert "no right_inverse" in plan["2.weight"].reason
    plan.apply()
    assert torch.equal(before, model[2].weight)
    assert not torch.equal(before, model[0].weight)


@pytest.mark.parametrize("wrap", WRAPS)
def test_undo_puts_back_every_bit_and_every_object(wrap):
    model = build(wrap)
    before = snapshot(model)
    plan = firstlight.plan(model, "harmonic")
    plan.apply()
    assert not torch.equal(before["0", "weight"], model[0].weight)
    plan.undo()
    check_equal(before, snapshot(model))


@pytest.mark.parametrize("wrap", WRAPS)
def test_what_holds_a_weight_is_named_once_and_said_to_be_written_through_it(wrap):
    model = build(wrap)
    found = slots(model)
    names = [slot.name for slot in found]
    assert len(names) == len(set(names))
    assert names.count("2.weight") == 1
    hidden = [s for s in found if s.treatment.kind == "parametrization"]
    assert all(s.treatment.reason.startswith("2.weight") for s in hidden)
    assert {n for n, _ in model.named_parameters()} <= {n for s in found for n in s.names}
