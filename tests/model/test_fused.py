"""Fused projections: what each marked part of a real attention or MLP does in it."""

import pytest
import torch
from torch import nn
from zoo import ZOO, Entry, forward
from zoo.entry import load, tokens

from firstlight.model import views
from firstlight.model.views import parts

_SMALL = {
    "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4,
    "intermediate_size": 64, "max_position_embeddings": 32, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2,
}  # fmt: skip
_GPT = {"vocab_size": 64, "n_positions": 32, "n_embd": 32, "n_layer": 1, "n_head": 4}


def hugging_face(name, **options):
    def build():
        kind = getattr(load("transformers"), name)
        return kind(kind.config_class(**options))

    return Entry(build, lambda: {"input_ids": tokens(2, 10)()}, needs="transformers")


ATTENTIONS = {
    **{
        name: ZOO[name]
        for name in (
            "timm_vit", "timm_beit", "timm_eva02", "timm_swin", "timm_maxvit", "timm_xcit",
            "torchvision_swin", "hf_gpt2", "hf_gpt_neox", "hf_bloom", "hf_falcon", "hf_phi3",
        )
    },
    "falcon_a_key_per_head": hugging_face("FalconForCausalLM", **_SMALL, multi_query=False),
    "falcon_grouped": hugging_face(
        "FalconForCausalLM", **_SMALL, new_decoder_architecture=True, num_kv_heads=2
    ),
    "bigcode_one_key": hugging_face("GPTBigCodeForCausalLM", **_GPT),
    "bigcode_a_key_per_head": hugging_face("GPTBigCodeForCausalLM", **_GPT, multi_query=False),
    "codegen_in_shards": hugging_face("CodeGenForCausalLM", **_GPT, rotary_dim=4),
    "persimmon": hugging_face("PersimmonForCausalLM", **_SMALL),
    "mpt": hugging_face("MptForCausalLM", vocab_size=64, d_model=32, n_layers=1, n_heads=4),
    "modernbert": hugging_face(
        "ModernBertForMaskedLM", **_SMALL, cls_token_id=1, sep_token_id=2
    ),
}  # fmt: skip
GATED = {
    "hf_phi3": ZOO["hf_phi3"],
    "timm_eva02": ZOO["timm_eva02"],
    "modernbert": ATTENTIONS["modernbert"],
    "glm": hugging_face("GlmForCausalLM", **_SMALL, num_key_value_heads=2, head_dim=8),
}
_OUT = ("proj", "c_proj", "o_proj", "dense", "out_proj", "Wo", "projection", "down_proj", "fc2")


def cases(entries):
    return [
        pytest.param(
            entry,
            id=name,
            marks=pytest.mark.skipif(not entry.available, reason=f"needs {entry.needs}"),
        )
        for name, entry in entries.items()
    ]


class Probe:
    """The first fused projection of a model with marks ``labels``, and what comes of edits."""

    def __init__(self, entry, labels):
        torch.manual_seed(0)
        self.model, self.batch = entry.build().eval(), entry.example()
        with torch.no_grad():
            for parameter in self.model.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(0, 0.2)
        found = {}
        for view in views(self.model):
            stem, _, mark = view.name.rpartition("[")
            if mark.rstrip("]") in labels:
                found.setdefault(stem, {})[mark.rstrip("]")] = view
        self.name, self.parts = next(iter(found.items()))
        assert set(self.parts) == set(labels)
        self.fused = self.model.get_submodule(self.name.rpartition(".")[0])
        self.owner = self.model.get_submodule(self.name.rpartition(".")[0].rpartition(".")[0])
        self._without_biases()

    def _without_biases(self):
        for module in (self.owner, *self.owner.children()):
            for name, parameter in module.named_parameters(recurse=False):
                if "bias" in name and "table" not in name:
                    nn.init.zeros_(parameter)

    def output(self, *zeroed):
        """What reaches the owner's last projection with some parts zero."""
        before = {k: v.clone() for k, v in self.model.state_dict().items()}
        for label in zeroed:
            view = self.parts[label]
            with view.slot.edit() as tensor:
                parts(view.slot, tensor)[view.part].view.zero_()
        seen = []
        last = next((getattr(self.owner, n) for n in _OUT if hasattr(self.owner, n)), None)
        handles = [
            self.owner.register_forward_hook(lambda _m, _a, out: seen.append(out)),
            last.register_forward_pre_hook(lambda _m, args: seen.insert(0, args[0])),
        ]
        with torch.no_grad():
            forward(self.model, self.batch)
        for handle in handles:
            handle.remove()
        self.model.load_state_dict(before)
        return seen[0][0] if isinstance(seen[0], tuple) else seen[0]

    def covers(self):
        """How many parts each entry of the weight belongs to."""
        view = next(iter(self.parts.values()))
        count = torch.zeros(view.slot.tensor.shape)
        for part in parts(view.slot, count):
            part.view.add_(1)
        return count


