"""Speed, memory and exactness of the deterministic fills against torch and the plain formula.

All figures of one table come from one process: rivals take turns, medians are compared, and only
ratios are judged, so a busy machine moves both sides. Run by `make bench`.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from memory import peak_mebibytes
from rich.console import Console
from rich.table import Table
from torch import Tensor

from firstlight.init import harmonic_, sinusoidal_

#: (fill, rival, at most): what the project promises at 4096 x 4096, float32, two threads.
BARS = [
    ("sinusoidal_", "normal_", 0.5),
    ("harmonic_", "normal_", 0.5),
    ("sinusoidal_", "plain formula", 0.25),
    ("harmonic_", "plain formula", 0.25),
]
MEMORY_BAR = 8.0  # MiB beyond the tensor
SUM_BAR = 1e-6


def plain_(tensor: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """The published formula as one would write it down, over whole matrices."""
    m, n = tensor.shape
    i = torch.arange(1, m + 1, dtype=dtype)[:, None]
    x = torch.arange(1, n + 1, dtype=dtype) / n
    w = torch.sin(2 * math.pi * i * x + 2 * math.pi * i / m)
    w *= torch.sqrt(2 / ((m + n) * w.var()))
    return tensor.copy_(w)


FILLS: dict[str, Callable[[Tensor], Tensor]] = {
    "fill_": lambda t: t.fill_(1.0),
    "normal_": torch.nn.init.normal_,
    "kaiming_uniform_": torch.nn.init.kaiming_uniform_,
    "plain formula": plain_,
    "plain formula, float64": lambda t: plain_(t, torch.float64),
    "sinusoidal_": sinusoidal_,
    "harmonic_": harmonic_,
}


def median_milliseconds(tensor: Tensor, repeats: int) -> dict[str, float]:
    """Time every fill in turn, so that a slow moment hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in FILLS}
    for turn in range(repeats + 1):
        for name, fill in FILLS.items():
            start = time.perf_counter()
            fill(tensor)
            if turn > 0:  # the first turn warms caches and thread pools
                times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def worst_row_sum(tensor: Tensor) -> float:
    """Largest |float64 row sum| over its row's norm, rows that need not vanish left out."""
    m, n = tensor.shape
    sums, norms = tensor.sum(1, dtype=torch.float64).abs(), tensor.double().norm(dim=1)
    vanishing = (torch.arange(1, m + 1) % n != 0) & (norms > 0)
    return float((sums / norms)[vanishing].max())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tensor = torch.empty(options.size, options.size)
    milliseconds = median_milliseconds(tensor, options.repeats)
    # every page of the tensor and of thread pools is resident by now
    memory = {name: peak_mebibytes(partial(fill, tensor)) for name, fill in FILLS.items()}

    console = Console()
    table = Table(
        title=f"{options.size} x {options.size} float32, {options.threads} threads, "
        f"torch {torch.__version__}, median of {options.repeats}"
    )
    for heading in ("fill", "ms", "/ normal_", "/ plain", "MiB beyond the tensor"):
        table.add_column(heading, justify="left" if heading == "fill" else "right")
    for name, value in milliseconds.items():
        ratios = [value / milliseconds[rival] for rival in ("normal_", "plain formula")]
        table.add_row(name, f"{value:.1f}", *(f"{r:.2f}" for r in ratios), f"{memory[name]:.1f}")
    console.print(table)

    checks = [
        (f"{fill} / {rival}", milliseconds[fill] / milliseconds[rival], bar)
        for fill, rival, bar in BARS
    ]
    checks += [(f"{fill} MiB", memory[fill], MEMORY_BAR) for fill in ("sinusoidal_", "harmonic_")]
    checks += [
        (f"{name} row sum / norm", worst_row_sum(fill(tensor)), SUM_BAR)
        for name, fill in (("sinusoidal_", sinusoidal_), ("harmonic_", harmonic_))
    ]
    for what, value, bar in checks:
        console.print(f"{'ok  ' if value <= bar else 'MISS'} {what}: {value:.3g} (at most {bar:g})")
    return 0 if all(value <= bar for _, value, bar in checks) else 1


if __name__ == "__main__":
    raise SystemExit(main())
