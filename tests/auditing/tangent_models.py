"""Models whose parameters are used in every way that a tangent kernel must see, as data."""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def tokens(*shape, size=11):
    return torch.randint(size, shape, generator=torch.Generator().manual_seed(1))


class Functional(nn.Module):
    """Bare parameters: in linear, transposed, as a bias, in a product; one weight used twice."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(7, 5))
        self.v = nn.Parameter(torch.randn(5, 5))
        self.scale = nn.Parameter(torch.randn(5))
        self.shift = nn.Parameter(torch.randn(7))

    def forward(self, x):
        hidden = torch.tanh(functional.linear(x @ self.v, self.w, self.shift))
        return self.scale * functional.linear(hidden, self.w.T)


class Shared(nn.Module):
    """A layer at three places; one of its weights in a layer of another kind, too."""

    def __init__(self):
        super().__init__()
        self.layer, self.norm = nn.Linear(6, 6), nn.LayerNorm(6)
        self.other = nn.Linear(6, 6, bias=False)
        self.tied = nn.Linear(6, 6)
        self.tied.weight = self.other.weight

    def forward(self, x):
        x = self.norm(torch.tanh(self.layer(self.norm(self.layer(x)))))
        return self.tied(torch.sin(self.other(self.layer(x))))[:, :2]


class Watched(nn.Module):
    """A known layer whose weight also counts by itself: what its layer sees is not all."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(5, 2)

    def forward(self, x):
        return self.layer(x) * (1 + self.layer.weight.square().sum())


class Tokens(nn.Module):
    """A small causal language model whose head is its embedding; positions, padding, dropout."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 8, padding_idx=2)
        self.place = nn.Parameter(torch.randn(1, 5, 8))
        self.drop = nn.Dropout(0.5)
        layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.3, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.table.weight

    def forward(self, ids, scale=1.0):
        x = self.body(self.drop(self.table(ids) + self.place) * scale)
        return {"loss": x.mean(), "hidden": x, "logits": self.head(x.mean(1))}


class Encoder(nn.Module):
    """Norms with a scale each, and linear layers on tokens wide enough to be kept as factors."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 8, padding_idx=-2)
        self.first, self.norm = nn.Linear(8, 96), nn.RMSNorm(96)
        self.second, self.last = nn.Linear(96, 64), nn.GroupNorm(4, 64)

    def forward(self, ids):
        x = self.second(self.norm(torch.tanh(self.first(self.table(ids)))))
        return self.last(x.mT).amax(2)[:, :3]


class Products(nn.Module):
    """Weights on the right, as in Hugging Face's Conv1D, and a scale of its own."""

    def __init__(self):
        super().__init__()
        self.w, self.v = nn.Parameter(torch.randn(5, 7)), nn.Parameter(torch.randn(7, 3))
        self.scale, self.shift = nn.Parameter(torch.randn(7)), nn.Parameter(torch.randn(3))

    def forward(self, x):
        x = torch.tanh(self.scale * (x @ self.w)) * self.scale
        return torch.addmm(self.shift, x, self.v)


class Grid(nn.Module):
    """A layer that all samples share reads places, not samples."""

    def __init__(self):
        super().__init__()
        self.place, self.layer = nn.Linear(2, 3), nn.Linear(5, 3)
        self.register_buffer("grid", torch.randn(4, 2))

    def forward(self, x):
        return torch.tanh(self.layer(x)[:, None] + self.place(self.grid)).sum(1)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(4, 6, batch_first=True)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return (self.head(self.cell(x)[0][:, -1]), "not a tensor")


class Shuffled(nn.Module):
    """Its layer sees the samples in another order."""

    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.Linear(5, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.layer(x.flip(0))).flip(0))


