"""Which start fits a picture soonest with a sine network?

SIREN's network (sin(30 (W x + b)), five weight layers) fits a grey 64 x 64 crop of a Kodak
photograph in 150 full-batch steps of Adam. Every seed has its own photograph and its own draw.
`python experiments/sine_networks.py --out results/...`; with UNSEEN=1 the network learns from
every second pixel, and the others judge.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from _paired import TUNING_SEED, run
from PIL import Image
from torch import Tensor, nn

import firstlight

KODAK = Path("../shared/data/kodak")
SIDE, WIDTH, STEPS, OMEGA = 64, 128, 150, 30.0
UNSEEN = bool(os.environ.get("UNSEEN"))


class Sine(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(OMEGA * x)


def network() -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(2, WIDTH), Sine()]
    for _ in range(3):
        layers += [nn.Linear(WIDTH, WIDTH), Sine()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 1))


def start(model: nn.Module, scheme: str, seed: int) -> None:
    """``+ biases`` keeps the framework's biases, which firstlight sets to zero otherwise."""
    name, _, keep = scheme.partition(" + ")
    name, options = firstlight.init.parse_scheme(name) if name != "default" else (name, {})
    exclude = ["*.bias"] if keep else []
    if name == "harmonic":  # a row of two inputs holds no sine
        exclude.append("0.weight")
    if name != "default":
        firstlight.initialize(model, name, seed=seed, exclude=exclude, **options)


def crop(seed: int) -> Tensor:
    """Return the middle of photograph ``seed``, in [-1, 1]; tuning has a photograph of its own."""
    number = 16 if seed >= TUNING_SEED else 1 + seed
    with Image.open(KODAK / f"kodim{number:02}.png") as image:
        pixels = np.asarray(image.convert("L"), dtype=np.float32)
    top, left = ((size - SIDE) // 2 for size in pixels.shape)
    return torch.from_numpy(pixels[top : top + SIDE, left : left + SIDE] / 127.5 - 1)


def train(scheme: str, rate: float, seed: int) -> Iterator[float]:
    """Yield the PSNR in dB after every tenth of the steps."""
    torch.manual_seed(seed)
    model = network()
    start(model, scheme, seed)
    axis = torch.linspace(-1, 1, SIDE)
    x = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1).view(-1, 2)
    y = crop(seed).reshape(-1, 1)
    learnt = torch.ones(len(x), dtype=torch.bool)
    if UNSEEN:
        learnt = torch.arange(SIDE)[:, None].add(torch.arange(SIDE)).view(-1) % 2 == 0
    judged = ~learnt if UNSEEN else learnt
    optimizer = torch.optim.Adam(model.parameters(), rate, fused=True)
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        (model(x[learnt]) - y[learnt]).square().mean().backward()
        optimizer.step()
        if step % (STEPS // 10) == 0:
            with torch.no_grad():
                error = (model(x[judged]) - y[judged]).square().mean().item()
            yield 10 * math.log10(4 / error)


if __name__ == "__main__":
    run(
        __doc__,
        train,
        ["default", "he_normal", "harmonic", "siren", "siren + biases", "siren:alpha=1.5"],
        rates=[3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3],
        measure="PSNR, dB",
        larger=True,
        side=SIDE,
        width=WIDTH,
        steps=STEPS,
        omega=OMEGA,
        unseen=UNSEEN,
    )
