"""One rank's start of a whole model, run for real: by experiments/scale.py, one process each.

torch's "fake" process group lets one process be rank 0 of any number; a start sends nothing, so
that it does here what it would do among the others.
"""

import ctypes
import json
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor.parallel import parallelize_module
from torch.testing._internal.distributed.fake_pg import FakeStore

import firstlight

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "distributed"), str(ROOT / "benchmarks")]

from _scale_model import Llama  # noqa: E402
from memory import peak_mebibytes  # noqa: E402
from parallel import ENDS, PLAIN_PLAN, on_meta, shard, share  # noqa: E402


def start(sizes: Llama, ranks: int, tensor: int, scheme: str) -> dict[str, float]:
    """Plan on the meta device, shard, and start what rank 0 holds; return the seconds of each."""
    torch.set_num_threads(1)
    dist.init_process_group("fake", rank=0, world_size=ranks, store=FakeStore())
    heads = sizes.width // 128 or 1
    model = on_meta(
        vocabulary=sizes.vocabulary,
        width=sizes.width,
        layers=sizes.layers,
        heads=heads,
        key_heads=max(1, heads * sizes.keys // sizes.width),
        inner=sizes.inner,
    )
    begin = time.perf_counter()
    plan = firstlight.plan(model, scheme, exclude=["angles"])
    planning = time.perf_counter() - begin
    mesh = init_device_mesh("cpu", (ranks // tensor, tensor), mesh_dim_names=("dp", "tp"))
    if tensor > 1:
        share(model, mesh["tp"], PLAIN_PLAN)
        parallelize_module(model, mesh["tp"], ENDS)
    shard(model, mesh["dp"])
    model.to_empty(device="cpu")
    begin = time.perf_counter()
    plan.apply(model, undo=False)  # into fresh memory, as users do
    seconds = time.perf_counter() - begin
    # or a system that takes idle memory back would give it again on top
    assert ctypes.CDLL(None).mlockall(1) == 0, "memory cannot be locked; run as root"
    beyond = peak_mebibytes(lambda: plan.apply(model, undo=False))
    held = sum(p.to_local().numel() for p in model.parameters())
    tensors = sum(1 for _ in model.parameters())
    return {
        "planning": planning,
        "seconds": seconds,
        "beyond_mebibytes": beyond,
        "entries": held,
        "tensors": tensors,
    }


if __name__ == "__main__":
    *sizes, ranks, tensor, scheme = sys.argv[1:]
    print(json.dumps(start(Llama(*map(int, sizes)), int(ranks), int(tensor), scheme)))
