"""Networks that are no plain ones of odd sigmoids, for the eight by eight digits."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional


class Convolutions(nn.Module):
    """Tanh convolutions without norms, and the mean over places."""

    def __init__(self, depth: int = 20, width: int = 16) -> None:
        super().__init__()
        self.depth = depth
        sides = [1] + [width] * depth
        self.layers = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding=1) for i, o in itertools.pairwise(sides)
        )
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, 10) of images (B, 1, 8, 8)."""
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.head(x.mean((2, 3)))


class Residual(nn.Module):
    """Blocks x + W2 tanh(W1 x) without norms."""

    def __init__(self, depth: int = 16, width: int = 32) -> None:
        super().__init__()
        self.depth = depth
        self.first, self.head = nn.Linear(64, width), nn.Linear(width, 10)
        self.up = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.end = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, 10) of images (B, 1, 8, 8)."""
        x = self.first(x.flatten(1))
        for up, end in zip(self.up, self.end, strict=True):
            x = x + end(torch.tanh(up(x)))
        return self.head(x)


class Recurrent(nn.Module):
    """A tanh cell that reads 64 pixels one by one; depth counts the steps."""

    def __init__(self, depth: int = 64, width: int = 32) -> None:
        super().__init__()
        self.depth = depth
        self.cell, self.head = nn.RNN(1, width, batch_first=True), nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, 10) of the first ``depth`` pixels of images (B, 1, 8, 8)."""
        pixels = x.flatten(1)[:, : self.depth, None]
        return self.head(self.cell(pixels)[0][:, -1])


class Block(nn.Module):
    """A pre-norm transformer block: four heads, then GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.output = nn.Linear(width, width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens (B, T, width) of tokens."""
        y = self.before(x)
        heads = (each(y).unflatten(-1, (4, -1)) for each in (self.query, self.key, self.value))
        mixed = functional.scaled_dot_product_attention(*(each.transpose(1, 2) for each in heads))
        x = x + self.output(mixed.transpose(1, 2).flatten(2))
        return x + self.down(functional.gelu(self.up(self.between(x))))


class Attention(nn.Module):
    """A transformer over the 16 patches of 2 by 2 pixels."""

    def __init__(self, depth: int = 6, width: int = 32) -> None:
        super().__init__()
        self.depth = depth
        self.embed, self.places = nn.Linear(4, width), nn.Parameter(torch.randn(16, width) / 50)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 10))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, 10) of images (B, 1, 8, 8)."""
        patches = functional.unfold(x, 2, stride=2).mT
        x = self.embed(patches) + self.places
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(1))


class Rectified(nn.Module):
    """Plain layers with ReLU or GELU."""

    def __init__(self, depth: int = 30, width: int = 32, activation: str = "relu") -> None:
        super().__init__()
        self.depth, self.activation = depth, getattr(functional, activation)
        sides = [64] + [width] * depth
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in itertools.pairwise(sides))
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, 10) of images (B, 1, 8, 8)."""
        x = x.flatten(1)
        for layer in self.layers:
            x = self.activation(layer(x))
        return self.head(x)
