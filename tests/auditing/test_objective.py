"""Which loss is differentiated, and what it would be for an output that knows nothing."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

import firstlight
from firstlight.auditing.objective import evaluate, logits, objective

X, CLASSES, REALS = torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2]), torch.randn(6, 3)
NET = nn.Linear(4, 3)


class TwoInputs(nn.Module):
    def forward(self, a, b):
        return a + b


class MaybeMask(nn.Module):
    def forward(self, x, mask=None):
        return x if mask is None else x * mask


def value(batch, loss=None, model=NET):
    task = objective(model, batch, loss)
    with torch.no_grad():
        inputs = task.inputs
        result = model(**inputs) if isinstance(inputs, dict) else model(inputs)
    return evaluate(task, result)


def test_whole_numbers_make_it_a_classification():
    found = value((X, CLASSES))
    with torch.no_grad():
        expected = functional.cross_entropy(NET(X), CLASSES)
    assert float(found.loss) == pytest.approx(float(expected))
    assert (found.name, found.classes) == ("cross_entropy", 3)
    assert found.uninformed == pytest.approx(math.log(3))


def test_real_targets_are_compared_by_squares_and_a_constant_knows_their_mean():
    found = value((X, REALS))
    assert found.name == "mse_loss"
    assert found.uninformed == pytest.approx(float(REALS.var(correction=0)), rel=1e-5)
    assert found.classes is None


@pytest.mark.parametrize("name", ["cross_entropy", "mse", "l1", "bce_with_logits"])
def test_losses_by_name(name):
    targets = CLASSES if name == "cross_entropy" else REALS.sigmoid()
    assert float(value((X, targets), name).loss) > 0


def test_modules_and_own_functions_are_losses():
    smooth = nn.CrossEntropyLoss(label_smoothing=0.1)
    assert value((X, CLASSES), smooth).classes == 3
    assert value((X, CLASSES), smooth).uninformed == pytest.approx(math.log(3), rel=1e-5)
    assert float(value(X, lambda out: out.square().mean()).loss) > 0
    assert value(X, lambda out: out.square().mean()).uninformed == 0


def test_a_pair_is_two_arguments_for_a_model_that_needs_both():
    task = objective(TwoInputs(), (X, X), None)
    assert task.targets is None
    assert isinstance(task.inputs, tuple)


def test_labels_are_no_mask():
    assert objective(MaybeMask(), (X, CLASSES), None).targets is CLASSES
    assert objective(MaybeMask(), (X, X), None).targets is None
    assert objective(MaybeMask(), (X, X), "mse").targets is X


def test_labels_of_a_dict_that_the_model_does_not_take_are_targets():
    class Named(nn.Module):
        def forward(self, x):
            return NET(x)

    found = value({"x": X, "labels": CLASSES}, model=Named())
    assert found.classes == 3


def test_without_a_loss_the_direction_is_fixed_and_said():
    first, second = value(X), value(X)
    assert torch.equal(first.loss, second.loss)
    assert not first.real
    assert "no loss" in first.name


@pytest.mark.parametrize(
    ("batch", "loss", "words"),
    [
        (X, "cross_entropy", "needs targets"),
        (X, "hinge", "must be one of"),
        (X, 3, "name or a callable"),
        ((X, CLASSES + 7), None, "the loss cannot be computed"),
        ((X, REALS[:, :1]), None, "one shape"),
        (X, lambda out: out, "one number"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(batch, loss, words):
    with pytest.raises(firstlight.FirstlightError, match=words) as caught:
        value(batch, loss)
    assert "\n" not in str(caught.value)


def test_a_wrong_batch_is_refused_by_audit_with_a_hint():
    with pytest.raises(firstlight.FirstlightError, match="cannot be run on the batch"):
        firstlight.audit(NET, torch.randn(2, 5))
    with pytest.raises(firstlight.FirstlightError, match="name the loss"):
        firstlight.audit(TwoInputs(), (X, torch.randn(3, 7)))


def test_logits_are_found_in_what_models_return():
    out = torch.ones(2, 3)
    assert logits(out) is out
    assert logits({"loss": torch.tensor(1.0), "logits": out}) is out
    assert logits((torch.tensor([1]), out)) is out
    assert logits(torch.tensor([1])) is None
    assert logits(None) is None
