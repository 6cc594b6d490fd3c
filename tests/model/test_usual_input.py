import pytest
import torch
from torch import nn

from firstlight.model.named import build
from firstlight.model.sample import sample
from firstlight.model.usual_input import usual_input

VIT = "num_hidden_layers=1:hidden_size=32:intermediate_size=32:num_attention_heads=2"


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("torchvision:resnet18", (3, 224, 224)),
        ("torchvision:vit_b_32:image_size=64", (3, 64, 64)),
        ("torchvision:inception_v3", (3, 299, 299)),
        ("torchvision:r3d_18", (3, 16, 112, 112)),
        ("timm:resnet10t:in_chans=1", (1, 176, 176)),
        ("timm:vit_tiny_patch16_224:img_size=64", (3, 64, 64)),
        ("hf:bert:num_hidden_layers=1", (128,)),
        ("hf:gpt2:n_layer=1:n_positions=32", (32,)),
        (f"hf:vit:{VIT}", (3, 224, 224)),
        (f"hf:vit:{VIT}:num_channels=1:image_size=(32, 64)", (1, 32, 64)),
        ("hf:resnet", (3, 224, 224)),
    ],
)
def test_a_known_model_says_what_it_looks_at(name, shape):
    assert usual_input(build(name, meta=True)) == shape


def test_what_it_says_can_be_run():
    model = build("timm:vit_tiny_patch16_224:img_size=64:depth=1:in_chans=2")
    assert model(sample(model, usual_input(model))).shape == (2, 1000)


@pytest.mark.parametrize("model", [nn.Linear(2, 2), build("mlp")])
def test_others_say_nothing(model):
    assert usual_input(model) is None


def test_sound_is_not_guessed():
    assert usual_input(build("hf:wav2vec2:num_hidden_layers=1", meta=True)) is None


def test_samples_are_as_many_as_asked_for_and_follow_the_seed():
    model = nn.Linear(3, 3)
    assert sample(model, (3,), 5).shape == (5, 3)
    assert torch.equal(sample(model, (3,), 5, seed=1), sample(model, (3,), 5, seed=1))
    assert not torch.equal(sample(model, (3,), 5, seed=1), sample(model, (3,), 5, seed=2))
