"""No false alarms: standard starts of standard networks, and 149 models of all kinds."""

import importlib.util

import pytest
import torch
from torch import nn
from zoo import CASES, ZOO
from zoo.entry import load

import firstlight
from firstlight.init import SCHEMES
from firstlight.model.zoo import mlp, small_resnet, small_vit

#: What is truly unlike a trained-for start in a model of the zoo, by the checks that say so.
TRUE = {
    # torch copies the one layer that it is given
    "transformer_classifier": {"identical layers"},
    "transformer_norm_first": {"identical layers"},
    "bfloat16_transformer": {"identical layers"},
    # x - sin(x) is x^3 / 6 near 0: only the biases are left
    "mlp_unseen_activation": {"samples look alike", "skewed neurons"},
    "mlp_tanh_100_layers": {"samples look alike", "vanishing gradient", "float range"},
    # frozen, and never trained
    "mlp_frozen_layers": {"frozen random layers"},
    "lora_modules": {"frozen random layers"},
    "lora_parameters": {"frozen random layers"},
    "pruned": {"zero rows", "rank"},
    # branches behind a layer scale of 1e-5: at first the class token hardly sees the image
    "timm_cait": {"samples look alike", "vanishing gradient", "float range"},
}
#: What cannot be run, and what is said.
REFUSED = {"meta_device": "0.weight is on the meta device", "scripted": "TorchScript cannot be"}


def bad(audit: firstlight.Audit) -> set[str]:
    return {verdict.check for verdict in (*audit.failures, *audit.warnings)}


def state(model: nn.Module) -> dict:
    """All values; what is no tensor, as a quantised module's packed weights, as text."""
    return {
        key: value.clone() if isinstance(value, torch.Tensor) else repr(value)
        for key, value in model.state_dict().items()
    }


def unchanged(before: dict, model: nn.Module) -> bool:
    after = state(model)
    return before.keys() == after.keys() and all(
        torch.equal(value, after[key]) if isinstance(value, torch.Tensor) else value == after[key]
        for key, value in before.items()
    )


@pytest.mark.parametrize("entry", CASES)
def test_models_of_all_kinds(entry, request):
    name = request.node.callspec.id
    torch.manual_seed(0)
    model = entry.build()
    if name in REFUSED:
        with pytest.raises(firstlight.FirstlightError, match=REFUSED[name]) as caught:
            firstlight.audit(model, entry.example() if entry.example else torch.zeros(1))
        assert "\n" not in str(caught.value)
        return
    before = state(model)
    found = firstlight.audit(model, entry.example())
    assert bad(found) == TRUE.get(name, set())
    assert unchanged(before, model)
    assert str(found)


def test_the_table_names_models():
    assert TRUE.keys() | REFUSED.keys() <= ZOO.keys()


def images(count: int, side: int, classes: int = 1000):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, 3, side, side, generator=generator)
    return x, torch.randint(classes, (count,), generator=generator)


def vision(name: str, **options):
    def build():
        module, _, rest = name.partition(":")
        if module == "timm":
            return load("timm").create_model(rest, pretrained=False, **options)
        return getattr(load("torchvision.models"), rest)(**options)

    return build


def language(kind: str, **options):
    def build():
        made = getattr(load("transformers"), kind)
        return made(made.config_class(vocab_size=500, pad_token_id=0, **options))

    return build


def text():
    tokens = torch.randint(3, 500, (4, 32), generator=torch.Generator().manual_seed(0))
    return {"input_ids": tokens, "labels": tokens}


_VIT = {"image_size": 64, "patch_size": 16, "num_layers": 6, "num_heads": 6, "hidden_dim": 192,
        "mlp_dim": 768}  # fmt: skip
_BERT = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4,
         "intermediate_size": 1024}  # fmt: skip
_GPT2 = {"n_embd": 256, "n_layer": 4, "n_head": 4, "bos_token_id": 1, "eos_token_id": 2}
#: At their usual sizes; the zoo above has resnet18, mobilenet_v3_small and vgg11_bn at theirs.
STARTS = {
    "resnet50": (vision("torchvision:resnet50"), lambda: images(8, 64)),
    "vit": (vision("torchvision:VisionTransformer", **_VIT), lambda: images(8, 64)),
    "timm vit": (vision("timm:vit_tiny_patch16_224", img_size=64), lambda: images(8, 64)),
    "timm convnext": (vision("timm:convnext_atto"), lambda: images(8, 64)),
    "BERT-mini": (language("BertForMaskedLM", **_BERT), text),
    "GPT-2": (language("GPT2LMHeadModel", **_GPT2), text),
}


@pytest.mark.parametrize("name", STARTS)
def test_standard_starts(name):
    needs = "timm" if "timm" in name else "transformers" if name in ("BERT-mini", "GPT-2") else ""
    if importlib.util.find_spec(needs or "torchvision") is None:
        pytest.skip(f"{needs or 'torchvision'} is not installed")
    build, batch = STARTS[name]
    torch.manual_seed(0)
    model = build()
    before = state(model)
    found = firstlight.audit(model, batch())
    found.assert_healthy(warnings=True)
    assert unchanged(before, model)


#: Matrices that repeat themselves by design: twins, half a rank, one matrix for all of a shape.
STRUCTURED = {
    "sinusoidal": {"twin rows", "rank", "identical layers"},
    "looks_linear": {"twin rows", "rank"},
    "zero": {"twin rows", "identical layers"},
    "blumenfeld": {"twin rows", "rank", "identical layers"},
}
#: tanh's diagonal, which these ReLU networks do not bound.
LOUD = {("mlp", "isometric_diagonal"): {"loss at step 0"}}
OPTIONS = {
    "siren": {"omega": 1.0},
    "diagonal_plus_noise": {"activation": "tanh"},
    "isometric_diagonal": {"activation": "tanh"},
    "edge_of_chaos": {"activation": "relu"},
}
NETWORKS = {
    "mlp": lambda: mlp(1, (8, 8), 10, width=128),
    "resnet": lambda: small_resnet(1, (8, 8), 10, widths=(16, 32)),
    "vit": lambda: small_vit(1, (8, 8), 10, width=64, depth=1),
}


@pytest.mark.parametrize("scheme", ["default", "auto", *SCHEMES])
@pytest.mark.parametrize("network", NETWORKS)
def test_every_scheme(network, scheme):
    torch.manual_seed(0)
    model, x = NETWORKS[network](), torch.randn(32, 1, 8, 8)
    if scheme != "default":
        firstlight.initialize(model, scheme, example=x, **OPTIONS.get(scheme, {}))
    found = bad(firstlight.audit(model, (x, torch.randint(10, (32,)))))
    found -= LOUD.get((network, scheme), set())
    assert STRUCTURED[scheme] <= found if scheme in STRUCTURED else not found
