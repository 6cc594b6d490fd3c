"""Attention with torch's own modules, and written by hand."""

import torch
from torch import nn
from torch.nn import functional

from .entry import Entry, arguments, normal, tokens


class EncoderClassifier(nn.Module):
    """Token and position embeddings, a class token, nn.TransformerEncoder, a head."""

    def __init__(self, **options):
        super().__init__()
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, **options)
        self.embedding = nn.Embedding(64, 32)
        self.position = nn.Parameter(torch.randn(1, 13, 32) * 0.02)
        self.token = nn.Parameter(torch.zeros(1, 1, 32))
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        x = torch.cat([self.token.expand(len(x), -1, -1), self.embedding(x)], 1)
        return self.head(self.encoder(x + self.position)[:, 0])


class CrossAttention(nn.Module):
    """Keys and values of other widths than the queries': three weights, and extra bias rows."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(
            32, 4, kdim=16, vdim=24, batch_first=True, add_bias_kv=True
        )

    def forward(self, query, key, value):
        return self.attention(query, key, value)[0]


class FusedBlock(nn.Module):
    """Query, key and value in one Linear, gated MLP, no biases, as in a decoder-only model."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.RMSNorm(32), nn.RMSNorm(32)
        self.qkv = nn.Linear(32, 96, bias=False)
        self.proj = nn.Linear(32, 32, bias=False)
        self.gate_up = nn.Linear(32, 128, bias=False)
        self.down = nn.Linear(64, 32, bias=False)

    def forward(self, x):
        heads = self.qkv(self.norm1(x)).unflatten(-1, (3, 4, 8)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + self.proj(mixed.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(functional.silu(gate) * up)


def _tiny_gpt():
    head = nn.Linear(32, 64, bias=False)
    embedding = nn.Embedding(64, 32)
    head.weight = embedding.weight
    return nn.Sequential(embedding, FusedBlock(), FusedBlock(), nn.RMSNorm(32), head)


ENTRIES = {
    "transformer_encoder_decoder": Entry(
        lambda: nn.Transformer(32, 4, 2, 2, 64, batch_first=True),
        arguments(normal(4, 10, 32), normal(4, 6, 32)),
    ),
    "transformer_classifier": Entry(EncoderClassifier, tokens(4, 12)),
    "transformer_norm_first": Entry(
        lambda: EncoderClassifier(norm_first=True, activation="gelu"), tokens(4, 12)
    ),
    "cross_attention": Entry(
        CrossAttention, arguments(normal(2, 5, 32), normal(2, 7, 16), normal(2, 7, 24))
    ),
    "tiny_gpt": Entry(_tiny_gpt, tokens(4, 12)),
}
