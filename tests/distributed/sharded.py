"""Making DTensors of a model's tensors by hand, and telling which entries a rank holds."""

from itertools import chain

import torch
from torch import nn
from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor


def named(model):
    """Yield (name, tensor) of every parameter and buffer, detached."""
    for name, tensor in chain(model.named_parameters(), model.named_buffers()):
        yield name, tensor.detach()


def distribute(model, mesh, placements):
    """Make DTensors of all tensors; a placement of a dimension that one lacks takes its last."""
    for module in model.modules():
        for local, tensor in list(module._parameters.items()):
            if tensor is not None:
                own = _part(tensor.detach(), mesh, placements)
                module._parameters[local] = nn.Parameter(own)
        for local, tensor in list(module._buffers.items()):
            if tensor is not None:
                module._buffers[local] = _part(tensor, mesh, placements)
    return model


def _part(tensor, mesh, placements):
    own = [_clipped(placement, tensor.ndim) for placement in placements]
    return distribute_tensor(tensor, mesh, own, src_data_rank=None)


def _clipped(placement, dims):
    if isinstance(placement, Replicate) or not dims:
        return Replicate()
    dim = placement.dim if placement.dim < dims else dims - 1
    if type(placement) is Shard:
        return Shard(dim)
    return type(placement)(dim, split_factor=placement.split_factor)


def entries(model):
    """Return, by name, the numbers of the entries that this rank holds of each flattened whole.

    They are what a rank would get of a whole that holds 0, 1, 2 ...
    """
    found = {}
    for name, tensor in named(model):
        every = torch.arange(tensor.numel()).view(tensor.shape)
        if isinstance(tensor, DTensor):
            part = distribute_tensor(
                every, tensor.device_mesh, tensor.placements, src_data_rank=None
            )
            assert torch.equal(part.full_tensor(), every), name
            every = part.to_local()
        found[name] = every
    return found


def own(tensor):
    """Return what this rank holds."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def same(a, b):
    """Return whether two tensors are bit for bit the same, the sign of zero included."""
    if a.dtype != b.dtype or not torch.equal(a, b):
        return False
    return not a.is_floating_point() or torch.equal(a.signbit(), b.signbit())


def check_parts(model, expected, where, note):
    """Fail unless this rank holds its entries of ``expected``."""
    assert [name for name, _ in named(model)] == list(expected)
    for name, tensor in named(model):
        part = expected[name].flatten()[where[name]]
        assert same(own(tensor), part), (name, note)


def whole(tensor):
    """Return all of a tensor, of which other ranks may hold parts."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def check_whole(model, expected, note):
    """Fail unless all ranks together hold ``expected``."""
    for name, tensor in named(model):
        plain = name.replace("module.", "")
        assert same(whole(tensor), expected[plain]), (name, note)


def garbage(model):
    """Put into every tensor the worst that fresh memory can hold."""
    for _, tensor in named(model):
        part = own(tensor)
        part.fill_(float("nan") if part.is_floating_point() else 77)
    return model


def copies(model):
    """Return a copy of what this rank holds of every tensor, by name."""
    return {name: own(tensor).clone() for name, tensor in named(model)}


def check_untouched(model, before):
    """Fail unless this rank holds what it held."""
    for name, part in copies(model).items():
        bits = [t.contiguous().flatten().view(torch.uint8) for t in (part, before[name])]
        assert torch.equal(*bits), name
