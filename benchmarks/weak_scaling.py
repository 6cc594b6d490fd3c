"""What a rank of weak scaling does: as much to fill, however many ranks there are."""

import json
import statistics
import time

import torch
import torch.distributed as dist
from sent import Sent
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import firstlight

SCHEMES = ("he_normal", "sinusoidal", "harmonic")
#: Each rank holds this many rows of each of two layers: 128 MiB in all.
ROWS, COLUMNS, REPEATS, PLAIN = 2048, 8192, 5, 16


def body(rank, world, folder):
    mesh = init_device_mesh("cpu", (world,))
    with torch.device("meta"):
        model = nn.Sequential(*(nn.Linear(COLUMNS, ROWS * world, bias=False) for _ in range(2)))
    for layer in model:
        fully_shard(layer, mesh=mesh)
    model.to_empty(device="cpu")
    plans = {name: firstlight.plan(model, name, empty=True) for name in SCHEMES}

    def plain():  # as often as it takes to last as long as a start, or nearly
        for parameter in PLAIN * list(model.parameters()):
            parameter.detach().to_local().fill_(1.0)

    ways = {"fill_": plain}
    ways |= {name: lambda plan=plan: plan.apply(undo=False) for name, plan in plans.items()}
    found = {name: _seconds(way) for name, way in ways.items()}
    with Sent() as sent:
        for plan in plans.values():
            plan.apply(undo=False)
    found["bytes"] = sent.bytes
    (folder / f"rank{rank}.json").write_text(json.dumps(found))


def _seconds(way):
    times = []
    for _ in range(REPEATS + 1):
        dist.barrier()
        begin = time.perf_counter()
        way()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])  # the first one touches the pages
