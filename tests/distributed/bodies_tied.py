"""An embedding and a head of one weight, which ``to_empty`` unties: both start as that weight."""

from parallel import ENDS, emptied, on_meta, spread, stage
from sent import nothing_sent
from sharded import check_whole, named
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor.parallel import parallelize_module

import firstlight

SIZES = {"layers": 4}
OWN = {"exclude": ["angles"]}


def tie(model):
    model.output.weight = model.tok_embeddings.weight
    return model


def tied():
    """Return a Llama of one table on the meta device; a row of it is padding and starts at zero."""
    model = tie(on_meta(**SIZES))
    model.tok_embeddings.padding_idx = 3
    return model


def alone(plan):
    """Return what the plan makes of the whole model in one process, in which each name counts."""
    whole = dict(named(plan.apply(emptied(tied()))))
    lone = nn.ModuleDict({"tok_embeddings": nn.Embedding(100, 32, padding_idx=3)})
    table = firstlight.initialize(lone, empty=True, seed=3).tok_embeddings.weight.detach()
    assert not table[3].any()
    return whole | {"tok_embeddings.weight": table, "output.weight": table}


def sharded(plan, expected):
    """Tensor parallelism unties, too; a model may be tied again before FSDP sees it."""
    for shape in ((2, 2), (4, 1), (1, 4)):
        mesh = init_device_mesh("cpu", shape, mesh_dim_names=("dp", "tp"))
        for again in (False, True):
            model = parallelize_module(tied(), mesh["tp"], ENDS)
            model = emptied(spread(tie(model) if again else model, mesh))
            with nothing_sent((shape, again)):
                plan.apply(model)
            check_whole(model, expected, (shape, again))


def staged(plan, expected, rank, world):
    """The embedding stands in the first stage, the head in the last one."""
    mine = emptied(stage(rank, world, **SIZES))
    with nothing_sent(rank):
        plan.apply(mine)
    check_whole(mine, expected, rank)
    ends = {name for name, _ in named(mine)} & {"tok_embeddings.weight", "output.weight"}
    assert len(ends) == (rank in (0, world - 1))


def everything(rank, world, folder):
    plan = firstlight.plan(tied(), seed=3, **OWN)
    expected = alone(plan)
    sharded(plan, expected)
    staged(plan, expected, rank, world)
