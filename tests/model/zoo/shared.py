"""Embeddings, weights that several layers share, and parameters that no layer owns."""

import torch
from torch import nn
from torch.nn import functional

from .entry import Entry, arguments, normal, tokens

_ROWS = normal(32, 16)


class TiedAutoencoder(nn.Module):
    """The decoder is the encoder's weight transposed, in forward."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(16, 8)
        self.bias = nn.Parameter(torch.zeros(16))

    def forward(self, x):
        return functional.linear(self.encoder(x).relu(), self.encoder.weight.T, self.bias)


class RawParameters(nn.Module):
    """Matrices as bare parameters: in linear, in @ (so transposed), in einsum (three-way)."""

    def __init__(self):
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(32, 16) * 16**-0.5)
        self.w2 = nn.Parameter(torch.randn(32, 24) * 32**-0.5)
        self.experts = nn.Parameter(torch.randn(4, 24, 8) * 24**-0.5)
        self.scale = nn.Parameter(torch.ones(8))

    def forward(self, x):
        x = torch.relu(functional.linear(x, self.w1)) @ self.w2
        return torch.einsum("bi,eio->beo", x.relu(), self.experts).mean(1) * self.scale


class ParameterContainers(nn.Module):
    def __init__(self):
        super().__init__()
        self.steps = nn.ParameterList([torch.randn(16, 16) / 4 for _ in range(3)])
        self.named = nn.ParameterDict({"in": torch.randn(16, 16) / 4, "shift": torch.zeros(16)})

    def forward(self, x):
        x = x @ self.named["in"] + self.named["shift"]
        for step in self.steps:
            x = torch.tanh(x @ step)
        return x


class Recommender(nn.Module):
    """Two embeddings and their product's biases; then the bag of words joins by a Bilinear."""

    def __init__(self):
        super().__init__()
        self.user, self.item = nn.Embedding(64, 16), nn.Embedding(64, 16, padding_idx=0)
        self.user_bias = nn.Embedding(64, 1)
        self.words = nn.EmbeddingBag(64, 16, mode="mean", padding_idx=0)
        self.join = nn.Bilinear(16, 16, 8)
        self.head = nn.Linear(8, 1)

    def forward(self, user, item, words):
        dot = (self.user(user) * self.item(item)).sum(-1, keepdim=True) + self.user_bias(user)
        return dot + self.head(self.join(self.item(item), self.words(words)).relu())


class Siamese(nn.Module):
    """One body, run twice."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 8))

    def forward(self, left, right):
        return functional.cosine_similarity(self.body(left), self.body(right))


class Mixture(nn.Module):
    """A router and four experts; each row visits the two best, so an expert may see no row."""

    def __init__(self):
        super().__init__()
        self.router = nn.Linear(16, 4, bias=False)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(16, 32), nn.SiLU(), nn.Linear(32, 16)) for _ in range(4)
        )

    def forward(self, x):
        weights, chosen = self.router(x).softmax(-1).topk(2)
        total = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            row, place = (chosen == number).nonzero(as_tuple=True)
            total = total.index_add(0, row, expert(x[row]) * weights[row, place, None])
        return total


def _tied_linears():
    first, second = nn.Linear(16, 16), nn.Linear(16, 16)
    second.weight = first.weight
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(16, 5))


def _same_module_twice():
    layer = nn.Linear(16, 16)
    return nn.Sequential(layer, nn.Tanh(), layer, nn.Tanh(), nn.Linear(16, 5))


def _embedding_with_padding():
    return nn.Sequential(
        nn.Embedding(64, 16, padding_idx=0, max_norm=2.0), nn.Flatten(), nn.Linear(96, 5)
    )


ENTRIES = {
    "tied_linears": Entry(_tied_linears, _ROWS),
    "same_module_twice": Entry(_same_module_twice, _ROWS),
    "tied_autoencoder": Entry(TiedAutoencoder, _ROWS),
    "raw_parameters": Entry(RawParameters, _ROWS),
    "parameter_containers": Entry(ParameterContainers, _ROWS),
    "embedding_padding": Entry(_embedding_with_padding, tokens(4, 6)),
    "recommender": Entry(Recommender, arguments(tokens(8), tokens(8), tokens(8, 5))),
    "bilinear": Entry(lambda: nn.Bilinear(16, 8, 5), arguments(_ROWS, normal(32, 8))),
    "siamese": Entry(Siamese, arguments(_ROWS, normal(32, 16))),
    "mixture_of_experts": Entry(Mixture, _ROWS),
}
