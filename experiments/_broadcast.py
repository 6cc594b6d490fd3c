"""What a rank does to time broadcasts: run by experiments/scale.py."""

import json
import statistics
import time
from pathlib import Path

import torch
import torch.distributed as dist

REPEATS = 9


def body(rank: int, world: int, folder: Path, *sizes: str) -> None:
    """Broadcast tensors of several sizes in bytes from rank 0; it writes the times."""
    found = []
    for size in map(int, sizes):
        tensor, seconds = torch.zeros(size // 4), []
        for _ in range(REPEATS + 1):
            dist.barrier()
            begin = time.perf_counter()
            dist.broadcast(tensor, 0)
            dist.barrier()
            seconds.append(time.perf_counter() - begin)
        found.append({"ranks": world, "bytes": size, "seconds": statistics.median(seconds[1:])})
    if rank == 0:
        (folder / "broadcast.json").write_text(json.dumps(found))
