"""Speed and memory of the tangent kernel against the plain Jacobian product of torch.func.

All times of one table come from one process: rivals take turns, the least of each counts, and only
ratios are judged, so a busy machine moves both sides. Memory is read in a fresh process per case.
Run by `make bench`.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial

import torch
from memory import mebibytes_of, peak_mebibytes
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap
from turns import least_seconds

from firstlight.auditing.derivatives.kernel import tangent_kernel

TIME_BAR = 0.5  # of the time of the Jacobian product
MEMORY_BAR = 2048.0  # MiB beyond the model and the batch
ERROR_BAR = 0.01  # relative, between both condition numbers


def perceptron(depth: int, width: int) -> nn.Module:
    """Linear layers with ReLUs between them, and one output."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Linear(32, width)]
    for _ in range(depth - 2):
        layers += [nn.ReLU(), nn.Linear(width, width)]
    return nn.Sequential(*layers, nn.ReLU(), nn.Linear(width, 1))


def plain(model: nn.Module, x: Tensor) -> float:
    """The condition number as torch's own tutorial would compute the kernel."""
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def one(parameters: dict[str, Tensor], sample: Tensor) -> Tensor:
        return functional_call(model, parameters, (sample[None],))[0]

    jacobian = vmap(jacrev(one), (None, 0))(parameters, x)
    flat = [part.flatten(2) for part in jacobian.values()]
    kernel = sum(torch.einsum("naf,mbf->nmab", part, part) for part in flat)
    values = torch.linalg.eigvalsh(kernel[:, :, 0, 0].double())
    return float(values[-1] / values[0])


WAYS: dict[str, Callable[[nn.Module, Tensor], float]] = {
    "torch.func": plain,
    "firstlight": lambda model, x: tangent_kernel(model, x).condition,
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--points", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-of", choices=WAYS, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    given = options()
    torch.set_num_threads(given.threads)
    model = perceptron(given.depth, given.width)
    x = torch.randn(given.points, 32, generator=torch.Generator().manual_seed(0))
    if given.memory_of:
        WAYS[given.memory_of](model, x[:8])  # with all modules loaded
        print(peak_mebibytes(partial(WAYS[given.memory_of], model, x)))
        return 0
    times = least_seconds(
        {name: partial(way, model, x) for name, way in WAYS.items()}, given.repeats
    )
    case = (*sys.argv[1:], "--memory-of")
    memory = {name: mebibytes_of(__file__, *case, name) for name in WAYS}
    conditions = {name: way(model, x) for name, way in WAYS.items()}
    console = Console()
    console.print(table(given, times, memory, conditions))
    ours, theirs = conditions["firstlight"], conditions["torch.func"]
    checks = [
        ("firstlight / torch.func", times["firstlight"] / times["torch.func"], TIME_BAR),
        ("firstlight MiB", memory["firstlight"], MEMORY_BAR),
        ("condition numbers' relative difference", abs(ours / theirs - 1), ERROR_BAR),
    ]
    for what, value, bar in checks:
        console.print(f"{'ok  ' if value <= bar else 'MISS'} {what}: {value:.3g} (at most {bar:g})")
    return 0 if all(value <= bar for _, value, bar in checks) else 1


def table(
    given: argparse.Namespace,
    times: dict[str, float],
    memory: dict[str, float],
    conditions: dict[str, float],
) -> Table:
    shown = Table(
        title=f"{given.depth} layers of width {given.width}, {given.points} points, "
        f"{given.threads} threads, torch {torch.__version__}, least of {given.repeats}"
    )
    for heading in ("kernel by", "ms", "/ torch.func", "MiB beyond the model", "condition"):
        shown.add_column(heading, justify="left" if heading == "kernel by" else "right")
    for name, value in times.items():
        ratio = f"{value / times['torch.func']:.3f}"
        rest = (f"{memory[name]:.1f}", f"{conditions[name]:.6g}")
        shown.add_row(name, f"{value * 1e3:.1f}", ratio, *rest)
    return shown


if __name__ == "__main__":
    raise SystemExit(main())
