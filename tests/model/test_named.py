import json
import logging
import warnings

import huggingface_hub
import pytest
import torch
from torch import nn

from firstlight.errors import OptionError
from firstlight.model.libraries import library, offline, quiet
from firstlight.model.named import build
from firstlight.model.sample import sample

TINY = "n_layer=1:n_embd=32:n_head=2:vocab_size=64"


@pytest.mark.parametrize(
    ("name", "kind", "attribute", "expected"),
    [
        ("mlp:width=32", "Sequential", "1.out_features", 32),
        ("small_vit:image_size=(8, 8):classes=7", "VisionTransformer", "head.out_features", 7),
        ("torchvision:resnet18:num_classes=5", "ResNet", "fc.out_features", 5),
        ("timm:vit_tiny_patch16_224:depth=1:img_size=32", "VisionTransformer", "depth", None),
        (f"hf:GPT2LMHeadModel:{TINY}", "GPT2LMHeadModel", "lm_head.out_features", 64),
        (f"hf:gpt2:{TINY}", "GPT2Model", "wte.num_embeddings", 64),
        ("torch.nn:Linear:in_features=3:out_features=4", "Linear", "out_features", 4),
    ],
)
def test_a_name_becomes_a_model(name, kind, attribute, expected):
    model = build(name)
    assert type(model).__name__ == kind
    if attribute == "depth":
        assert len(model.blocks) == 1
        return
    *path, last = attribute.split(".")
    assert getattr(model.get_submodule(".".join(path)), last) == expected


@pytest.mark.parametrize("name", ["mlp", "torchvision:vit_b_16", "timm:resnet18", "hf:bert"])
def test_on_the_meta_device_nothing_has_memory(name):
    model = build(name, meta=True)
    assert all(parameter.is_meta for parameter in model.parameters())


def test_a_model_that_the_meta_device_cannot_hold_says_so():
    with pytest.raises(OptionError, match=r"on the meta device \(it may be without\): "):
        build("torchvision:regnet_y_400mf", meta=True)


def test_detection_models_fetch_no_backbone(monkeypatch):
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", None)
    assert build("torchvision:fcn_resnet50", meta=True).classifier is not None


@pytest.fixture
def config(tmp_path):
    """Write a config.json; return its path."""

    def write(**settings):
        path = tmp_path / "config.json"
        tiny = {"n_layer": 1, "n_embd": 32, "n_head": 2, "vocab_size": 64}
        path.write_text(json.dumps({"model_type": "gpt2", **tiny, **settings}))
        return path

    return write


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "GPT2Model"),
        ({"architectures": ["GPT2LMHeadModel"]}, "GPT2LMHeadModel"),
        ({"architectures": ["NotInTransformers"]}, "GPT2Model"),
        ({"architectures": []}, "GPT2Model"),
        ({"auto_map": {"AutoModel": "evil.Evil"}}, "GPT2Model"),
    ],
)
def test_a_config_file_or_its_folder_becomes_its_architecture(config, settings, kind):
    path = config(**settings)
    for name in (f"hf:{path}", f"hf:{path.parent}", f"hf:{path}:n_layer=2"):
        model = build(name)
        assert type(model).__name__ == kind
        assert model.config.n_layer == (2 if name.endswith("=2") else 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot read it as JSON: Expecting"),
        ("[1]", r"expected an object with a model_type, got \[1\]"),
        ("{}", "model_type must be one that transformers knows, got None"),
        ('{"model_type": "nosuch"}', "model_type must be one .*, got 'nosuch'"),
        ('{"model_type": "gpt2", "n_layer": "x"}', "cannot be built: .*n_layer"),
        (" " * 1_000_001, "larger than 1000000 bytes"),
    ],
)
def test_a_bad_config_file_is_one_clear_line(tmp_path, text, message):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(OptionError, match=message) as caught:
        build(f"hf:{path}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet18", "model must be one of mlp, small_resnet, small_vit, torchvision:NAME"),
        ("timm:resnet19", "timm has no model 'resnet19'; did you mean"),
        ("timm:hf-hub:timm/resnet18.a1_in1k", "timm has no model"),
        ("timm:resnet18:pretrained=True", "only untrained models .* option 'pretrained'"),
        ("timm:resnet18:checkpoint_path=x", "only untrained models"),
        ("torchvision:fcn_resnet50:weights_backbone=DEFAULT", "only untrained models"),
        ("torchvision:resnet18:foo=1", "cannot be built: TypeError: .*'foo'"),
        ("hf:bert-base-uncased", "transformers has no model 'bert-base-uncased'; did you mean"),
        ("hf:meta-llama/Llama-3", "no such file; expected a config.json .*nothing is downloaded"),
        ("hf:AutoModel", "transformers has no model 'AutoModel'"),
        ("hf:vitpose", "no base model of type 'vitpose'; name one of its classes"),
        ("hf:GPT2LMHeadModel:n_layer=two", "GPT2Config: .*n_layer"),
        ("math:pi", "must be callable"),
        ("math:sqrt", "cannot be built: TypeError"),
        ("builtins:dict", "expected a torch.nn.Module, got {}"),
    ],
)
def test_what_cannot_be_built_is_one_clear_line(name, message):
    with pytest.raises(OptionError, match=message) as caught:
        build(name)
    assert "\n" not in str(caught.value)


def test_nothing_is_fetched_while_a_model_is_built(monkeypatch):
    transformers = library("transformers")
    seen = []
    kind = transformers.GPT2LMHeadModel
    original = kind.__init__

    def spy(self, config):
        seen.append(huggingface_hub.constants.is_offline_mode())
        original(self, config)

    monkeypatch.setattr(kind, "__init__", spy)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    build(f"hf:GPT2LMHeadModel:{TINY}")
    assert seen == [True]
    assert not huggingface_hub.constants.is_offline_mode()


def test_offline_refuses_requests(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with offline(), pytest.raises(huggingface_hub.errors.OfflineModeIsEnabled):
        huggingface_hub.model_info("gpt2")


def test_quiet_is_over_when_it_ends(caplog):
    log = logging.getLogger("chatter")
    with quiet():
        warnings.warn("not seen", stacklevel=1)
        log.error("not seen")
    assert not caplog.records
    log.error("seen")
    assert [record.message for record in caplog.records] == ["seen"]


def test_samples_are_what_the_model_reads():
    assert sample(nn.Linear(3, 2), (3,)).shape == (2, 3)
    assert torch.equal(sample(nn.Linear(3, 2), (3,)), sample(nn.Linear(3, 2), (3,)))
    tokens = sample(build(f"hf:gpt2:{TINY}", meta=True), (7,))["input_ids"]
    assert tokens.shape == (2, 7)
    assert tokens.max() < 64
    pair = sample(build("hf:t5:num_layers=1", meta=True), (7,))
    assert {name: tuple(x.shape) for name, x in pair.items()} == {
        "input_ids": (2, 7),
        "decoder_input_ids": (2, 8),
    }
    assert sample(build("hf:vit", meta=True), (3, 4, 4))["pixel_values"].is_floating_point()
