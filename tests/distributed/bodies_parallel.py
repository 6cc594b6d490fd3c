"""Starts of a Llama, and of smaller models, however they are spread over the ranks."""

import copy
from unittest import mock

import torch
from parallel import PLAIN_PLAN, emptied, on_meta, shard, spread, stage
from sent import Sent, nothing_sent
from sharded import check_whole, copies, named, whole
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import (
    CPUOffloadPolicy,
    FSDPModule,
    MixedPrecisionPolicy,
    fully_shard,
)
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

import firstlight
from firstlight.model.sharding import placed_draws
from firstlight.model.undo import Saved

SCHEMES = ["harmonic", "he_normal", "auto"]
OWN = {"exclude": ["angles"]}


def alone(scheme):
    """Return what a single process makes of the scheme."""
    return dict(named(firstlight.initialize(emptied(on_meta()), scheme, empty=True, **OWN)))


def meshes(rank, world, folder):
    """Every mesh of the world: a plan of the whole model, and one of the sharded model."""
    shapes = {4: [(2, 2), (4, 1), (1, 4)]}.get(world, [(world, 1)])
    for scheme in SCHEMES:
        expected = alone(scheme)
        plan = firstlight.plan(on_meta(), scheme, **OWN)
        for shape in shapes:
            mesh = init_device_mesh("cpu", shape, mesh_dim_names=("dp", "tp"))
            for way in (lambda m, p=plan: p.apply(m), lambda m, s=scheme: start(m, s)):
                model = emptied(spread(on_meta(), mesh))
                with nothing_sent((scheme, shape)):
                    way(model)
                check_whole(model, expected, (scheme, shape))


def start(model, scheme):
    with nothing_sent(scheme):
        firstlight.initialize(model, scheme, empty=True, **OWN)


