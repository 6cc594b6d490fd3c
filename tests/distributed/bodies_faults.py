"""What goes wrong on ranks: each time a clear error, and no weight that is half a start."""

import os
import re
from functools import partial

import pytest
import torch
import torch.distributed as dist
from parallel import emptied, on_meta, shard, spread
from sharded import check_untouched, copies, garbage, named, own
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.tensor import DTensor, Partial, Shard, distribute_tensor
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

import firstlight
from firstlight.errors import FirstlightError, OptionError
from firstlight.init import (
    Block,
    Scheme,
    Stream,
    diagonal_plus_noise_,
    edge_of_chaos_,
    harmonic_,
    isometric_diagonal_,
    looks_linear_,
    orthogonal_,
    siren_,
    variance_scaling_,
)
from firstlight.model.sharding import check_agreement, placed_draws

OWN = {"exclude": ["angles"]}
#: Every fill that draws, with the options that it takes to call it.
RANDOM_FILLS = {
    diagonal_plus_noise_: {"activation": "tanh", "depth": 4},
    edge_of_chaos_: {"activation": "tanh"},
    isometric_diagonal_: {"activation": "tanh", "depth": 4},
    looks_linear_: {},
    orthogonal_: {},
    siren_: {},
    variance_scaling_: {},
}


def refused(model, action, *words):
    """Fail unless ``action`` raises one line with these words and writes nothing."""
    before = copies(model)
    with pytest.raises(FirstlightError) as error:
        action()
    assert "\n" not in str(error.value)
    for word in words:
        assert re.search(word, str(error.value)), error.value
    check_untouched(model, before)


def renamed(rank, world, folder):
    model = emptied(shard(on_meta(), init_device_mesh("cpu", (world,))))
    plan = firstlight.plan(on_meta(), "harmonic", **OWN)
    model.layers["0"].feed_forward.w9 = model.layers["0"].feed_forward.w1
    del model.layers["0"].feed_forward.w1
    name = r"layers\.0\.feed_forward\.w"
    refused(model, lambda: plan.apply(model), f"no '{name}9.weight'", f"it has '{name}..weight'")


