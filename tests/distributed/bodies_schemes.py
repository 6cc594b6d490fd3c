"""Every scheme on every layout of a weight, sharded in every way."""

from contextlib import nullcontext

import torch
from layouts import EveryLayout
from sent import nothing_sent
from sharded import check_parts, distribute, entries, garbage, named, own
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard
from torch.distributed.tensor.placement_types import _StridedShard

import firstlight
from firstlight.init import SCHEMES

#: What mirrors inputs takes an even number of them alone.
ODD = {"looks_linear": ["depthwise.weight", "up_depthwise.weight", "odd.weight"]}
#: He's draws with another scale, by the same code: tried once in a world.
SAME = {"he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal"}
DTYPES = ["float32", "bfloat16", "float16", "float64"]
#: Which of them a world of so many ranks tries besides the first.
OTHER = {1: ["bfloat16"], 2: ["float16"], 3: ["float64"], 4: []}
LAST = Shard(9)  # whichever is the last
MESHES = {
    1: {(1,): [[Shard(0)], [Replicate()]]},
    2: {(2,): [[Shard(0)], [Shard(1)], [LAST], [Replicate()]]},
    3: {(3,): [[Shard(0)], [Shard(1)], [LAST], [Replicate()]]},
    4: {
        (2, 2): [
            [Shard(0), Shard(1)],
            [_StridedShard(0, split_factor=2), Shard(0)],
            [Shard(0), Shard(0)],
            [Replicate(), LAST],
            [_StridedShard(1, split_factor=2), Shard(1)],
        ],
        (4, 1): [[Shard(0), Shard(1)]],
        (1, 4): [[Shard(1), Shard(0)]],
        (4,): [[Shard(1)]],
    },
}


def schemes():
    """Return the options of every scheme that looks at no data."""
    return {
        name: dict.fromkeys(scheme.required | scheme.traced, "tanh")
        for name, scheme in SCHEMES.items()
        if not scheme.data_driven
    }


def planned(name, options):
    """Return a plan of the whole model, which is on the meta device, embeddings included."""
    with torch.device("meta"):
        model = EveryLayout()
    text = ":".join([name, *(f"{key}={value}" for key, value in options.items())])
    overrides = {"table.weight": text} | dict.fromkeys(ODD.get(name, ()), "zero")
    if SCHEMES[name].feedforward:  # no start for a recurrent layer, unless it is asked for by name
        overrides |= {"lstm.weight_ih*": text, "gru.weight_ih*": text}
    return firstlight.plan(model, name, overrides=overrides, seed=3, **options)


def empty(dtype):
    return EveryLayout().to(getattr(torch, dtype))


def spoiled(model):
    """Fill everything with garbage but the padding row, which stays what it is."""
    garbage(model)
    own(model.table.weight.detach())[...] = 7
    return model


def alone(folder):
    """Save what a single process makes of each scheme and dtype."""
    made = {}
    for name, options in schemes().items():
        plan = planned(name, options)
        for dtype in DTYPES:
            model = spoiled(empty(dtype))
            made[name, dtype] = dict(named(plan.apply(model, undo=False)))
    torch.save(made, folder / "alone.pt")


def every_scheme(rank, world, folder):
    expected = torch.load(folder / "alone.pt")
    plans = {name: planned(name, options) for name, options in schemes().items()}
    distinct = {name: plan for name, plan in plans.items() if name not in SAME}
    for shape, ways in MESHES[world].items():
        mesh = init_device_mesh("cpu", shape)
        for turn, placements in enumerate(ways):
            # another precision only once in a world, and the hook with one: they take time
            first = turn == 0 and shape == next(iter(MESHES[world]))
            for dtype in [DTYPES[0], *OTHER[world]] if first else DTYPES[:1]:
                model = distribute(empty(dtype), mesh, placements)
                all_of_them = first and dtype == DTYPES[0]
                chosen = plans if all_of_them else distinct
                check_schemes(chosen, model, expected, (dtype, shape, placements), all_of_them)


def check_schemes(plans, model, expected, note, hooked):
    where = entries(model)
    for name, plan in plans.items():
        spoiled(model)
        with nothing_sent((name, note)) if hooked else nullcontext():
            plan.apply(model, undo=False)
        check_parts(model, expected[name, note[0]], where, (name, *note))
