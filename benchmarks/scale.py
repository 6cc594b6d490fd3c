"""Starts at scale: eight wide layers in two threads, weak scaling over processes, bytes sent.

Rivals take turns and ratios are judged, so a busy machine moves both sides. Where there is a GPU,
the bandwidth of a fill is held against that of a copy. Run by `make bench`.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from memory import mebibytes_of, peak_mebibytes
from rich.console import Console
from torch import nn
from turns import least_seconds

import firstlight
from firstlight.init import sinusoidal_

HERE = Path(__file__).parent
RANKS = HERE.parent / "tests" / "distributed"  # the tests' own way of starting processes
sys.path.insert(0, str(RANKS))
import ranks  # noqa: E402

WIDTH = 8192
#: Of the time of ``torch.nn.init.normal_`` on the same weights, two threads.
BARS = {"he_normal": 0.6, "sinusoidal": 0.45, "harmonic": 0.45}
MEMORY_BAR = 16.0  # MiB beyond the model
WEAK_BAR = 1.15  # growth of the time per rank over that of a plain fill_
GPU_BAR = 0.5  # of the bandwidth of a copy


def linears() -> nn.Sequential:
    """Eight layers; their own start is not drawn, it would only cost time."""
    layer = partial(nn.utils.skip_init, nn.Linear, WIDTH, WIDTH, bias=False)
    return nn.Sequential(*(layer() for _ in range(8)))


def normal(model: nn.Module) -> None:
    for parameter in model.parameters():
        nn.init.normal_(parameter)


def seconds_of(repeats: int) -> dict[str, float]:
    """Time torch's draws and our starts of the eight layers."""
    model = linears()
    ours = {name: partial(firstlight.initialize, model, name) for name in BARS}
    return least_seconds({"normal_": partial(normal, model), **ours}, repeats)


def print_memory(scheme: str) -> None:
    model = linears()
    normal(model)
    firstlight.initialize(nn.Linear(600, 600), scheme)  # loads what is loaded once
    print(peak_mebibytes(partial(firstlight.initialize, model, scheme)))


def weak(world: int) -> dict[str, float]:
    """Seconds of the slowest of ``world`` ranks, each with as much to fill, and bytes sent."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPATH"] = str(HERE)
        ranks.run("weak_scaling:body", world, Path(folder), timeout=600)
        found = [json.loads(file.read_text()) for file in sorted(Path(folder).glob("rank*.json"))]
    return {name: max(rank[name] for rank in found) for name in found[0]}


def gpu_bandwidths() -> dict[str, float]:
    """Share of a copy's bandwidth that the sinusoidal fill reaches, by dtype."""
    found = {}
    for dtype in (torch.float32, torch.bfloat16):
        tensor = torch.empty(WIDTH, WIDTH, dtype=dtype, device="cuda")
        other = torch.empty_like(tensor)
        copied = 2 * tensor.nbytes / _gpu_seconds(lambda a=tensor, b=other: b.copy_(a))
        filled = tensor.nbytes / _gpu_seconds(lambda a=tensor: sinusoidal_(a))
        found[str(dtype)] = filled / copied
    return found


def _gpu_seconds(action: Callable[[], object]) -> float:
    action()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(10):
        action()
    torch.cuda.synchronize()
    return (time.perf_counter() - begin) / 10


def checks(repeats: int, threads: int) -> list[tuple[str, float, float, bool]]:
    """Return what is promised: its name, the value, the bar, and whether less is better."""
    seconds = seconds_of(repeats)
    case = (f"--threads={threads}", "--memory-of")
    found = [
        (f"8 x Linear({WIDTH}) {name} / normal_", seconds[name] / seconds["normal_"], bar, True)
        for name, bar in BARS.items()
    ]
    for name in BARS:
        beyond = mebibytes_of(__file__, *case, name)
        found.append((f"{name} MiB beyond", beyond, MEMORY_BAR, True))
    one, *more = (weak(world) for world in (1, 2, 4))
    for world, many in zip((2, 4), more, strict=True):
        plain = many["fill_"] / one["fill_"]
        for name in BARS:
            growth = many[name] / one[name] / plain
            found.append((f"{world} ranks, {name}: growth / fill_'s", growth, WEAK_BAR, True))
        found.append((f"{world} ranks, bytes sent", many["bytes"], 0, True))
    if torch.cuda.is_available():
        for dtype, share in gpu_bandwidths().items():
            found.append((f"sinusoidal {dtype} / copy on the GPU", share, GPU_BAR, False))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-of", metavar="SCHEME")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory_of:
        print_memory(options.memory_of)
        return 0
    console, good = Console(), True
    if not torch.cuda.is_available():
        console.print("no GPU: its bandwidth is not measured")
    for what, value, bar, less in checks(options.repeats, options.threads):
        met = value <= bar if less else value >= bar
        good &= met
        word = "at most" if less else "at least"
        console.print(f"{'ok  ' if met else 'MISS'} {what}: {value:.3g} ({word} {bar:g})")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