def convolutions():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=(1, 0), padding_mode="reflect"), nn.ReLU(inplace=True),
        nn.Conv2d(8, 6, (2, 3), padding="same", groups=2, dilation=(2, 1)), nn.GELU(),
        nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1, groups=2), nn.Tanh(),
        nn.Conv2d(4, 4, 3, groups=4, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 3),
    )  # fmt: skip


def other_dimensions():
    return nn.Sequential(
        nn.Conv1d(2, 4, 3, stride=2), nn.Tanh(), nn.Unflatten(2, (2, 2, -1)),
        nn.Conv3d(4, 6, (1, 2, 2), padding=(1, 0, 1)), nn.Tanh(), nn.Flatten(2),
        nn.ConvTranspose1d(6, 2, 3, dilation=2, output_padding=1), nn.Flatten(), nn.LazyLinear(2),
    )  # fmt: skip


def perceptron(wrap=lambda layer: layer):
    return nn.Sequential(
        wrap(nn.Linear(5, 16)), nn.ReLU(inplace=True), wrap(nn.Linear(16, 12)), nn.Tanh(),
        nn.Linear(12, 3),
    )  # fmt: skip


def frozen():
    model = perceptron()
    model[0].weight.requires_grad_(False)
    model[2].bias.requires_grad_(False)
    model[4].requires_grad_(False)
    return model


def batch_norm():
    return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2))


def gated_batch_norm():
    """Its scale is zero: each sample gives the same alone, but not the same gradient."""
    model = nn.Sequential(
        nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3), nn.Tanh(), nn.Flatten(), nn.Linear(12, 2)
    )
    nn.init.zeros_(model[1].weight)
    return model


def evaluated():
    model = batch_norm().eval()
    with torch.no_grad():
        model[1].running_mean.copy_(torch.arange(8.0))
        model[1].running_var.copy_(torch.arange(8.0) + 1)
    return model


LAYERS, SAMPLES, BATCH = "layer by layer", "sample by sample", "row by row"

#: By name: how to build it, its batch, and the ways that its kernel takes.
MODELS = {
    "perceptron": (perceptron, noise(9, 5), {LAYERS}),
    "one output": (lambda: nn.Linear(5, 1), noise(9, 5), {LAYERS}),
    "one sample": (perceptron, noise(1, 5), {LAYERS}),
    "convolutions": (convolutions, noise(4, 3, 9, 10), {LAYERS}),
    "other dimensions": (other_dimensions, noise(3, 2, 33), {LAYERS}),
    "encoder": (Encoder, tokens(5, 3), {LAYERS}),
    "frozen": (frozen, noise(9, 5), {LAYERS}),
    "evaluated batch norm": (evaluated, noise(6, 5), {LAYERS}),
    "products": (Products, noise(6, 5), {LAYERS}),
    "grid": (Grid, noise(6, 5), {LAYERS, SAMPLES}),
    "functional": (Functional, noise(6, 5), {LAYERS, SAMPLES}),
    "shared": (Shared, noise(6, 6), {LAYERS}),
    "watched": (Watched, noise(6, 5), {LAYERS, SAMPLES}),
    "weight norm": (lambda: perceptron(weight_norm), noise(7, 5), {LAYERS, SAMPLES}),
    "tokens": (Tokens, {"ids": tokens(4, 5), "scale": 2.0}, {LAYERS, SAMPLES}),
    "recurrent": (Recurrent, (noise(4, 3, 4),), {LAYERS, SAMPLES}),
    "batch norm": (batch_norm, noise(6, 5), {LAYERS, BATCH}),
    "gated batch norm": (gated_batch_norm, noise(6, 2, 5), {LAYERS, SAMPLES, BATCH}),
    "shuffled": (Shuffled, noise(6, 5), {LAYERS, SAMPLES}),
}


def build(name):
    """Return the model in float64, in the mode in which it was made, and its batch."""
    torch.manual_seed(0)
    make, batch, _ = MODELS[name]
    model = make()
    if name == "other dimensions":
        model(batch.float())  # gives the lazy layer its shape
    return model.double(), batch
