"""Models of libraries that hold values when they are sharded: tied, stacked, fused, with norms."""

import torch
from sent import nothing_sent
from sharded import garbage, whole
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import firstlight
from firstlight.model._torchvision import prepare

prepare()

SIZES = {
    "num_hidden_layers": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 101,
}


def llama():
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=True))


def mixtral():
    from transformers import MixtralConfig, MixtralForCausalLM

    return MixtralForCausalLM(MixtralConfig(**SIZES, num_local_experts=4))


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"vocab_size": 101, "bos_token_id": 0, "eos_token_id": 0}
    return GPT2LMHeadModel(GPT2Config(n_layer=2, n_embd=32, n_head=4, **sizes))


def vit():
    import timm

    return timm.create_model("vit_tiny_patch16_224", depth=2, img_size=32, num_classes=10)


def resnet():
    from torchvision.models import resnet18

    return resnet18(num_classes=10, zero_init_residual=True)


def attention():
    """Starts its output layer's bias itself, and not that layer."""
    return nn.Sequential(nn.ModuleList([nn.MultiheadAttention(32, 4) for _ in range(2)]))


def compiled():
    model = nn.Sequential(nn.Sequential(nn.Linear(10, 20), nn.Tanh()), nn.Linear(20, 6))
    model[0] = torch.compile(model[0])
    return model


def shard(model, mesh):
    for module in model.modules():
        if isinstance(module, nn.ModuleList):
            for block in module:
                fully_shard(block, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def untied(rank, world, folder):
    """Built on the meta device, where no start has drawn anything yet: each runs layer by layer."""
    mesh = init_device_mesh("cpu", (world,))
    for make in (llama, gpt2, attention):
        with torch.device("meta"):
            whole_one, model = make(), make()
        plan = firstlight.plan(whole_one, seed=3)
        expected = plan.apply(garbage(whole_one.to_empty(device="cpu"))).state_dict()
        if make is llama:
            assert torch.equal(expected["lm_head.weight"], expected["model.embed_tokens.weight"])
        garbage(shard(model, mesh).to_empty(device="cpu"))
        with nothing_sent(make.__name__):
            plan.apply(model)
        for name, tensor in model.state_dict().items():
            assert torch.equal(whole(tensor), expected[name]), (make.__name__, name)


def everything(rank, world, folder):
    mesh = init_device_mesh("cpu", (world,))
    for make in (llama, mixtral, gpt2, vit, resnet, compiled):
        for scheme in ("auto", "he_normal"):
            torch.manual_seed(0)
            expected = firstlight.initialize(make(), scheme).state_dict()
            torch.manual_seed(0)
            model = shard(make(), mesh)
            with nothing_sent((make.__name__, scheme)):
                firstlight.initialize(model, scheme)
            for name, tensor in model.state_dict().items():
                assert torch.equal(whole(tensor), expected[name]), (make.__name__, scheme, name)
