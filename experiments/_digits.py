"""How well a network learns the digits, epoch by epoch."""

from collections.abc import Iterator

import torch
from _paired import TUNING_SEED
from torch import nn
from torch.nn.functional import cross_entropy

from firstlight.comparison.batches import batches, order
from firstlight.comparison.data import load

BATCH = 64
DIGITS = load("digits")


def accuracies(model: nn.Module, rate: float, seed: int, epochs: int) -> Iterator[float]:
    """Train by AdamW, and yield the accuracy in % after every epoch."""
    data = DIGITS.select(None, held_out=seed >= TUNING_SEED)
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=1e-3, fused=True)
    for epoch in range(epochs):
        indices = order(seed, epoch, len(data.train))
        for images, labels in batches(data.train, data.normalisation, BATCH, indices):
            optimizer.zero_grad()
            cross_entropy(model(images), labels).backward()
            optimizer.step()
        with torch.no_grad():
            (images, labels), *_ = batches(data.test, data.normalisation, len(data.test))
            yield 100 * (model(images).argmax(1) == labels).float().mean().item()
