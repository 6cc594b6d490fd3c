"""What should diagonal plus noise do where a layer has fewer outputs than inputs?

The published diagonal hears the first outputs' worth of inputs, and the rest through noise alone.
Variants put other matrices in the diagonal's place; the noise is the same draw for all of them:

  published    omega at [i, i]
  mean         omega / k where i = j mod outputs: the mean of the k inputs, exact on copies
  signs        +-omega / sqrt(k) at the same places: keeps the size of independent inputs
  orthonormal  omega times orthonormal rows: the same with all inputs in every output

"orthonormal, mean" has orthonormal rows in the layer that reads data and means in the others.
"isometric" is isometric_diagonal_: orthonormal rows in the first and last layers, means between,
and every matrix an isometry. Tanh networks of 30 and 50 hidden layers of 16 units (1200 steps of
Adam, 64 images each), and of 100 of 16 and 4 in turn (2400 steps), on digits and on 8000 digits of
MNIST. All starts, rates and seeds of a network train at once, as batched products. Seed 0 chooses
the rate, and is not reported.

`python experiments/narrowing_layers.py measure --out results/narrowing-layers`, which goes on
where it was stopped, then `python experiments/narrowing_layers.py table --out ...`.
"""

import argparse
import json
import math
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _narrowing_table import page
from torch import Tensor
from torch.nn import functional

import firstlight
from firstlight.comparison.data import Data, load
from firstlight.init import diagonal_plus_noise_, isometric_diagonal_, orthogonal_

DATA = {"digits": "digits", "mnist": "parquet:../shared/data/mnist-test10k.parquet"}
NETWORKS = {"16 x 30": [16] * 30, "16 x 50": [16] * 50, "16, 4 x 50": [16, 4] * 50}
STARTS = (
    "published",
    "mean",
    "signs",
    "orthonormal",
    "orthonormal, mean",
    "orthonormal, published",
    "isometric",
    "orthogonal",
)
RATES, SEEDS, BATCH = (2e-5, 1e-4, 5e-4, 2e-3), 6, 64
STEPS = {"16 x 30": 1200, "16 x 50": 1200, "16, 4 x 50": 2400}


def heard(kind: str, m: int, n: int, generator: torch.Generator) -> Tensor:
    """What stands in the diagonal's place: (m, n), for tanh, whose omega is 1."""
    i, j = torch.arange(m)[:, None], torch.arange(n)
    if kind == "published" or m >= n:
        return (i % n == j).float()
    if kind == "orthonormal":
        return orthogonal_(torch.empty(m, n), generator=generator)
    on = (j % m == i).float()
    if kind == "mean":
        return on / on.sum(1, keepdim=True)
    signs = torch.randint(2, (m, n), generator=generator) * 2 - 1
    return on * signs / on.sum(1, keepdim=True).sqrt()


def weights(start: str, sizes: list[int], seed: int) -> list[Tensor]:
    """All weights of a network, (inputs, outputs)."""
    made, depth = [], len(sizes) - 1
    for layer, (n, m) in enumerate(pairwise(sizes)):
        generator = torch.Generator().manual_seed(1000 * seed + layer)
        weight = torch.empty(m, n)
        if start == "orthogonal":
            orthogonal_(weight, generator=generator)
        elif start == "isometric":
            position = "first" if layer == 0 else "last" if layer == depth - 1 else "hidden"
            options = {"depth": depth, "activation": "tanh", "position": position}
            isometric_diagonal_(weight, generator=generator, **options)
        else:
            diagonal_plus_noise_(weight, depth=depth, activation="tanh", generator=generator)
            kinds = start.split(", ")
            weight -= heard("published", m, n, generator)
            weight += heard(kinds[0] if layer == 0 else kinds[-1], m, n, generator)
        made.append(weight.T)
    return made


