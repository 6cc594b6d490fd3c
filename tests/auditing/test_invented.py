"""Batches by chance: right shapes, targets that fit, nothing of the model changed."""

import pytest
import torch
from torch import nn

import firstlight
from firstlight.auditing.invented import beside, invented, usual_count
from firstlight.model.named import build

GPT2 = "hf:GPT2LMHeadModel:n_layer=1:n_embd=32:n_head=2:vocab_size=64"
VIT = "num_hidden_layers=1:hidden_size=32:intermediate_size=32:num_attention_heads=2"


class Images(nn.Module):
    """Returns a map of five classes."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 5, 1)

    def forward(self, x):
        return {"out": self.layer(x)}


@pytest.mark.parametrize(
    ("loss", "shape", "kind"),
    [
        ("cross_entropy", (6, 8, 8), torch.int64),
        ("mse", (6, 5, 8, 8), torch.float32),
        ("l1", (6, 5, 8, 8), torch.float32),
        ("bce_with_logits", (6, 5, 8, 8), torch.float32),
    ],
)
def test_targets_fit_the_output_and_the_loss(loss, shape, kind):
    model = Images()
    (inputs, targets), said = invented(model, (3, 8, 8), 6, loss=loss)
    assert inputs.shape == (6, 3, 8, 8)
    assert (targets.shape, targets.dtype) == (shape, kind)
    assert said.startswith("6 standard normal samples of 3x8x8, random ")
    assert firstlight.audit(model, (inputs, targets), loss=loss).output.loss is not None


def test_without_a_loss_only_known_classifiers_get_labels():
    batch, said = invented(Images(), (3, 8, 8), 6)
    assert isinstance(batch, torch.Tensor)
    assert said == "6 standard normal samples of 3x8x8"
    (_, labels), said = invented(build("timm:resnet10t:num_classes=7"), (3, 32, 32), 50)
    assert set(labels.tolist()) == set(range(7))
    assert said == "50 standard normal samples of 3x32x32, random labels"
    assert isinstance(
        invented(build("timm:resnet10t:num_classes=0"), (3, 32, 32), 2)[0], torch.Tensor
    )


def test_looking_at_the_output_changes_nothing():
    model = build("timm:resnet10t").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    invented(model, (3, 32, 32), 4)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert model.training


def test_the_seed_decides_and_targets_are_no_part_of_the_inputs():
    model = nn.Linear(4, 4)
    first, again, other = (invented(model, (4,), 9, loss="mse", seed=s)[0] for s in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert not torch.equal(first[0], first[1])


def test_language_models_predict_their_own_tokens():
    model = build(GPT2)
    batch, said = invented(model, (12,), 8)
    assert torch.equal(batch["labels"], batch["input_ids"])
    assert said == "8 random texts of 12 tokens, the tokens as labels"
    found = firstlight.audit(model, batch).output
    assert found.classes == 64
    assert found.loss == pytest.approx(found.uninformed, rel=0.1)


@pytest.mark.parametrize(
    ("model", "shape", "labels"),
    [
        ("hf:BertForSequenceClassification:num_hidden_layers=1:num_labels=3", (12,), (4,)),
        (f"hf:ViTForImageClassification:{VIT}:image_size=32", (3, 32, 32), (4,)),
        ("hf:BertModel:num_hidden_layers=1", (12,), None),
        (f"hf:ViTModel:{VIT}:image_size=32", (3, 32, 32), None),
    ],
)
def test_transformers_models_get_the_labels_that_they_take(model, shape, labels):
    batch, said = invented(build(model), shape, 4)
    assert ("labels" in batch) == (labels is not None) == ("labels" in said)
    if labels:
        assert batch["labels"].shape == labels


def test_a_sequence_to_sequence_model_predicts_what_its_decoder_reads():
    tiny = "d_model=32:d_kv=8:d_ff=32:num_layers=1:num_heads=2:vocab_size=64"
    batch, _ = invented(build(f"hf:T5ForConditionalGeneration:{tiny}"), (12,), 4)
    assert torch.equal(batch["labels"], batch["decoder_input_ids"])


def test_a_model_that_cannot_take_the_shape_gets_its_inputs_and_the_audit_says_why():
    batch, _ = invented(build("timm:resnet10t"), (5,), 4)
    assert isinstance(batch, torch.Tensor)


def test_batches_follow_the_model():
    batch = {"x": torch.ones(2), "y": torch.ones(2, dtype=torch.long)}
    moved = beside(nn.Linear(2, 2).bfloat16(), batch)
    assert (moved["x"].dtype, moved["y"].dtype) == (torch.bfloat16, torch.long)
    assert beside(nn.ReLU(), batch) is batch


def test_large_samples_and_texts_make_small_batches():
    assert usual_count(nn.ReLU(), (3, 64, 64)) == 64
    assert usual_count(nn.ReLU(), (3, 224, 224)) == 16
    assert usual_count(build(GPT2), (128,)) == 8
