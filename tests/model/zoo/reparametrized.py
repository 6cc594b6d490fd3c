"""Weights that are computed from other parameters: norms, parametrizations, pruning, LoRA."""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, parametrize, prune

from .entry import Entry, normal, quiet

_ROWS = normal(32, 16)


def _mlp(wrap):
    return nn.Sequential(
        wrap(nn.Linear(16, 32)), nn.ReLU(), wrap(nn.Linear(32, 32)), nn.ReLU(), nn.Linear(32, 5)
    )


def _old_weight_norm(layer):
    with quiet(r"`torch\.nn\.utils\.weight_norm` is deprecated"):
        return nn.utils.weight_norm(layer)


def _weight_norm_convolutions():
    norm = parametrizations.weight_norm
    return nn.Sequential(
        norm(nn.Conv1d(2, 8, 3)), nn.ReLU(), norm(nn.Conv1d(8, 8, 3, dilation=2), dim=None),
        nn.ReLU(), norm(nn.ConvTranspose1d(8, 2, 4, stride=2), dim=1),
    )  # fmt: skip


def _discriminator():
    norm = parametrizations.spectral_norm
    return nn.Sequential(
        norm(nn.Conv2d(3, 8, 4, stride=2, padding=1)), nn.LeakyReLU(0.2),
        norm(nn.Conv2d(8, 16, 4, stride=2, padding=1)), nn.LeakyReLU(0.2), nn.Flatten(),
        norm(nn.Linear(16 * 16, 1)),
    )  # fmt: skip


class Symmetric(nn.Module):
    """A parametrization of one's own, which says nothing of how to set the weight."""

    def forward(self, w):
        return w.triu() + w.triu(1).mT


def _symmetric():
    layer = nn.Linear(16, 16)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    return nn.Sequential(layer, nn.Tanh(), nn.Linear(16, 5))


def _pruned():
    model = _mlp(lambda layer: layer)
    prune.random_unstructured(model[0], "weight", amount=0.5)
    prune.ln_structured(model[2], "weight", amount=0.25, n=2, dim=0)
    return model


class LowRank(nn.Module):
    """LoRA: a frozen base, and B A beside it with B zero at the start."""

    def __init__(self, inputs, outputs, rank=4):
        super().__init__()
        self.base = nn.Linear(inputs, outputs).requires_grad_(False)
        self.A = nn.Linear(inputs, rank, bias=False)
        self.B = nn.Linear(rank, outputs, bias=False)
        nn.init.zeros_(self.B.weight)

    def forward(self, x):
        return self.base(x) + 2.0 * self.B(self.A(x))


class LowRankParameters(nn.Module):
    """The same with raw parameters in place of Linear."""

    def __init__(self, inputs, outputs, rank=4):
        super().__init__()
        self.base = nn.Linear(inputs, outputs).requires_grad_(False)
        self.lora_A = nn.Parameter(torch.randn(rank, inputs) / rank)
        self.lora_B = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x):
        return self.base(x) + x @ self.lora_A.T @ self.lora_B.T


class Hyper(nn.Module):
    """One network computes the weight of another's layer."""

    def __init__(self):
        super().__init__()
        self.maker = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16 * 8))
        self.code = nn.Parameter(torch.randn(4))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        return self.head(functional.linear(x, self.maker(self.code).view(8, 16)).relu())


class StandardizedConv2d(nn.Conv2d):
    """Each filter is brought to mean 0 and variance 1 whenever it is used."""

    def forward(self, x):
        w = self.weight
        w = (w - w.mean((1, 2, 3), keepdim=True)) / (w.std((1, 2, 3), keepdim=True) + 1e-5)
        return self._conv_forward(x, w, self.bias)


class EqualizedLinear(nn.Linear):
    """As in StyleGAN: stored with variance 1, scaled by 1/sqrt(fan in) whenever it is used."""

    def reset_parameters(self):
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x):
        return functional.linear(x, self.weight * self.in_features**-0.5, self.bias)


def _standardized():
    return nn.Sequential(
        StandardizedConv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(), StandardizedConv2d(8, 8, 3),
        nn.Flatten(), nn.Linear(8 * 16, 5),
    )  # fmt: skip


ENTRIES = {
    "weight_norm": Entry(lambda: _mlp(parametrizations.weight_norm), _ROWS),
    "weight_norm_convolutions": Entry(_weight_norm_convolutions, normal(4, 2, 32)),
    "weight_norm_old": Entry(lambda: _mlp(_old_weight_norm), _ROWS),
    "spectral_norm": Entry(_discriminator, normal(4, 3, 16, 16)),
    "spectral_norm_old": Entry(lambda: _mlp(nn.utils.spectral_norm), _ROWS),
    "orthogonal": Entry(lambda: _mlp(parametrizations.orthogonal), _ROWS),
    "symmetric": Entry(_symmetric, _ROWS),
    "pruned": Entry(_pruned, _ROWS),
    "lora_modules": Entry(lambda: nn.Sequential(LowRank(16, 32), nn.ReLU(), LowRank(32, 5)), _ROWS),
    "lora_parameters": Entry(
        lambda: nn.Sequential(LowRankParameters(16, 32), nn.ReLU(), LowRankParameters(32, 5)),
        _ROWS,
    ),
    "hypernetwork": Entry(Hyper, _ROWS),
    "weight_standardization": Entry(_standardized, normal(4, 3, 8, 8)),
    "equalized_learning_rate": Entry(
        lambda: nn.Sequential(EqualizedLinear(16, 32), nn.LeakyReLU(0.2), EqualizedLinear(32, 5)),
        _ROWS,
    ),
}