class Networks:
    """Networks of one shape, (seeds * variants), that train at once; one rate for each."""

    def __init__(self, sizes: list[int], starts: list[tuple[str, float]], seeds: int) -> None:
        own = [weights(start, sizes, seed) for seed in range(seeds) for start, _ in starts]
        self.seeds = seeds
        self.weights = [torch.stack(layer).requires_grad_() for layer in zip(*own, strict=True)]
        self.biases = [torch.zeros(len(own), 1, m).requires_grad_() for m in sizes[1:]]
        self.rates = torch.tensor([rate for _, rate in starts] * seeds).view(-1, 1, 1)
        self.moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.parameters]

    @property
    def parameters(self) -> list[Tensor]:
        return [*self.weights, *self.biases]

    def __call__(self, x: Tensor) -> Tensor:
        """Map (seeds, batch, inputs) to (seeds * variants, batch, classes)."""
        first = self.weights[0].view(self.seeds, -1, *self.weights[0].shape[1:])
        h = torch.einsum("sbi,svio->svbo", x, first).flatten(0, 1) + self.biases[0]
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            h = torch.baddbmm(bias, torch.tanh(h), weight)
        return h

    def step(self, loss: Tensor, t: int) -> None:
        """One step of Adam, as torch.optim.Adam has it, each network at its own rate."""
        gradients = torch.autograd.grad(loss, self.parameters)
        with torch.no_grad():
            for p, g, (m, v) in zip(self.parameters, gradients, self.moments, strict=True):
                m.lerp_(g, 0.1)
                v.mul_(0.999).addcmul_(g, g, value=0.001)
                denominator = (v.sqrt() / math.sqrt(1 - 0.999**t)).add_(1e-8)
                p.sub_(self.rates / (1 - 0.9**t) * m / denominator)


def pixels(data: Data) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    mean, std = data.normalisation
    train, test = (((part.images - mean) / std).flatten(1) for part in (data.train, data.test))
    return train, data.train.labels, test, data.test.labels


def accuracy(networks: Networks, x: Tensor, y: Tensor) -> Tensor:
    with torch.no_grad():
        hits = [
            (networks(part.expand(networks.seeds, -1, -1)).argmax(2) == label).float().sum(1)
            for part, label in zip(x.split(500), y.split(500), strict=True)
        ]
    return torch.stack(hits).sum(0) / len(y)


def train(data: str, hidden: list[int], steps: int, names: list[str]) -> list[dict[str, Any]]:
    """Train these starts at all rates, from all seeds; one row for each."""
    x, y, test, labels = pixels(load(DATA[data]))
    starts = [(start, rate) for start in names for rate in RATES]
    networks = Networks([x.shape[1], *hidden, 10], starts, SEEDS)
    generator = torch.Generator().manual_seed(0)
    curve = [accuracy(networks, test, labels)]
    for t in range(1, steps + 1):
        index = torch.randint(len(x), (SEEDS, BATCH), generator=generator)
        target = y[index].repeat_interleave(len(starts), 0)
        losses = functional.cross_entropy(
            networks(x[index]).flatten(0, 1), target.flatten(), reduction="none"
        )
        networks.step(losses.sum() / BATCH, t)
        if t % (steps // 4) == 0:
            curve.append(accuracy(networks, test, labels))
            print(f"{data}, {t}: best {float(curve[-1].max()):.3f}", flush=True)
    accuracies = torch.stack(curve).T.view(SEEDS, len(starts), -1).tolist()
    return [
        {"start": start, "rate": rate, "seed": seed, "accuracy": accuracies[seed][place]}
        for seed in range(SEEDS)
        for place, (start, rate) in enumerate(starts)
    ]


def measure(out: Path) -> None:
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    for data in DATA:
        for network, hidden in NETWORKS.items():
            path = out / f"{data} {network}.json".replace(", ", "-").replace(" ", "-")
            cell = json.loads(path.read_text()) if path.exists() else {"runs": [], "cpu": 0.0}
            missing = [s for s in STARTS if s not in {run["start"] for run in cell["runs"]}]
            if not missing:
                continue
            spent = time.process_time()
            cell["runs"] += train(data, hidden, STEPS[network], missing)
            cell["cpu"] += time.process_time() - spent
            cell |= {"data": data, "network": network, "seeds": SEEDS, "steps": STEPS[network]}
            cell |= {"torch": torch.__version__, "numpy": np.__version__}
            cell["firstlight"] = firstlight.__version__
            part = path.with_suffix(".part")
            part.write_text(json.dumps(cell), encoding="utf-8")
            part.replace(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["measure", "table"])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.what == "measure":
        measure(options.out)
    else:
        text = page(options.out)
        (options.out / "table.md").write_text(text, encoding="utf-8")
        print(text)
