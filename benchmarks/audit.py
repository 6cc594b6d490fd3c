"""Time and memory of an audit against one forward and backward pass of the same network.

Both take turns in one process, the least of each counts, and only ratios are judged. Memory is
read in a fresh process for each. Run by `make bench`.
"""

import argparse
from collections.abc import Callable
from functools import partial

import torch
from memory import mebibytes_of, peak_mebibytes
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional
from turns import least_seconds

import firstlight
from firstlight.model.named import build

MODEL, BATCH, SIDE, CLASSES = "torchvision:resnet50", 32, 64, 1000
TIME_BAR = 3.0  # of the time of one forward and backward pass
MEMORY_BAR = 1.5  # of its peak memory


def plain(model: nn.Module, x: Tensor, y: Tensor) -> None:
    model.zero_grad(set_to_none=True)
    functional.cross_entropy(model(x), y).backward()


def audit(model: nn.Module, x: Tensor, y: Tensor) -> None:
    model.zero_grad(set_to_none=True)
    firstlight.audit(model, (x, y))


RIVALS: dict[str, Callable[[nn.Module, Tensor, Tensor], None]] = {"plain": plain, "audit": audit}


def case() -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    return build(MODEL), torch.randn(BATCH, 3, SIDE, SIDE), torch.randint(CLASSES, (BATCH,))


def print_memory(name: str) -> None:
    """Print the peak memory beyond the model and the batch, with all modules loaded."""
    small = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 8))
    RIVALS[name](small, torch.randn(4, 3, 8, 8), torch.randint(8, (4,)))
    subject = case()
    print(peak_mebibytes(lambda: RIVALS[name](*subject)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-of", choices=RIVALS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory_of:
        print_memory(options.memory_of)
        return 0
    subject = case()
    ways = {name: partial(action, *subject) for name, action in RIVALS.items()}
    times = least_seconds(ways, options.repeats)
    threads = f"--threads={options.threads}"
    memory = {name: mebibytes_of(__file__, threads, "--memory-of", name) for name in RIVALS}
    title = f"{MODEL}, batch {BATCH}, {SIDE} x {SIDE}, {options.threads} threads"
    table = Table(title=f"{title}, torch {torch.__version__}, least of {options.repeats}")
    for heading in ("", "seconds", "/ plain", "MiB beyond the model", "/ plain"):
        table.add_column(heading, justify="right" if heading else "left")
    for name in RIVALS:
        time_ratio, memory_ratio = times[name] / times["plain"], memory[name] / memory["plain"]
        row = (f"{times[name]:.2f}", f"{time_ratio:.2f}", f"{memory[name]:.0f}")
        table.add_row(name, *row, f"{memory_ratio:.2f}")
    console = Console()
    console.print(table)
    checks = (("time", times, TIME_BAR), ("memory", memory, MEMORY_BAR))
    missed = 0
    for what, values, bar in checks:
        ratio = values["audit"] / values["plain"]
        missed += ratio > bar
        verdict = "MISS" if ratio > bar else "ok  "
        console.print(
            f"{verdict} audit / one forward and backward, {what}: {ratio:.3g} (at most {bar:g})"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
