"""Speed and memory of whole models' starts against anyinit, and against torch's own fills.

All times of one table come from one process: rivals take turns, the least of each counts, and only
ratios are judged, so a busy machine moves both sides. Memory is read in a fresh process per case.
Run by `make bench`.
"""

import argparse
import math
import warnings
from collections.abc import Callable
from functools import partial

import torch
from memory import mebibytes_of, peak_mebibytes
from rich.console import Console
from rich.table import Table
from torch import nn
from turns import least_seconds

import firstlight
from firstlight.model.named import build

Start = Callable[[nn.Module], object]

MODELS = ("torchvision:resnet50", "torchvision:vit_b_16")
ANYINIT_BAR = 0.2  # of anyinit's time: at least five times as fast
KAIMING_BAR = 1.0  # of the time of a loop of kaiming_normal_
MEMORY_BAR = 64.0  # MiB beyond the model


def anyinit(model: nn.Module) -> None:
    from anyinit import initialize

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        initialize(model)


def kaiming(model: nn.Module) -> None:
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)


OURS: dict[str, Start] = {
    "auto": lambda model: firstlight.initialize(model, "auto"),
    "harmonic": lambda model: firstlight.initialize(model, "harmonic"),
}
STARTS = {**OURS, "anyinit": anyinit, "kaiming_normal_": kaiming}


def linears(width: int) -> nn.Sequential:
    """Eight linear layers and ReLUs, for which auto takes He's start, as the rival does.

    Their own start is not drawn: it would only cost time.
    """
    layers: list[nn.Module] = []
    for _ in range(8):
        layers += [nn.utils.skip_init(nn.Linear, width, width, bias=False), nn.ReLU()]
    return nn.Sequential(*layers)


def print_memory(model: str, start: str) -> None:
    """Print the peak memory of the first start of the model, with all modules loaded."""
    STARTS[start](nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 8)))
    print(peak_mebibytes(partial(STARTS[start], build(model))))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=8192, help="of the eight linear layers")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-of", nargs=2, metavar=("MODEL", "START"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory_of:
        print_memory(*options.memory_of)
        return 0
    table = Table(
        title=f"{options.threads} threads, torch {torch.__version__}, least of {options.repeats}"
    )
    for heading in ("model", "start", "ms", "/ rival", "MiB beyond it"):
        table.add_column(heading, justify="left" if heading in ("model", "start") else "right")
    checks = []
    for name in (*MODELS, f"8 x Linear({options.width})"):
        checks += compare(name, options, table)
    console = Console()
    console.print(table)
    for what, value, bar in checks:
        console.print(f"{'ok  ' if value <= bar else 'MISS'} {what}: {value:.3g} (at most {bar:g})")
    return 0 if all(value <= bar for _, value, bar in checks) else 1


def compare(name: str, options: argparse.Namespace, table: Table) -> list[tuple[str, float, float]]:
    """Add a row for every start of one model; return what is promised of ours."""
    named = name in MODELS
    rival, bar = ("anyinit", ANYINIT_BAR) if named else ("kaiming_normal_", KAIMING_BAR)
    model = build(name) if named else linears(options.width)
    ways = {start: partial(STARTS[start], model) for start in (rival, *OURS)}
    times = least_seconds(ways, options.repeats)
    threads = f"--threads={options.threads}"
    checks = []
    for start, value in times.items():
        memory = math.nan
        if named:
            memory = mebibytes_of(__file__, threads, "--memory-of", name, start)
        ratio = value / times[rival]
        shown = f"{memory:.1f}" if named else ""
        table.add_row(name, start, f"{value * 1e3:.1f}", f"{ratio:.3f}", shown)
        if start in OURS:
            checks.append((f"{name}: {start} / {rival}", ratio, bar))
        if start in OURS and named:
            checks.append((f"{name}: {start} MiB", memory, MEMORY_BAR))
    return checks


if __name__ == "__main__":
    raise SystemExit(main())
