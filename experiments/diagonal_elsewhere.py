"""Does diagonal plus noise help beyond plain odd-sigmoid networks?

WHERE names the place; digits are learned there for some epochs of AdamW, all starts with the best
of a grid of learning rates. `WHERE=conv python experiments/diagonal_elsewhere.py --out results/...`

    conv       20 tanh convolutions of 16 channels, no norms; the diagonal is at the kernel's centre
    residual   16 blocks x + W2 tanh(W1 x) of width 32, no norms; W1 alone, or both
    recurrent  tanh cell of width 32 that reads 64 pixels one by one; depth counts the steps
    attention  6 pre-norm blocks of width 32: values and outputs, the GELU layers, or both
    relu       30 ReLU layers of width 32: mirrored halves, so that the network looks linear
    gelu       the same with GELU, of which x = gelu(x) - gelu(-x) holds as well
"""

import itertools
import math
import os
from collections.abc import Callable, Iterator

import torch
from _digits import accuracies
from _paired import run
from torch import Tensor, nn
from torch.nn import functional

import firstlight
from firstlight.init import diagonal_plus_noise_, orthogonal_, variance_scaling_

WHERE = os.environ.get("WHERE", "conv")
EPOCHS = {"conv": 12, "residual": 15, "recurrent": 25, "attention": 12, "relu": 20, "gelu": 12}


class Convolutions(nn.Module):
    depth = 20

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        sides = [1] + [width] * self.depth
        self.layers = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding=1) for i, o in itertools.pairwise(sides)
        )
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.head(x.mean((2, 3)))


class Residual(nn.Module):
    depth = 16

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(64, width), nn.Linear(width, 10)
        self.up = nn.ModuleList(nn.Linear(width, width) for _ in range(self.depth))
        self.end = nn.ModuleList(nn.Linear(width, width) for _ in range(self.depth))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.flatten(1))
        for up, end in zip(self.up, self.end, strict=True):
            x = x + end(torch.tanh(up(x)))
        return self.head(x)


class Recurrent(nn.Module):
    depth = 64

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.cell, self.head = nn.RNN(1, width, batch_first=True), nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cell(x.flatten(1)[..., None])[0][:, -1])


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.output = nn.Linear(width, width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(x)
        heads = (each(y).unflatten(-1, (4, -1)) for each in (self.query, self.key, self.value))
        mixed = functional.scaled_dot_product_attention(*(each.transpose(1, 2) for each in heads))
        x = x + self.output(mixed.transpose(1, 2).flatten(2))
        return x + self.down(functional.gelu(self.up(self.between(x))))


class Attention(nn.Module):
    depth = 6

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.embed, self.places = nn.Linear(4, width), nn.Parameter(torch.randn(16, width) / 50)
        self.blocks = nn.ModuleList(Block(width) for _ in range(self.depth))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 10))

    def forward(self, x: Tensor) -> Tensor:
        patches = functional.unfold(x, 2, stride=2).mT
        x = self.embed(patches) + self.places
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(1))


class Rectified(nn.Module):
    depth = 30

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        sides = [64] + [width] * self.depth
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in itertools.pairwise(sides))
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for layer in self.layers:
            x = getattr(functional, WHERE)(layer(x))
        return self.head(x)


def plain(scheme: str, weights: list[Tensor], noise: torch.Generator, depth: int) -> None:
    """Starts of square weights that are no invention of this page."""
    for weight in weights:
        if scheme == "orthogonal":
            orthogonal_(weight, generator=noise)
        elif scheme == "centred orthogonal":
            centre = weight.zero_()[:, :, 1, 1]
            centre.copy_(orthogonal_(torch.empty(centre.shape), generator=noise))
        elif scheme == "diagonal_plus_noise":
            diagonal_plus_noise_(weight, depth=depth, activation="tanh", generator=noise)
        elif scheme == "identity":
            nn.init.eye_(weight)
        elif scheme == "zero":
            weight.zero_()
        else:
            variance_scaling_(weight, mode="fan_avg", distribution="uniform", generator=noise)


def start_conv(model: Convolutions, scheme: str, noise: torch.Generator) -> None:
    plain(scheme, [each.weight for each in model.layers], noise, model.depth)


def start_residual(model: Residual, scheme: str, noise: torch.Generator) -> None:
    up, end = scheme.split(", ")
    plain(up, [each.weight for each in model.up], noise, model.depth)
    plain(end, [each.weight for each in model.end], noise, model.depth)