def another_mesh(rank, world, folder):
    flat = init_device_mesh("cpu", (world,))
    square = init_device_mesh("cpu", (2, world // 2), mesh_dim_names=("dp", "tp"))
    plan = firstlight.plan(emptied(shard(on_meta(), flat)), "harmonic", empty=True, **OWN)
    model = emptied(spread(on_meta(), square))
    refused(model, lambda: plan.apply(model), "mesh of 4 ranks", "mesh of 2 ranks", "new plan")


def failing_write(rank, world, folder):
    """One rank fails in the middle: it is as it was, and the others are whole."""
    model = emptied(shard(on_meta(), init_device_mesh("cpu", (world,))))
    firstlight.initialize(model, "he_normal", empty=True, **OWN)
    plan, fill, calls = firstlight.plan(on_meta(), "harmonic", **OWN), Scheme.__call__, []

    def failing(self, *args, **kwargs):
        calls.append(self)
        if rank == 1 and len(calls) == 5:
            raise MemoryError("no memory left")
        return fill(self, *args, **kwargs)

    before = copies(model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scheme, "__call__", failing)
        if rank == 1:
            with pytest.raises(MemoryError):
                plan.apply(model)
            check_untouched(model, before)
        else:
            plan.apply(model)
            assert len(calls) > 5


def refusals(rank, world, folder):
    mesh = init_device_mesh("cpu", (world,))
    model = emptied(shard(on_meta(), mesh))
    refused(model, lambda: firstlight.plan(on_meta(), "harmonic").apply(model), "fills angles")
    data = {"example": torch.zeros(2, 16, dtype=torch.int64), "empty": True}
    refused(model, lambda: firstlight.plan(model, "lsuv", **data), "orthogonal", "harmonic")
    old = FullyShardedDataParallel(nn.Linear(8, 8), device_id=torch.device("cpu"))
    with pytest.raises(OptionError, match=r"FullyShardedDataParallel .*fully_shard"):
        firstlight.plan(old, "harmonic")
    weight = model.layers["0"].attention.wq.weight
    with placed_draws(model), torch.no_grad():
        refused(model, lambda: weight[:, :4].normal_(), "the whole parameter")
    refused_fills(DTensor.from_local(torch.full((4, 4), 7.0), mesh, [Shard(0)]))
    summed = DTensor.from_local(torch.ones(4, 4), mesh, [Partial()])
    with pytest.raises(OptionError, match="partial sums"):
        harmonic_(summed)


def refused_fills(weight):
    """Draws that would depend on each rank's own seed, and a block where the mesh says which."""
    stream, mine = Stream.named(0, "w"), Block(tuple(weight.shape), (range(2), range(4)))
    for fill, options in RANDOM_FILLS.items():
        for generator in (None, torch.Generator()):
            with pytest.raises(OptionError, match=rf"{fill.__name__}.*Stream"):
                fill(weight, generator=generator, **options)
        with pytest.raises(OptionError, match=rf"{fill.__name__}.*block"):
            fill(weight, generator=stream, block=mine, **options)
    with pytest.raises(OptionError, match=r"harmonic_.*block"):
        harmonic_(weight, block=mine)
    assert (own(weight) == 7).all()
    # most ranks hold nothing of it, and must not go on without the others
    thin = distribute_tensor(torch.ones(1, 8), weight.device_mesh, [Shard(0)], src_data_rank=None)
    with pytest.raises(OptionError, match="bogus"):
        harmonic_(thin, gain="bogus")


def parametrized(rank, world, folder):
    """What stands behind a parametrization can't be written shard by shard."""
    mesh = init_device_mesh("cpu", (world,))
    for norm in (weight_norm, spectral_norm):
        plain = nn.Sequential(nn.Linear(8, 8), norm(nn.Linear(8, 8)))
        with torch.device("meta"):
            planned = firstlight.plan(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)), "he_normal")
        model = fully_shard(plain, mesh=mesh)
        for start in (partial(firstlight.plan, model, "harmonic"), partial(planned.apply, model)):
            refused(model, start, "1.weight", "before it is sharded")


def agreement(rank, world, folder):
    check_agreement(firstlight.plan(on_meta(), "he_normal"))
    with pytest.raises(FirstlightError, match="differs from that of ranks"):
        check_agreement(firstlight.plan(on_meta(), "he_normal", seed=int(rank == 2)))


def everything(rank, world, folder):
    for body in (renamed, another_mesh, failing_write, refusals, parametrized, agreement):
        body(rank, world, folder)
        dist.barrier()


def dying(rank, world, folder):
    """Rank 1 dies before it has filled anything; the others need nothing from it."""
    model = emptied(shard(on_meta(), init_device_mesh("cpu", (world,))))
    dist.barrier()
    if rank == 1:
        os._exit(9)
    firstlight.initialize(model, "he_normal", empty=True, **OWN)
    torch.save(copies(model), folder / f"held-{rank}.pt")
    os._exit(0)  # what follows is torch's affair: there is no barrier without rank 1


def saved(rank, world, folder):
    import torch.distributed.checkpoint as checkpoint

    mesh = init_device_mesh("cpu", (2, world // 2), mesh_dim_names=("dp", "tp"))
    model = emptied(spread(on_meta(), mesh))
    firstlight.initialize(model, "he_normal", empty=True, **OWN)
    checkpoint.save(dict(model.state_dict()), checkpoint_id=folder / "checkpoint")


def loaded(rank, world, folder):
    """Another number of ranks, another mesh: what was saved is what a start gives there."""
    import torch.distributed.checkpoint as checkpoint

    model = garbage(emptied(shard(on_meta(), init_device_mesh("cpu", (world,)))))
    state = dict(model.state_dict())
    checkpoint.load(state, checkpoint_id=folder / "checkpoint")
    model.load_state_dict(state)
    found = copies(model)
    garbage(model)
    firstlight.initialize(model, "he_normal", empty=True, **OWN)
    for name, _ in named(model):
        assert name == "angles" or torch.equal(found[name], copies(model)[name]), name
