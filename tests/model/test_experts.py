"""Mixtures of experts that keep all experts in one tensor, against what each expert computes."""

import pytest
import torch
from zoo import ZOO
from zoo.entry import load

from firstlight.model import views

pytestmark = pytest.mark.skipif(not ZOO["hf_mixtral"].available, reason="needs transformers")

_SMALL = {
    "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 64, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2, "num_local_experts": 3, "num_experts": 3, "num_experts_per_tok": 1,
}  # fmt: skip
LAYOUTS = {
    "mixtral": ("MixtralForCausalLM", {}),
    "qwen2_moe": ("Qwen2MoeForCausalLM", {"moe_intermediate_size": 48}),
    "olmoe_half_as_wide": ("OlmoeForCausalLM", {"intermediate_size": 16}),
    "gpt_oss": ("GptOssForCausalLM", {"head_dim": 8, "intermediate_size": 24}),
    "gpt_oss_square": ("GptOssForCausalLM", {"head_dim": 8, "intermediate_size": 32}),
    "llama4": (
        "Llama4ForCausalLM",
        {"head_dim": 8, "intermediate_size_mlp": 64, "interleave_moe_layer_step": 1},
    ),
}


def experts_of(name, options):
    torch.manual_seed(0)
    kind = getattr(load("transformers"), name)
    model = kind(kind.config_class(**{**_SMALL, **options}))
    (found,) = [m for m in model.modules() if type(m).__name__.endswith("Experts")]
    for local, tensor in found.named_parameters():
        torch.nn.init.zeros_(tensor) if "bias" in local else torch.nn.init.normal_(tensor)
    return found


def outputs(experts, x):
    """Of every expert on the same rows: (experts, rows, width)."""
    with torch.no_grad():
        if type(experts).__name__ == "Llama4TextExperts":
            return experts(x.repeat(3, 1)).view(3, *x.shape)
        weights = torch.ones(len(x), 1)
        return torch.stack(
            [experts(x, torch.full((len(x), 1), e), weights).view_as(x) for e in range(3)]
        )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_view_is_one_experts_matrix(layout):
    experts, x = experts_of(*LAYOUTS[layout]), torch.randn(4, 32)
    inward = [v for v in views(experts) if v.name.startswith("gate_up_proj[1]")]
    (outward,) = [v for v in views(experts) if v.name.startswith("down_proj[1]")]
    before = outputs(experts, x)
    assert outward.shape[0] == inward[0].shape[1] == 32

    outward.weight[5] = 0  # an output unit
    after = outputs(experts, x)
    assert not after[1, :, 5].any()
    others = [unit for unit in range(32) if unit != 5]
    torch.testing.assert_close(after[1][:, others], before[1][:, others])
    torch.testing.assert_close(after[[0, 2]], before[[0, 2]])

    for view in inward:
        view.weight[:, 7] = 0  # an input
    torch.testing.assert_close(outputs(experts, x)[1], outputs(experts, x + torch.eye(32)[7])[1])
    assert not torch.allclose(outputs(experts, x)[0], outputs(experts, x + torch.eye(32)[7])[0])
