"""Multilayer perceptrons: activations as modules, functions and lambdas, and unusual blocks."""

import torch
from torch import nn
from torch.nn import functional

from .entry import Entry, normal

_ROWS = normal(32, 16)


class Functional(nn.Module):
    """``activation`` is a plain function after every hidden layer."""

    def __init__(self, activation):
        super().__init__()
        self.activation = activation
        self.layers = nn.ModuleList([nn.Linear(16, 32), nn.Linear(32, 32), nn.Linear(32, 32)])
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        for layer in self.layers:
            x = self.activation(layer(x))
        return self.head(x)


class Mixed(nn.Module):
    """Another activation after each layer, some by method, some by function."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = (nn.Linear(16, 16) for _ in range(4))
        self.norm = nn.LayerNorm(16)

    def forward(self, x):
        x = functional.leaky_relu(self.a(x), 0.1)
        x = self.norm(self.b(x)).tanh()
        return self.d(functional.hardswish(self.c(x)))


class Glu(nn.Module):
    """functional.glu halves the width."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(16, 64), nn.Linear(32, 64)
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        return self.head(functional.glu(self.second(functional.glu(self.first(x)))))


class Highway(nn.Module):
    """Carry gates start nearly closed, by a bias of -2."""

    def __init__(self, width=16, depth=3):
        super().__init__()
        self.transforms = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.gates = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        for gate in self.gates:
            nn.init.constant_(gate.bias, -2.0)

    def forward(self, x):
        for transform, gate in zip(self.transforms, self.gates, strict=True):
            open_ = gate(x).sigmoid()
            x = open_ * transform(x).relu() + (1 - open_) * x
        return x


class ResidualBlock(nn.Module):
    """A branch that starts at zero, by its last Linear, and one that a gain closes (ReZero)."""

    def __init__(self, width=16):
        super().__init__()
        self.branch = nn.Sequential(nn.Linear(width, 32), nn.GELU(), nn.Linear(32, width))
        nn.init.zeros_(self.branch[-1].weight)
        nn.init.zeros_(self.branch[-1].bias)
        self.other = nn.Linear(width, width)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        x = x + self.branch(x)
        return x + self.gain * self.other(x).relu()


class Reordered(nn.Module):
    """Layers run in another order than they are registered in; one of them never runs."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(32, 5)
        self.unused = nn.Linear(7, 9)
        self.middle = nn.Linear(32, 32)
        self.first = nn.Linear(16, 32)

    def forward(self, x):
        return self.head(self.middle(self.first(x).relu()).relu())


def _deep_tanh():
    layers = [part for _ in range(100) for part in (nn.Linear(64, 64), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(64, 5))


def _frozen():
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
    return nn.Sequential(model.requires_grad_(False), nn.Linear(32, 5))


def _normed():
    return nn.Sequential(
        nn.Linear(16, 32), nn.BatchNorm1d(32), nn.Mish(), nn.Dropout(0.1),
        nn.Linear(32, 32), nn.LayerNorm(32, elementwise_affine=False), nn.Softsign(),
        nn.Linear(32, 32), nn.RReLU(), nn.Linear(32, 5), nn.LogSoftmax(-1),
    )  # fmt: skip


def _self_normalizing():
    return nn.Sequential(
        nn.Linear(16, 32), nn.SELU(), nn.AlphaDropout(0.05), nn.Linear(32, 32), nn.SELU(),
        nn.Linear(32, 1, bias=False),
    )  # fmt: skip


def _bfloat16():
    model = nn.Sequential(nn.Linear(16, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 5))
    return model.to(torch.bfloat16)


ENTRIES = {
    "mlp_gelu_function": Entry(lambda: Functional(functional.gelu), _ROWS),
    "mlp_swish_lambda": Entry(lambda: Functional(lambda x: x * torch.sigmoid(x)), _ROWS),
    "mlp_unseen_activation": Entry(lambda: Functional(lambda x: x - torch.sin(x)), _ROWS),
    "mlp_squared_relu": Entry(lambda: Functional(lambda x: functional.relu(x).square()), _ROWS),
    "mlp_linear_only": Entry(lambda: Functional(lambda x: x), _ROWS),
    "mlp_mixed_activations": Entry(Mixed, _ROWS),
    "mlp_glu": Entry(Glu, _ROWS),
    "mlp_highway": Entry(Highway, _ROWS),
    "mlp_residual_zero_init": Entry(
        lambda: nn.Sequential(ResidualBlock(), ResidualBlock(), nn.Linear(16, 5)), _ROWS
    ),
    "mlp_reordered": Entry(Reordered, _ROWS),
    "mlp_tanh_100_layers": Entry(_deep_tanh, normal(32, 64)),
    "mlp_frozen_layers": Entry(_frozen, _ROWS),
    "mlp_norms": Entry(_normed, _ROWS),
    "mlp_selu": Entry(_self_normalizing, _ROWS),
    "mlp_bfloat16": Entry(_bfloat16, normal(32, 16, dtype=torch.bfloat16)),
    "mlp_float64": Entry(
        lambda: nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 1)).double(),
        normal(32, 16, dtype=torch.float64),
    ),
    "one_linear": Entry(lambda: nn.Linear(16, 5), _ROWS),
}