def other_ways(rank, world, folder):
    """Hybrid sharding, offload, mixed precision, DDP."""
    expected = alone("he_normal")
    hybrid = init_device_mesh("cpu", (2, world // 2), mesh_dim_names=("replicas", "shards"))
    flat = init_device_mesh("cpu", (world,))
    precision = MixedPrecisionPolicy(param_dtype=torch.bfloat16)
    for model in (
        shard(on_meta(), hybrid),
        shard(on_meta(), flat, offload_policy=CPUOffloadPolicy(pin_memory=False)),
        shard(on_meta(), flat, mp_policy=precision),
        DistributedDataParallel(emptied(on_meta())),
    ):
        module = getattr(model, "module", model)
        start(module if module is not model else emptied(model), "he_normal")
        check_whole(module, expected, type(model).__name__)


def uneven(rank, world, folder):
    """Sizes that the world does not divide, and ranks that hold nothing."""
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(7, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2))
    one = copy.deepcopy(model).to_empty(device="cpu")
    expected = dict(named(firstlight.initialize(one, "he_uniform", empty=True)))
    for layer in model:
        fully_shard(layer, mesh=init_device_mesh("cpu", (world,)))
    fully_shard(model)
    model.to_empty(device="cpu")
    model[1].running_var.fill_(float("nan"))
    with nothing_sent("uneven"):
        firstlight.initialize(model, "he_uniform", empty=True)
    check_whole(model, expected, "uneven")
    assert world < 3 or rank < 2 or not model[3].weight.to_local().numel()


def padded(rank, world, folder):
    """An embedding whose padding row is zero, on whichever rank it lies, and no table gathered."""
    with torch.device("meta"):
        model = nn.Sequential(nn.Embedding(9, 6, padding_idx=4), nn.Linear(6, 3))
    one = copy.deepcopy(model).to_empty(device="cpu")
    expected = dict(named(firstlight.initialize(one, "he_normal", empty=True)))
    assert not expected["0.weight"][4].any()
    fully_shard(model, mesh=init_device_mesh("cpu", (world,)))
    model.to_empty(device="cpu")
    with nothing_sent("padded"):
        firstlight.initialize(model, "he_normal", empty=True)
    check_whole(model, expected, "padded")


def stages(rank, world, folder):
    """Pipeline: every rank starts its layers of the model that was planned as a whole."""
    for scheme in ("harmonic", "auto", "siren"):
        sizes = {"layers": 4}
        plan = firstlight.plan(on_meta(**sizes), scheme, **OWN)
        expected = dict(named(plan.apply(emptied(on_meta(**sizes)))))
        mine = emptied(stage(rank, world, **sizes))
        with nothing_sent((scheme, rank)):
            plan.apply(mine)
        check_whole(mine, expected, (scheme, rank))


def own_starts(rank, world, folder):
    """The torchtitan flow with the model's own ``init_weights``."""
    expected = dict(named(own_start(emptied(on_meta()))))
    for shape in ((2, 2), (4, 1), (1, 4)):
        mesh = init_device_mesh("cpu", shape, mesh_dim_names=("dp", "tp"))
        model = emptied(spread(on_meta(), mesh))
        with nothing_sent(shape):
            own_start(model)
        check_whole(model, expected, shape)


def trained(rank, world, folder):
    """A step of training under FSDP2, alone and with tensor parallelism, as in one process."""
    tokens = torch.arange(32).view(2, 16) % 100
    expected = step(emptied(on_meta()), tokens)
    for shape in ((world, 1), (world // 2, 2)):
        mesh = init_device_mesh("cpu", shape, mesh_dim_names=("dp", "tp"))
        model = emptied(spread(on_meta(), mesh, PLAIN_PLAN))
        for a, b in zip(step(model, tokens), expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def step(model, tokens):
    """Return the losses before and after."""
    start(model, "he_normal")
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.1), []
    for _ in range(2):
        logits = model(tokens)
        loss = nn.functional.cross_entropy(whole(logits).flatten(0, 1), tokens.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(whole(loss.detach()))
    return losses


def direct(rank, world, folder):
    """Fills that are given DTensors."""
    from firstlight.init import Stream, harmonic_, orthogonal_, variance_scaling_

    mesh, stream = init_device_mesh("cpu", (world,)), Stream.named(0, "w")
    for fill, options in (
        (harmonic_, {"layer": 3}),
        (variance_scaling_, {"generator": stream}),
        (orthogonal_, {"generator": stream}),
    ):
        expected = fill(torch.empty(10, 30), **options)
        for dim in (0, 1):
            sharded = distribute_tensor(
                torch.zeros(10, 30), mesh, [torch.distributed.tensor.Shard(dim)]
            )
            with nothing_sent(fill.__name__):
                assert fill(sharded, **options, block=None) is sharded
            assert torch.equal(whole(sharded), expected)
    assert isinstance(sharded, DTensor)
    for sending in (whole, lambda tensor: tensor.T @ tensor):
        with Sent() as sent:  # the hook sees what DTensors send, or its silence would mean nothing
            sending(sharded)
        assert sent.calls
        assert sent.bytes


def undone(rank, world, folder):
    model = shard(on_meta(), init_device_mesh("cpu", (world,)))
    start(emptied(model), "he_normal")
    before = copies(model)
    plan = firstlight.plan(model, "harmonic", **OWN)
    with nothing_sent("again"):
        plan.apply()
    assert not all(torch.equal(before[name], part) for name, part in copies(model).items())
    plan.undo()
    assert all(torch.equal(before[name], part) for name, part in copies(model).items())


def uncopied(rank, world, folder):
    """Without undo no shard is copied: there may be no room for a second one."""
    model = emptied(shard(on_meta(), init_device_mesh("cpu", (world,))))
    with mock.patch.object(Saved, "add_tensor") as copied:
        firstlight.plan(model, "he_normal", empty=True, **OWN).apply(undo=False)
        assert not copied.called
        firstlight.plan(model, "he_normal", **OWN).apply()
        assert copied.called


def gathered(rank, world, folder):
    """Parameters that a forward has left whole: a start must outlive FSDP's gathered copies."""
    options = {"scheme": "he_normal", "seed": 3}
    # of a model that holds values the embedding stays, so the plan that takes it for empty skips it
    whole_plan = firstlight.plan(on_meta(), **options, exclude=["angles", "tok_embeddings.weight"])
    one = emptied(on_meta())
    start(one, "he_normal")
    first = {name: tensor.clone() for name, tensor in named(one)}
    expected = dict(named(firstlight.initialize(one, **options, **OWN)))
    mesh = init_device_mesh("cpu", (world,))
    model = emptied(shard(on_meta(), mesh, reshard_after_forward=False))
    early = firstlight.plan(model, **options, **OWN)
    for way in (
        lambda: firstlight.initialize(model, **options, **OWN),
        lambda: firstlight.plan(model, **options, **OWN).apply(),
        lambda: whole_plan.apply(model),
        early.apply,
    ):
        start(model, "he_normal")
        in_gathered(model, way)
        check_whole(model, expected, "gathered")
    in_gathered(model, early.undo)
    check_whole(model, first, "undone")
    in_gathered(model, lambda: own_start(model))
    check_whole(model, dict(named(own_start(one))), "its own start")


def in_gathered(model, action):
    """Run ``action`` after a forward without a backward, then free what the forward gathered."""
    with torch.no_grad():
        model(torch.arange(32).view(2, 16))
    assert not any(isinstance(parameter, DTensor) for parameter in model.parameters())
    with nothing_sent("gathered"):
        action()
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()
    assert all(isinstance(parameter, DTensor) for parameter in model.parameters())


def own_start(model):
    with placed_draws(model, seed=5):
        model.init_weights()
    return model


def everything(rank, world, folder):
    for body in (other_ways, uneven, padded, stages, own_starts, trained, direct, undone, uncopied):
        body(rank, world, folder)
