"""Seconds to 35 dB on a Kodak image, against the plain loop that everyone writes.

Kodak 05, grey, 256 x 256, full resolution of the crop 512 x 512; width 256, 5 weight layers, Adam
1e-4. Plain: torch eager, all pixels at once, sin(omega (W x + b)), alpha 1. Then the same loop from
the automatic start, the step of ``fields.fit`` from SIREN's start, and both. Run by `make bench`.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import nn

from firstlight import fields

PICTURE = Path("../shared/data/kodak/kodim05.png")
SIDE, WIDTH, DEPTH, OMEGA, RATE, TARGET, MOST = 256, 256, 5, 30.0, 1e-4, 35.0, 4000
BAR = 0.2


class Siren(nn.Module):
    """What tutorials write."""

    def __init__(self, field: nn.Module):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Linear(layer.in_features, layer.out_features) for layer in field.layers
        )
        for own, given in zip(self.layers, field.layers, strict=True):
            own.load_state_dict(given.state_dict())

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.sin(OMEGA * layer(x))
        return self.layers[-1](x)


def plain(network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> tuple[int, float]:
    """Steps and seconds of the plain loop to the target."""
    start = time.perf_counter()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    for step in range(MOST):
        loss = (network(x) - y).square().mean()
        if 10 * math.log10(4 / float(loss)) >= TARGET:
            return step, time.perf_counter() - start
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    raise SystemExit(f"{TARGET} dB were not reached in {MOST} steps")


def fitted(signal: fields.Signal, network: fields.Network, **options) -> tuple[int, float]:
    result = fields.fit(signal, network, target_psnr=TARGET, steps=MOST, **options)
    return result.steps, result.seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if not PICTURE.exists():
        print(f"fields: skipped, {PICTURE} is not here")
        return 0
    torch.set_num_threads(options.threads)
    picture = Image.open(PICTURE).convert("L").crop((0, 0, 2 * SIDE, 2 * SIDE))
    pixels = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    signal = fields.load(pixels, kind="image")
    batch = signal.train.all()
    siren, auto = (fields.Sine(width=WIDTH, depth=DEPTH, alpha=alpha) for alpha in (1.0, "auto"))
    start = time.perf_counter()
    choice = fields.choose_alpha(signal, auto, target_psnr=TARGET)
    chosen = time.perf_counter() - start
    scaled = fields.Sine(width=WIDTH, depth=DEPTH, alpha=choice.alpha, omega_0=choice.omega_0)
    rows = {
        "plain loop, SIREN": plain(Siren(siren.build(2, 1)), batch.x, batch.y),
        f"plain loop, alpha {choice.alpha:.2f}": plain(Siren(scaled.build(2, 1)), batch.x, batch.y),
        "fit, SIREN": fitted(signal, siren),
        "fit, alpha='auto'": fitted(signal, auto),
        "fit, alpha='auto', bfloat16": fitted(signal, auto, precision="bfloat16"),
    }
    table = Table(title=f"{TARGET:g} dB on {SIDE} x {SIDE}, {options.threads} threads")
    for heading in ("", "steps", "seconds", "a step", "/ plain"):
        table.add_column(heading, justify="right" if heading else "left")
    whole = rows["plain loop, SIREN"][1]
    for name, (steps, seconds) in rows.items():
        each = f"{seconds / max(steps, 1):.3f}"
        table.add_row(name, str(steps), f"{seconds:.1f}", each, f"{seconds / whole:.3f}")
    console = Console()
    console.print(table)
    console.print(f"The choice of alpha took {chosen:.1f} s, which is part of the last two rows.")
    ratio = rows["fit, alpha='auto'"][1] / whole
    verdict = "ok" if ratio <= BAR else "MISSED"
    console.print(f"fit, alpha='auto' / plain: {ratio:.3f}, bar {BAR}: {verdict}")
    return int(ratio > BAR)


if __name__ == "__main__":
    raise SystemExit(main())
