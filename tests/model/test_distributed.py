"""DTensors in real processes: each rank writes its own part, and together they are the whole."""

import subprocess
import sys
import textwrap

import pytest
import torch
from torch import nn

import firstlight

RANK = textwrap.dedent(
    """
    import os
    import sys
    import torch
    import torch.distributed as dist
    from torch import nn
    from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor
    from torch.distributed.device_mesh import init_device_mesh

    import firstlight

    rank, world, store, axis = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    torch.set_num_threads(1)
    file = dist.FileStore(store, world)
    dist.init_process_group("gloo", store=file, rank=rank, world_size=world)
    mesh = init_device_mesh("cpu", (world,))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.LayerNorm(12), nn.Linear(12, 6))
    for module in model:
        for name, parameter in list(module.named_parameters()):
            if axis == "rows":
                placement = Shard(0)
            elif axis == "columns":
                placement = Shard(parameter.ndim - 1)
            else:
                placement = Replicate()
            part = distribute_tensor(parameter.detach(), mesh, [placement])
            setattr(module, name, nn.Parameter(part))
    before = [p.full_tensor().clone() for p in model.parameters()]
    plan = firstlight.plan(model, sys.argv[5])
    plan.apply()
    assert all(isinstance(p, DTensor) for p in model.parameters())
    after = [p.full_tensor().clone() for p in model.parameters()]
    plan.undo()
    assert all(torch.equal(a, p.full_tensor()) for a, p in zip(before, model.parameters()))
    if rank == 0:
        torch.save(after, sys.argv[6])
    dist.barrier()
    dist.destroy_process_group()
    os._exit(0)  # what gloo's own threads do at the end is none of this test's business
    """
)


@pytest.mark.parametrize(
    ("world", "axis", "scheme"),
    [(1, "rows", "harmonic"), (2, "rows", "he_normal"), (2, "columns", "harmonic")],
)
def test_shards_are_parts_of_what_one_process_writes(tmp_path, world, axis, scheme):
    script, out = tmp_path / "rank.py", tmp_path / "out.pt"
    script.write_text(RANK)
    ranks = [
        subprocess.Popen(
            [sys.executable, script, str(r), str(world), tmp_path / "store", axis, scheme, out],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for r in range(world)
    ]
    try:
        outputs = [rank.communicate(timeout=120)[0] for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert all(rank.returncode == 0 for rank in ranks), "\n".join(outputs)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.LayerNorm(12), nn.Linear(12, 6))
    expected = list(firstlight.initialize(model, scheme).parameters())
    assert all(torch.equal(a, b) for a, b in zip(torch.load(out), expected, strict=True))
