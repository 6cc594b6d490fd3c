"""Networks of coordinates: SIREN in two spellings, Fourier features, a physics-informed MLP."""

import torch
from torch import nn

from .entry import Entry, normal


class Sine(nn.Module):
    def __init__(self, omega=30.0):
        super().__init__()
        self.omega = omega

    def forward(self, x):
        return torch.sin(self.omega * x)


class FunctionalSiren(nn.Module):
    """Sines in forward only: no module tells of them."""

    def __init__(self, omega=30.0):
        super().__init__()
        self.omega = omega
        self.layers = nn.ModuleList([nn.Linear(2, 32), nn.Linear(32, 32), nn.Linear(32, 32)])
        self.last = nn.Linear(32, 1)

    def forward(self, x):
        for layer in self.layers:
            x = torch.sin(self.omega * layer(x))
        return self.last(x)


class FourierFeatures(nn.Module):
    """Random frequencies in a buffer, not trained, then an MLP."""

    def __init__(self):
        super().__init__()
        self.register_buffer("frequencies", torch.randn(16, 2) * 5)
        self.body = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3), nn.Sigmoid())

    def forward(self, x):
        angles = x @ self.frequencies.T
        return self.body(torch.cat([angles.sin(), angles.cos()], -1))


class SkipField(nn.Module):
    """As in NeRF: the input joins again half way, and two heads."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 32), nn.Linear(35, 32)
        self.density, self.color = nn.Linear(32, 1), nn.Linear(32, 3)

    def forward(self, x):
        hidden = self.second(torch.cat([self.first(x).relu(), x], -1)).relu()
        return self.density(hidden).relu(), self.color(hidden).sigmoid()


class Physics(nn.Module):
    """A PINN that gives u and du/dx, by automatic differentiation inside forward."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1)
        )

    def forward(self, x):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            u = self.body(x)
            return u, torch.autograd.grad(u.sum(), x, create_graph=True)[0]


def _siren():
    return nn.Sequential(
        nn.Linear(2, 32), Sine(), nn.Linear(32, 32), Sine(), nn.Linear(32, 32), Sine(),
        nn.Linear(32, 1),
    )  # fmt: skip


_POINTS = normal(64, 2)

ENTRIES = {
    "siren_module": Entry(_siren, _POINTS),
    "siren_functional": Entry(FunctionalSiren, _POINTS),
    "siren_omega_1": Entry(lambda: FunctionalSiren(1.0), _POINTS),
    "fourier_features": Entry(FourierFeatures, _POINTS),
    "nerf_skip": Entry(SkipField, normal(64, 3)),
    "pinn": Entry(Physics, normal(64, 1)),
}
