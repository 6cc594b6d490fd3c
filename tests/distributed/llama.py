"""A small Llama: embedding, RMS norms, rotary attention with fewer keys, gated MLP, head."""

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention, silu


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Attention(nn.Module):
    def __init__(self, width, heads, key_heads):
        super().__init__()
        self.size = width // heads
        self.wq = nn.Linear(width, heads * self.size, bias=False)
        self.wk = nn.Linear(width, key_heads * self.size, bias=False)
        self.wv = nn.Linear(width, key_heads * self.size, bias=False)
        self.wo = nn.Linear(heads * self.size, width, bias=False)

    def forward(self, x, angles):
        batch, length, _ = x.shape
        # -1: under tensor parallelism a rank holds some of the heads
        q, k, v = (
            w(x).view(batch, length, -1, self.size).transpose(1, 2)
            for w in (self.wq, self.wk, self.wv)
        )
        q, k = rotate(q, angles), rotate(k, angles)
        k, v = (t.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for t in (k, v))
        y = scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.wo(y.transpose(1, 2).reshape(batch, length, -1))


def rotate(x, angles):
    a, b = x.chunk(2, dim=-1)
    cos, sin = angles.cos()[: x.shape[2]], angles.sin()[: x.shape[2]]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class FeedForward(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.w1 = nn.Linear(width, inner, bias=False)
        self.w2 = nn.Linear(inner, width, bias=False)
        self.w3 = nn.Linear(width, inner, bias=False)

    def forward(self, x):
        return self.w2(silu(self.w1(x)) * self.w3(x))


class Block(nn.Module):
    def __init__(self, width, heads, key_heads, inner):
        super().__init__()
        self.attention_norm, self.ffn_norm = RMSNorm(width), RMSNorm(width)
        self.attention = Attention(width, heads, key_heads)
        self.feed_forward = FeedForward(width, inner)

    def forward(self, x, angles):
        x = x + self.attention(self.attention_norm(x), angles)
        return x + self.feed_forward(self.ffn_norm(x))


class Llama(nn.Module):
    def __init__(
        self, vocabulary=100, width=32, layers=2, heads=4, key_heads=2, inner=88, length=16
    ):
        super().__init__()
        self.width, self.heads, self.length = width, heads, length
        self.tok_embeddings = nn.Embedding(vocabulary, width)
        self.register_buffer("angles", self.make_angles(), persistent=False)
        self.layers = nn.ModuleDict(
            {str(i): Block(width, heads, key_heads, inner) for i in range(layers)}
        )
        self.norm = RMSNorm(width)
        self.output = nn.Linear(width, vocabulary, bias=False)

    def make_angles(self):
        half = self.width // self.heads // 2
        rates = 10_000.0 ** -(torch.arange(half) / half)
        return torch.outer(torch.arange(self.length).float(), rates)

    def forward(self, tokens):
        x = self.tok_embeddings(tokens) if self.tok_embeddings is not None else tokens
        for layer in self.layers.values():
            x = layer(x, self.angles)
        x = self.norm(x) if self.norm is not None else x
        return self.output(x) if self.output is not None else x

    def init_weights(self):
        """Start as torchtitan's models do; called after ``to_empty``."""
        with torch.no_grad():
            self.angles.copy_(self.make_angles())
        if self.tok_embeddings is not None:
            nn.init.normal_(self.tok_embeddings.weight)
        for layer in self.layers.values():
            for norm in (layer.attention_norm, layer.ffn_norm):
                nn.init.ones_(norm.weight)
            mine = (*layer.attention.children(), *layer.feed_forward.children())
            for linear in mine:
                nn.init.trunc_normal_(linear.weight, mean=0.0, std=0.02)
        if self.norm is not None:
            nn.init.ones_(self.norm.weight)
        if self.output is not None:
            std = self.width**-0.5
            nn.init.trunc_normal_(self.output.weight, std=std, a=-3 * std, b=3 * std)
