"""A model with every way in which a tensor stores its matrices, in sizes that few worlds divide."""

import torch
from torch import nn


class Attention(nn.Module):
    """Queries, keys and values one after the other, as timm has them."""

    def __init__(self, width):
        super().__init__()
        self.num_heads = 2
        self.qkv = nn.Linear(width, 3 * width)


class PerHead(nn.Module):
    """Queries, keys and values of one head, then of the next, as GPT-NeoX has them."""

    def __init__(self, width, heads):
        super().__init__()
        self.num_attention_heads, self.head_dim = heads, width // heads
        self.query_key_value = nn.Linear(width, 3 * width)


class Conv1D(nn.Module):
    """Hugging Face's: (in, out)."""

    def __init__(self, outputs, inputs):
        super().__init__()
        self.nf = outputs
        self.weight = nn.Parameter(torch.ones(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def reset_parameters(self):
        nn.init.normal_(self.weight, std=0.02)
        nn.init.zeros_(self.bias)


class Turned(nn.Module):
    """Attention whose fused projection is (in, out), as GPT-2's."""

    def __init__(self, width):
        super().__init__()
        self.num_heads = 2
        self.c_attn = Conv1D(3 * width, width)


class Experts(nn.Module):
    """Three experts in two tensors: (experts, out, in), or turned."""

    def __init__(self, width, inner, turned):
        super().__init__()
        self.hidden_size, self.is_transposed = width, turned
        shapes = [(3, 2 * inner, width), (3, width, inner)]
        if turned:
            shapes = [(count, inputs, outputs) for count, outputs, inputs in shapes]
        self.gate_up_proj, self.down_proj = (nn.Parameter(torch.ones(shape)) for shape in shapes)


class EveryLayout(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(8, 6, padding_idx=2)
        self.packed = nn.MultiheadAttention(6, 2)
        self.apart = nn.MultiheadAttention(6, 2, kdim=10, vdim=4)
        self.attention = Attention(6)
        self.per_head = PerHead(8, 4)
        self.turned = Turned(6)
        self.lstm = nn.LSTM(6, 10)
        self.gru = nn.GRU(10, 6, bidirectional=True)
        self.groups = nn.Conv2d(8, 12, (3, 2), groups=2)
        self.depthwise = nn.Conv2d(6, 12, 3, groups=6)
        self.up = nn.ConvTranspose2d(4, 6, (3, 4), stride=2)
        self.up_groups = nn.ConvTranspose1d(8, 8, 5, stride=3, groups=2)
        self.up_depthwise = nn.ConvTranspose1d(6, 12, 3, groups=6)
        self.experts = Experts(8, 6, turned=False)
        self.turned_experts = Experts(8, 6, turned=True)
        self.bilinear = nn.Bilinear(4, 6, 10)
        self.few = nn.Linear(6, 2)
        self.odd = nn.Linear(13, 10)
        self.layer_norm = nn.LayerNorm(10)
        self.batch_norm = nn.BatchNorm2d(6)
