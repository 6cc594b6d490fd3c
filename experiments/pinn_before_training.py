"""What deep, narrow tanh networks are like before they learn Burgers' equation.

`python experiments/pinn_before_training.py --out results/pinn-starts` writes before-training.md:
medians over seeds of the network's spread and how little of it is linear, the gradient of the first
layer against the last, and the tangent kernel of u: how many directions hold its energy, which is
how many features a first-order step can learn at once.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from firstlight.physics import PinnSpec, Points, Problem, find_problem
from firstlight.physics.deepxde import arithmetic, quiet
from firstlight.physics.network import build_network

STARTS = (
    "Glorot normal",
    "orthogonal",
    "edge_of_chaos",
    "lsuv",
    "diagonal_plus_noise",
    "diagonal_plus_noise:negative_rate=0.01",
)
SEEDS = range(5)
HEAD = (
    "| depth | inputs | start | std u | not linear | first / last gradient | loss | "
    "kernel: effective rank | directions of 99.9 % |\n|---|---|---|---|---|---|---|---|---|\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    published = find_problem("burgers")
    centred = replace(
        published, inputs=2, features=lambda x: torch.cat([x[:, :1], 2 * x[:, 1:] - 1], 1)
    )
    rows = []
    for depth in (20, 30):
        for name, problem in (("x, t", published), ("x, 2t - 1", centred)):
            for start in STARTS:
                found = np.median([measured(problem, start, depth, seed) for seed in SEEDS], 0)
                cells = " | ".join(f"{value:.2g}" for value in found)
                rows.append(f"| {depth} | {name} | {start} | {cells} |\n")
                print(rows[-1], end="", flush=True)
    about = f"`python experiments/{Path(__file__).name} --out {out}`, {len(SEEDS)} seeds, torch "
    out.mkdir(parents=True, exist_ok=True)
    text = f"{about}{torch.__version__}; width 16, medians\n\n{HEAD}{''.join(rows)}"
    (out / "before-training.md").write_text(text)


def measured(problem: Problem, scheme: str, depth: int, seed: int) -> list[float]:
    """Return what one network is like, in the order of the table."""
    with arithmetic("float64") as dde:
        data = problem.data(Points(400, 40, 40), 0)
        net = build_network(problem, PinnSpec(scheme=scheme, depth=depth, seed=seed), data.train_x)
        x = torch.as_tensor(data.train_x)
        with torch.no_grad():
            u = net(x)[:, 0]
        model = dde.Model(data, net)
        with quiet():
            model.compile("adam", lr=1e-3, verbose=0)
        loss = model.outputs_losses_train(data.train_x, None, None)[1].sum()
        loss.backward()
        gradients = [float(layer.weight.grad.norm()) for layer in net.linears]
        energy = kernel(net, x[:: len(x) // 100])
        rank = float(energy.sum() ** 2 / energy.square().sum())
        directions = int((energy.cumsum(0) < 0.999 * energy.sum()).sum()) + 1
    spread = float(u.std())
    ratio = gradients[0] / gradients[-1]
    return [spread, not_linear(x, u), ratio, loss.item(), rank, directions]


def not_linear(x: Tensor, u: Tensor) -> float:
    """Return the share of the spread that no linear function of the inputs has."""
    inputs = torch.cat([x, torch.ones(len(x), 1)], 1)
    rest = u - inputs @ torch.linalg.lstsq(inputs, u[:, None]).solution[:, 0]
    return math.sqrt(float(rest.var() / u.var()))


def kernel(net: torch.nn.Module, x: Tensor) -> Tensor:
    """Return the eigenvalues of the tangent kernel of u, largest first."""
    rows = []
    for point in x:
        net.zero_grad()
        net(point[None])[0, 0].backward()
        rows.append(torch.cat([each.grad.flatten() for each in net.parameters()]))
    jacobian = torch.stack(rows)
    return torch.linalg.eigvalsh(jacobian @ jacobian.T).flip(0).clamp_min(0)


if __name__ == "__main__":
    main()