def start_recurrent(model: Recurrent, scheme: str, noise: torch.Generator) -> None:
    plain("glorot", [model.cell.weight_ih_l0], noise, model.depth)
    plain(scheme, [model.cell.weight_hh_l0], noise, model.depth)


def start_attention(model: Attention, scheme: str, noise: torch.Generator) -> None:
    for block in model.blocks:
        plain("glorot", [block.query.weight, block.key.weight], noise, model.depth)
        kind = "diagonal_plus_noise" if "values" in scheme else "glorot"
        plain(kind, [block.value.weight, block.output.weight], noise, model.depth)
        if "layers" in scheme:
            mirrored(block.up.weight, "first", noise, model.depth, free=False)
            mirrored(block.down.weight, "last", noise, model.depth, free=False)
        else:
            plain("glorot", [block.up.weight, block.down.weight], noise, model.depth)


def start_rectified(model: Rectified, scheme: str, noise: torch.Generator) -> None:
    for place, layer in enumerate(model.layers):
        position = "hidden" if place else "first"
        if scheme.startswith("mirrored"):
            mirrored(layer.weight, position, noise, model.depth, free="free" in scheme)
        elif scheme == "looks_linear":
            firstlight.init.looks_linear_(layer.weight, position=position, generator=noise)
        elif scheme == "orthogonal":
            orthogonal_(layer.weight, gain="relu", generator=noise)
        else:
            variance_scaling_(layer.weight, gain="relu", generator=noise)
    if scheme.startswith("mirrored") or scheme == "looks_linear":
        firstlight.init.looks_linear_(model.head.weight, position="last", generator=noise)


def mirrored(
    weight: Tensor, position: str, noise: torch.Generator, depth: int, *, free: bool
) -> None:
    """Mirror an identity plus noise, or an identity, and add noise to all of it."""
    down, across = {"hidden": (2, 2), "first": (2, 1), "last": (1, 2)}[position]
    half = torch.zeros(weight.shape[0] // down, weight.shape[1] // across)
    diagonal_plus_noise_(half, depth=depth, activation="tanh", generator=noise)
    sigma = firstlight.theory.noise_scale(depth, 1.0)
    if free:
        rows = torch.arange(len(half))
        half.zero_()[rows, rows % half.shape[1]] = 1
    rows = [torch.cat([half * (-1) ** (i + j) for j in range(across)], 1) for i in range(down)]
    weight.copy_(torch.cat(rows))
    if free:
        weight.add_(
            torch.randn(weight.shape, generator=noise),
            alpha=sigma / math.sqrt(across * half.shape[1]),
        )


PLACES: dict[str, tuple[type[nn.Module], Callable[..., None], list[str]]] = {
    "conv": (
        Convolutions,
        start_conv,
        ["default", "glorot", "orthogonal", "centred orthogonal", "diagonal_plus_noise"],
    ),
    "residual": (
        Residual,
        start_residual,
        [
            "default",
            "glorot, glorot",
            "glorot, zero",
            "orthogonal, zero",
            "diagonal_plus_noise, zero",
            "diagonal_plus_noise, glorot",
            "diagonal_plus_noise, diagonal_plus_noise",
        ],
    ),
    "recurrent": (
        Recurrent,
        start_recurrent,
        ["default", "glorot", "orthogonal", "identity", "diagonal_plus_noise"],
    ),
    "attention": (
        Attention,
        start_attention,
        ["default", "glorot", "values", "layers", "values and layers"],
    ),
}
RECTIFIED = ["default", "he_normal", "orthogonal", "looks_linear", "mirrored", "mirrored, free"]
PLACES |= dict.fromkeys(("relu", "gelu"), (Rectified, start_rectified, RECTIFIED))
MODEL, START, SCHEMES = PLACES[WHERE]


def train(scheme: str, rate: float, seed: int) -> Iterator[float]:
    """Yield the accuracy in % after every epoch."""
    torch.manual_seed(seed)
    model = MODEL()
    if scheme != "default":
        with torch.no_grad():
            for name, each in model.named_parameters():
                if name.endswith("bias"):
                    each.zero_()
            START(model, scheme, torch.Generator().manual_seed(seed))
    yield from accuracies(model, rate, seed, EPOCHS[WHERE])


if __name__ == "__main__":
    run(
        __doc__,
        train,
        SCHEMES,
        rates=[1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
        measure="accuracy, %",
        larger=True,
        where=WHERE,
        epochs=EPOCHS[WHERE],
        depth=MODEL.depth,
    )
