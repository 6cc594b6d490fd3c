"""What breaks assumptions: devices, compilation, control flow, dtypes, inputs, odd shapes."""

import torch
from torch import nn
from torch.nn import functional

from .entry import Entry, keywords, normal, quiet, tokens

_ROWS = normal(32, 16)


def _mlp():
    return nn.Sequential(
        nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 5)
    )


def _meta():
    with torch.device("meta"):
        return _mlp()


def _bfloat16_transformer():
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).to(torch.bfloat16)


class Branching(nn.Module):
    """Which layer runs depends on the data."""

    def __init__(self):
        super().__init__()
        self.first, self.plus, self.minus = nn.Linear(16, 32), nn.Linear(32, 5), nn.Linear(32, 5)

    def forward(self, x):
        x = self.first(x).relu()
        return self.plus(x) if x.sum() > 0 else self.minus(x)


class EarlyExit(nn.Module):
    """A sure enough answer leaves early; otherwise a list grows, one answer a stage."""

    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))
        self.exits = nn.ModuleList(nn.Linear(16, 5) for _ in range(3))

    def forward(self, x):
        answers = []
        for stage, leave in zip(self.stages, self.exits, strict=True):
            x = stage(x).relu()
            answers.append(leave(x))
            if answers[-1].softmax(-1).amax() > 0.9:
                break
        return answers


class Captioned(nn.Module):
    """Takes a batch by keyword: pictures, words, and whatever else the loader gives."""

    def __init__(self):
        super().__init__()
        self.see, self.read = nn.Conv2d(3, 16, 3), nn.Embedding(64, 16)
        self.head = nn.Linear(32, 5)

    def forward(self, *, image, words, mask=None):
        words = self.read(words) if mask is None else self.read(words) * mask[..., None]
        seen = self.see(image).relu().mean((2, 3))
        return {"logits": self.head(torch.cat([seen, words.mean(1)], -1)), "seen": seen}


class Spectral(nn.Module):
    """A complex weight multiplies the lowest frequencies, as in a Fourier neural operator."""

    def __init__(self):
        super().__init__()
        self.lift = nn.Linear(1, 8)
        self.modes = nn.Parameter(torch.randn(8, 8, 4, dtype=torch.complex64) / 8)
        self.drop = nn.Linear(8, 1)

    def forward(self, x):
        x = self.lift(x).transpose(1, 2)
        waves = torch.einsum("bix,iox->box", torch.fft.rfft(x)[..., :4], self.modes)
        return self.drop(functional.gelu(torch.fft.irfft(waves, n=x.shape[-1])).transpose(1, 2))


class ComplexLinear(nn.Module):
    """A whole complex network; only the magnitude leaves it."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(16, 8, dtype=torch.complex64)
        self.second = nn.Linear(8, 5)

    def forward(self, x):
        return self.second(self.first(x.to(torch.complex64)).abs())


class Int8Linear(nn.Module):
    """The weight is a buffer of whole numbers with a scale; only the bias can be trained."""

    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.randint(-127, 128, (32, 16), dtype=torch.int8))
        self.register_buffer("scale", torch.full((32, 1), 0.01))
        self.bias = nn.Parameter(torch.zeros(32))

    def forward(self, x):
        return functional.linear(x, self.weight * self.scale, self.bias)


class Graph(nn.Module):
    """A graph convolution: a fixed adjacency between two Linears."""

    def __init__(self):
        super().__init__()
        self.register_buffer("adjacency", torch.eye(32) / 2 + torch.full((32, 32), 1 / 64))
        self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 5)

    def forward(self, x):
        return self.second(self.adjacency @ self.first(self.adjacency @ x).relu())


class OwnLinear(nn.Module):
    """A layer of one's own with nn.Linear's names, its weight stored (in, out)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class Variational(nn.Module):
    """Draws random numbers in forward; gives a tuple."""

    def __init__(self):
        super().__init__()
        self.encoder, self.mean, self.spread = nn.Linear(16, 32), nn.Linear(32, 4), nn.Linear(32, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 16))

    def forward(self, x):
        hidden = self.encoder(x).relu()
        mean, spread = self.mean(hidden), self.spread(hidden)
        return self.decoder(mean + torch.randn_like(mean) * (spread / 2).exp()), mean, spread


def _scripted():
    with quiet(r"`torch\.jit\.script` is deprecated"):
        return torch.jit.script(_mlp())


def _quantized():
    with quiet(r"torch\.ao\.quantization is deprecated", r"torch\.quantize_per_tensor"):
        return torch.ao.quantization.quantize_dynamic(_mlp(), {nn.Linear}, dtype=torch.qint8)


def _width_one():
    """Widths of one."""
    return nn.Sequential(nn.Linear(16, 1), nn.Identity(), nn.Tanh(), nn.Linear(1, 1, bias=False))


ENTRIES = {
    "meta_device": Entry(_meta),
    "bfloat16_transformer": Entry(_bfloat16_transformer, normal(4, 6, 32, dtype=torch.bfloat16)),
    "compiled": Entry(lambda: torch.compile(_mlp(), backend="eager"), _ROWS),
    "scripted": Entry(_scripted, _ROWS),
    "data_dependent_branch": Entry(Branching, _ROWS),
    "early_exit": Entry(EarlyExit, _ROWS),
    "batch_by_keyword": Entry(
        Captioned,
        keywords(image=normal(4, 3, 8, 8), words=tokens(4, 6), mask=lambda: torch.ones(4, 6)),
    ),
    "complex_modes": Entry(Spectral, normal(4, 16, 1)),
    "complex_linear": Entry(ComplexLinear, _ROWS),
    "quantized_dynamic": Entry(_quantized, _ROWS),
    "int8_buffer": Entry(lambda: nn.Sequential(Int8Linear(), nn.ReLU(), nn.Linear(32, 5)), _ROWS),
    "graph_convolution": Entry(Graph, _ROWS),
    "own_linear_transposed": Entry(
        lambda: nn.Sequential(OwnLinear(16, 32), nn.ReLU(), OwnLinear(32, 5)), _ROWS
    ),
    "variational_autoencoder": Entry(Variational, _ROWS),
    "width_one": Entry(_width_one, _ROWS),
    "no_parameters": Entry(lambda: nn.Sequential(nn.Flatten(), nn.ReLU()), _ROWS),
}
