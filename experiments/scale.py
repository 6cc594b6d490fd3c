"""How long does a start take on many ranks, and what does it send? Measure, fit, write the page.

Blocks of many shapes are filled in one thread and timed; gloo broadcasts between processes of this
machine as well. `python experiments/scale.py measure` writes results/scale/measured.json, and
`python experiments/scale.py page` makes docs/scale.md of it.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _scale_model import MODELS, TINY
from torch import Tensor, nn

import firstlight
from firstlight.init import Block, Stream, harmonic_, sinusoidal_, variance_scaling_

HERE = Path(__file__).parent
OUT = HERE.parent / "results" / "scale" / "measured.json"
PAGE = HERE.parent / "docs" / "scale.md"
REPEATS = 5
FILLS: dict[str, Callable[..., Tensor]] = {
    "he_normal": partial(variance_scaling_, generator=Stream(1)),
    "uniform": partial(variance_scaling_, generator=Stream(1), distribution="uniform"),
    "sinusoidal": sinusoidal_,
    "harmonic": harmonic_,
}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
#: Rows held and inputs of the whole: shards of FSDP, from two rows of a weight to all of it.
ROWS, INPUTS = (2, 16, 128, 1024, 4096), (4096, 8192, 28672)
#: Columns held, as a share: what row-wise tensor parallelism leaves.
SHARES = (1, 8)
#: Rows of the page that are run as well: what a rank holds fits here.
RUN = {"7B": (8, 64, 512, 4096), "70B": (64, 512, 4096), "1T": (512, 4096)}
BROADCAST = tuple(2**power for power in range(20, 29, 2))  # bytes


def blocks() -> Iterator[tuple[int, int, int]]:
    """Yield (rows, columns, inputs of the whole) of the blocks that are timed."""
    for n in INPUTS:
        for rows in ROWS:
            for share in SHARES:
                if rows * n // share <= 2**25:
                    yield rows, n // share, n


def timed(fill: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the median time of some calls, after one that warms up."""
    seconds = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        fill()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:])


def measure_fills() -> list[dict[str, Any]]:
    """Time every fill of every block in one thread; rivals take turns."""
    found = []
    for rows, columns, n in blocks():
        index = (range(rows, 2 * rows), range(n - columns, n))
        block = Block((4 * max(ROWS), n), index)
        for dtype, kind in DTYPES.items():
            tensor = torch.empty(rows, columns, dtype=kind)
            for name, fill in FILLS.items():
                seconds = timed(partial(fill, tensor, block=block))
                row = {"scheme": name, "dtype": dtype, "rows": rows, "columns": columns, "n": n}
                found.append({**row, "seconds": seconds})
        print(f"{rows} x {columns} of {n}", file=sys.stderr)
    return found


def measure_rivals() -> dict[str, float]:
    """Return seconds per entry of torch's own draws, of writing memory and of reading it."""
    tensor = torch.empty(4096, 8192)
    return {
        "normal_": timed(partial(nn.init.normal_, tensor)) / tensor.numel(),
        "fill_": timed(partial(tensor.fill_, 1.0)) / tensor.numel(),
        "norm": timed(partial(torch.linalg.vector_norm, tensor)) / tensor.numel(),
        "fresh fill_": statistics.median(fresh_fill(2**27)[0] for _ in range(REPEATS)),
        "fresh fill_ beyond 5 GB": fresh_fill(9 * 2**28)[-1],
    }


def fresh_fill(entries: int) -> list[float]:
    """Return seconds per entry of writing memory that the system has yet to give, by the GB."""
    seconds = []
    for part in torch.empty(entries).split(2**28):
        begin = time.perf_counter()
        part.fill_(1.0)
        seconds.append((time.perf_counter() - begin) / part.numel())
    return seconds


def measure_broadcasts() -> list[dict[str, float]]:
    """Time gloo's broadcast of several sizes between 2 and 4 processes."""
    sys.path.insert(0, str(HERE.parent / "tests" / "distributed"))
    import ranks

    os.environ["PYTHONPATH"] = str(HERE)  # where the ranks find what they run
    found = []
    for world in (2, 4):
        with tempfile.TemporaryDirectory() as folder:
            ranks.run("_broadcast:body", world, Path(folder), *BROADCAST, timeout=300)
            found += json.loads((Path(folder) / "broadcast.json").read_text())
    return found


def measure_ranks() -> list[dict[str, Any]]:
    """Start what one rank of many holds: of the page's models, and of a tiny one."""
    found = []
    tiny = ("tiny", TINY, 8, 1)
    whole = [(name, MODELS[name], n, t) for name, each in RUN.items() for n in each for t in (1, 8)]
    for (name, sizes, ranks, tensor), scheme in product([tiny, *whole], ("he_normal", "harmonic")):
        asked = [*astuple(sizes), ranks, tensor, scheme]
        run = subprocess.run(
            [sys.executable, str(HERE / "_scale_ranks.py"), *map(str, asked)],
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        )
        row = {"model": name, "ranks": ranks, "tensor": tensor, "scheme": scheme}
        found.append({**row, **json.loads(run.stdout)})
        print(found[-1], file=sys.stderr)
    return found


def measure() -> None:
    """Write everything that was measured, and with what."""
    torch.set_num_threads(1)
    fills, rivals = measure_fills(), measure_rivals()
    processor = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    model = [line.split(":")[1].strip() for line in processor.splitlines() if "Model name" in line]
    made = {
        "command": "python experiments/scale.py measure",
        "machine": f"{(model or ['unknown'])[0]}, one thread",
        "versions": {
            "firstlight": firstlight.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "repeats": REPEATS,
        "rivals": rivals,
        "fills": fills,
        "broadcasts": measure_broadcasts(),
        "starts": measure_ranks(),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(made, indent=1) + "\n")


def main() -> None:
    """Run one of the two steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=["measure", "page"])
    if parser.parse_args().step == "measure":
        measure()
        return
    from _scale_page import page
    from _scale_picture import draw

    measured = json.loads(OUT.read_text())
    PAGE.write_text(page(measured))
    draw(measured, PAGE.parent / "images" / "scale.png")


if __name__ == "__main__":
    main()
