"""Small models and loops that the tests of ``firstlight.watch`` share."""

import random

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import firstlight


class Functional(nn.Module):
    """Activations that are no modules, a norm, and dropout."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.first, self.norm = nn.Linear(8, 32), nn.BatchNorm1d(32)
        self.second, self.third = nn.Linear(32, 32), nn.Linear(32, 4)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = functional.relu(self.norm(self.first(x)))
        return self.third(self.dropout(torch.sin(self.second(x))))


class Plain(nn.Module):
    """The same without a norm, so that batches in halves are the whole."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(8, 32), nn.Linear(32, 32), nn.Linear(32, 4)

    def forward(self, x):
        return self.third(torch.sin(self.second(functional.relu(self.first(x)))))


class Checkpointed(Plain):
    """A part of it computes twice."""

    def __init__(self, reentrant):
        super().__init__()
        self.reentrant = reentrant

    def forward(self, x):
        hidden = functional.relu(self.first(x))
        part = lambda h: torch.sin(self.second(h))  # noqa: E731
        return self.third(checkpoint(part, hidden, use_reentrant=self.reentrant))


class Choosing(nn.Module):
    """The way depends on values: nothing can be known of it without them."""

    def forward(self, x):
        return functional.relu(x) if float(x.detach().sum()) > -1e9 else torch.tanh(x)


class Dropping(nn.Module):
    """Leaves blocks out by chance."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(8, 8), act) for act in (nn.ReLU(), nn.Tanh(), nn.SiLU())
        )

    def forward(self, x):
        for block in self.blocks:
            if not (self.training and random.random() < 0.5):
                x = x + block(x)
        return x


def sequential():
    return nn.Sequential(
        nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 4)
    )


def train(model, steps, *, call=None, optimizer=None, seed=0, on_step=None):
    """Train a few steps on random numbers; return the losses."""
    call = model if call is None else call
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(seed)
    losses = []
    for step in range(steps):
        x = torch.randn(16, 8, generator=generator)
        optimizer.zero_grad()
        loss = call(x).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if on_step is not None:
            on_step(step)
    return losses


class Log:
    """Keeps what it is told."""

    def __init__(self):
        self.steps, self.values = [], []

    def __call__(self, values, step):
        self.steps.append(step)
        self.values.append(values)


def watched(model, steps, every=1, **options):
    """Train while watching; return what was seen."""
    training = {name: options.pop(name) for name in ("call", "optimizer") if name in options}
    with firstlight.watch(model, every=every, **options) as watcher:
        train(model, steps, **training)
    return watcher.history
