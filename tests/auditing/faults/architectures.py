"""The networks that faults are planted in, each with a start that is healthy, and its parts' names.

``names`` has, as far as a network has them:

    inner        a weight matrix inside, before ``activation``
    other        another one of the same shape
    shift        the bias that moves what ``activation`` reads
    activation   the module in which it stands
    last         the weight or bias without which nothing reaches the head
    end          the module with the activation behind it
    scale        the weight of a norm
    expansion    a matrix of four times as many outputs as inputs
    square       a matrix of 768 outputs and inputs
    attention    the module in which attention looks around
    queries      its projections, of queries first
    table        an embedding, and
    positions    the one that is added to it
    norm         a batch norm, and
    first_norm   the first one
    head         the weight before the output, and
    head_bias    its bias
    below        a module with a weight ``lower`` in it, past which no gradient goes around
    first        the activation from which on gradients are followed
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

import firstlight
from firstlight.model.zoo import mlp, small_resnet, small_vit
from firstlight.model.zoo.small_vit import EncoderBlock

Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Architecture:
    """A network with a healthy start, a batch for it, and what its parts are called."""

    build: Callable[[], nn.Module]
    batch: Callable[[], Batch]
    names: Mapping[str, str] = field(default_factory=dict)


class LanguageModel(nn.Module):
    """Tokens and learned positions, pre-norm blocks, a head of its own, tables as GPT-2's start."""

    def __init__(self, width: int = 64, depth: int = 2, kind: type[nn.Module] = nn.GELU):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50, width), nn.Embedding(16, width)
        self.blocks = nn.Sequential(*[EncoderBlock(width, width // 32) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 50)
        for block in self.blocks:
            block.mlp[1] = kind()
        for table in (self.tokens, self.positions):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        place = torch.arange(x.shape[1], device=x.device)
        hidden = self.blocks(self.tokens(x) + self.positions(place))
        return self.head(self.norm(hidden)).transpose(1, 2)


class Attention(nn.Module):
    """A norm, attention and a head for each position."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, width // 64, batch_first=True)
        self.head = nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(x)
        return self.head(x + self.attention(y, y, y, need_weights=False)[0]).transpose(1, 2)


class PerToken(nn.Module):
    """A network for each token: an embedding, layers, a head."""

    def __init__(self, layers: nn.Sequential, width: int):
        super().__init__()
        self.tokens, self.layers = nn.Embedding(50, width), layers
        self.head = nn.Linear(width, 50)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layers(self.tokens(x))).transpose(1, 2)


class Tabular(nn.Module):
    """Two categories and their embeddings' sum, a hidden layer, classes."""

    def __init__(self, width: int = 32):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50, width), nn.Embedding(50, width)
        self.body = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(self.tokens(x[:, 0]) + self.positions(x[:, 1]))


def stack(kind: type[nn.Module], depth: int, width: int) -> nn.Sequential:
    """``depth`` square layers, each before an activation."""
    parts = [(nn.Linear(width, width), kind()) for _ in range(depth)]
    return nn.Sequential(*itertools.chain.from_iterable(parts))


def convolutions(kind: type[nn.Module], depth: int, width: int = 16) -> nn.Sequential:
    """Plain convolutions that keep the image's size, the mean pixel, the classes."""
    layers: list[nn.Module] = []
    for index in range(depth):
        made = nn.Conv2d(width if index else 3, width, 3, padding=1, padding_mode="circular")
        layers += [made, kind()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def normed(width: int = 64) -> nn.Sequential:
    """Two hidden layers with batch norm."""
    layers: list[nn.Module] = []
    for _ in range(2):
        layers += [nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def evaluated(model: nn.Module, batch: Batch) -> nn.Module:
    """Put a model in evaluation with the statistics of a batch."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None  # the mean over all batches: this one alone
    with torch.no_grad():
        model(batch[0])
    return model.eval()


def in_dtype(dtype: torch.dtype, of: Architecture) -> Architecture:
    """Return an architecture in another precision."""

    def cast(batch: Batch) -> Batch:
        real = batch[0].is_floating_point()
        return (batch[0].to(dtype) if real else batch[0]), batch[1]

    return replace(of, build=lambda: of.build().to(dtype), batch=lambda: cast(of.batch()))


def in_evaluation(of: Architecture) -> Architecture:
    """Return an architecture in evaluation, with the right statistics."""
    return replace(of, build=lambda: evaluated(of.build(), of.batch()))


def deep(
    scheme: str, kind: type[nn.Module], depth: int = 60, width: int = 32, **options: Any
) -> list[Architecture]:
    """Return plain networks of one activation, which only ``scheme`` lets a signal through."""
    return [
        Architecture(
            lambda: started(
                nn.Sequential(*stack(kind, depth, width), nn.Linear(width, 10)), scheme, options
            ),
            rows(64, width),
            {"first": "1"},
        ),
        Architecture(
            lambda: started(convolutions(kind, depth), scheme, options),
            images(8, 3, 8),
            {"first": "1"},
        ),
        Architecture(
            lambda: started(PerToken(stack(kind, depth, 32), 32), scheme, options),
            texts(8),
            {"first": "layers.1"},
        ),
    ]


def started(model: nn.Module, scheme: str = "auto", options: Mapping[str, Any] = {}) -> nn.Module:
    return firstlight.initialize(model, scheme, **options)


def rows(count: int, width: int) -> Callable[[], Batch]:
    return lambda: (normal(count, width), whole(10, count))


def images(count: int, channels: int, side: int) -> Callable[[], Batch]:
    return lambda: (normal(count, channels, side, side), whole(10, count))


def texts(count: int, length: int = 16) -> Callable[[], Batch]:
    return lambda: (whole(50, count, length), whole(50, count, length, seed=1))


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def whole(end: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(end, shape, generator=torch.Generator().manual_seed(seed))


_MLP = {
    "inner": "3.weight", "other": "5.weight", "shift": "3.bias", "activation": "4",
    "last": "5.bias", "end": "6", "expansion": "1.weight", "head": "7.weight",
    "head_bias": "7.bias", "below": "2", "lower": "1.weight",
}  # fmt: skip
_RESNET = {
    "inner": "stages.0.conv1.weight", "other": "stages.0.conv2.weight",
    "shift": "stages.0.bn1.bias", "activation": "stages.0.relu", "scale": "stages.0.bn1.weight",
    "last": "stages.1.bn2.bias", "end": "stages.1.relu", "norm": "stages.0.bn1",
    "first_norm": "stem.1", "head": "head.weight", "head_bias": "head.bias", "below": "stem",
    "lower": "stem.0.weight",
}  # fmt: skip
_BLOCKS = {
    "inner": "blocks.1.mlp.0.weight", "other": "blocks.0.mlp.0.weight",
    "shift": "blocks.1.mlp.0.bias", "activation": "blocks.1.mlp.1",
    "scale": "blocks.1.norm2.weight", "last": "norm.weight",
    "expansion": "blocks.1.mlp.0.weight", "attention": "blocks.0.attention",
    "queries": "blocks.0.attention.in_proj_weight", "head": "head.weight",
    "head_bias": "head.bias", "below": "blocks.0", "lower": "blocks.0.mlp.0.weight",
}  # fmt: skip
_TABLES = {"table": "tokens.weight", "positions": "positions.weight"}
_SATURATING = {"inner": "2.weight", "shift": "2.bias", "activation": "3"}

ARCHITECTURES: dict[str, Architecture] = {
    "mlp": Architecture(lambda: started(mlp(1, (8, 8), 10)), images(64, 1, 8), _MLP),
    "resnet": Architecture(
        lambda: small_resnet(3, (8, 8), 10, widths=(16, 32)), images(32, 3, 8), _RESNET
    ),
    "transformer": Architecture(LanguageModel, texts(4), _BLOCKS | _TABLES),
    "vit": Architecture(
        lambda: small_vit(3, (8, 8), 10, width=64, depth=2), images(16, 3, 8), _BLOCKS
    ),
    "tabular": Architecture(
        Tabular, lambda: (whole(50, 64, 2), whole(10, 64)), _TABLES | {"head": "body.2.weight"}
    ),
    "tanh_mlp": Architecture(
        lambda: started(nn.Sequential(*stack(nn.Tanh, 3, 64), nn.Linear(64, 10))),
        rows(64, 64),
        _SATURATING,
    ),
    "tanh_convolutions": Architecture(
        lambda: started(convolutions(nn.Tanh, 3), "orthogonal"), images(16, 3, 8), _SATURATING
    ),
    "tanh_transformer": Architecture(
        lambda: LanguageModel(kind=nn.Tanh), texts(4), _BLOCKS | _TABLES
    ),
    "plain_convolutions": Architecture(
        lambda: started(convolutions(nn.ReLU, 3), "he_normal"), images(16, 3, 8), _SATURATING
    ),
    "wide_mlp": Architecture(
        lambda: started(mlp(1, (8, 8), 10, width=768, depth=2)), images(32, 1, 8),
        {"square": "3.weight"},
    ),
    "wide_attention": Architecture(
        lambda: Attention(768),
        lambda: (normal(4, 16, 768), whole(10, 4, 16)),
        {"square": "attention.out_proj.weight"},
    ),
    "wide_convolutions": Architecture(
        lambda: nn.Sequential(
            nn.Conv2d(3, 768, 2, 2), nn.BatchNorm2d(768), nn.ReLU(), nn.Conv2d(768, 768, 1),
            nn.BatchNorm2d(768), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(768, 10),
        ),
        images(16, 3, 8),
        {"square": "3.weight"},
    ),
    "bottleneck": Architecture(
        lambda: nn.Sequential(
            nn.Conv2d(3, 64, 3, 2), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 256, 1),
            nn.BatchNorm2d(256), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(256, 10),
        ),
        images(16, 3, 16),
        {"expansion": "3.weight"},
    ),
    "regression": Architecture(
        lambda: started(nn.Sequential(*stack(nn.ReLU, 2, 64), nn.Linear(64, 1))),
        lambda: (normal(64, 64), normal(64, 1)),
        {"head": "4.weight"},
    ),
    "batch_norm_mlp": Architecture(
        normed,
        rows(64, 64),
        {"norm": "1", "first_norm": "1", "scale": "1.weight", "last": "4.bias", "end": "5"},
    ),
}  # fmt: skip
_PLACES = ("mlp", "convolutions", "transformer")
for _name, _starts in {
    "sigmoid": deep("harmonic", nn.Sigmoid, gain="sigmoid"),
    # narrower, and by chance all units of a layer can be on, or off, for most samples
    "relu": deep("orthogonal", nn.ReLU, depth=30, width=128, gain="relu"),
    "tanh": deep("orthogonal", nn.Tanh)[:1],
}.items():
    ARCHITECTURES |= {f"deep_{_name}_{p}": a for p, a in zip(_PLACES, _starts, strict=False)}
for _name in ("mlp", "resnet", "transformer"):
    ARCHITECTURES[f"{_name}_bfloat16"] = in_dtype(torch.bfloat16, ARCHITECTURES[_name])
    ARCHITECTURES[f"{_name}_float16"] = in_dtype(torch.float16, ARCHITECTURES[_name])
ARCHITECTURES["resnet_in_evaluation"] = in_evaluation(ARCHITECTURES["resnet"])
ARCHITECTURES["batch_norm_mlp_in_evaluation"] = in_evaluation(ARCHITECTURES["batch_norm_mlp"])