@pytest.mark.parametrize("entry", cases(ATTENTIONS))
def test_queries_keys_and_values_are_told_apart(entry):
    """Without values nothing comes out; without queries or keys every position counts the same."""
    probe = Probe(entry, "qkv")
    whole, uniform = probe.output(), probe.output("q", "k")
    assert bool((probe.covers() == 1).all())
    assert not probe.output("v").any()
    torch.testing.assert_close(probe.output("q"), uniform)
    torch.testing.assert_close(probe.output("k"), uniform)
    assert float((whole - uniform).abs().max()) > 1e-4
    assert bool(uniform.any())


@pytest.mark.parametrize("entry", cases(GATED))
def test_gate_and_up_both_close_a_gated_mlp(entry):
    """act(0) is 0 for SiLU and GELU; the gate is the half that the activation reads."""
    probe = Probe(entry, ("gate", "up"))
    assert bool((probe.covers() == 1).all())
    assert bool(probe.output().any())
    assert not probe.output("gate").any()
    assert not probe.output("up").any()
    read = []
    bare = (m for m in probe.owner.children() if not list(m.parameters()))
    act = next(m for m in bare if not isinstance(m, nn.Dropout))
    handle = act.register_forward_pre_hook(lambda _m, args: read.append(bool(args[0].any())))
    probe.output("gate")
    probe.output("up")
    handle.remove()
    assert read == [False, True]


@pytest.mark.skipif(not ZOO["timm_vit"].available, reason="needs timm")
@pytest.mark.parametrize(("last", "labels"), [(True, ["up", "gate"]), (False, ["gate", "up"])])
def test_timm_glu_says_which_half_is_the_gate(last, labels):
    mlp = load("timm.layers").GluMlp(8, 16, gate_last=last)
    assert [v.name for v in views(mlp)][:2] == [f"fc1.weight[{label}]" for label in labels]
    act = []
    mlp.act.register_forward_pre_hook(lambda _m, args: act.append(args[0]))
    gate = next(v for v in views(mlp) if v.name.endswith("[gate]"))
    gate.weight.zero_()
    mlp.fc1.bias.data.zero_()
    mlp(torch.ones(2, 8))
    assert not act[0].any()


def test_keys_and_values_alone_are_not_cut_in_three():
    """GCViT's global attention: qkv has 2 dim rows, and 2 * 96 divides by three."""
    parent = nn.Module()
    parent.qkv, parent.num_heads = nn.Linear(96, 192), 3
    assert [v.name for v in views(nn.ModuleDict({"attn": parent}))] == ["attn.qkv.weight"]


@pytest.mark.parametrize("apart", [False, True])
def test_multihead_attention_packed_and_apart(apart):
    torch.manual_seed(0)
    wide = {"kdim": 8, "vdim": 8} if apart else {}
    attention = nn.MultiheadAttention(16, 4, bias=False, batch_first=True, **wide)
    query, other = torch.randn(2, 5, 16), torch.randn(2, 7, 8 if apart else 16)
    names = {label: i for i, label in enumerate("qkv")}
    before = {k: v.clone() for k, v in attention.state_dict().items()}

    def output(*zeroed):
        attention.load_state_dict(before)
        for label in zeroed:
            views(attention)[names[label]].weight.zero_()
        with torch.no_grad():
            return attention(query, other, other)[0]

    assert [v.kind for v in views(attention)][:3] != ["linear"] * 3
    uniform = output("q", "k")
    assert not output("v").any()
    torch.testing.assert_close(output("q"), uniform)
    torch.testing.assert_close(output("k"), uniform)
    assert float((output() - uniform).abs().max()) > 1e-4
