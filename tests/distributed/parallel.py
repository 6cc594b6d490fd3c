"""The ways in which users spread a Llama over a mesh."""

import torch
from llama import Llama
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Replicate, Shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    PrepareModuleInput,
    RowwiseParallel,
    SequenceParallel,
    parallelize_module,
)

TENSOR_PLAN = {
    "attention_norm": SequenceParallel(),
    "attention": PrepareModuleInput(
        input_layouts=(Shard(1), None), desired_input_layouts=(Replicate(), None)
    ),
    "attention.wq": ColwiseParallel(),
    "attention.wk": ColwiseParallel(),
    "attention.wv": ColwiseParallel(),
    "attention.wo": RowwiseParallel(output_layouts=Shard(1)),
    "ffn_norm": SequenceParallel(),
    "feed_forward": PrepareModuleInput(
        input_layouts=(Shard(1),), desired_input_layouts=(Replicate(),)
    ),
    "feed_forward.w1": ColwiseParallel(),
    "feed_forward.w3": ColwiseParallel(),
    "feed_forward.w2": RowwiseParallel(output_layouts=Shard(1)),
}


#: The same without sequences that are cut, which a whole model has to be written for.
PLAIN_PLAN = {
    "attention.wq": ColwiseParallel(),
    "attention.wk": ColwiseParallel(),
    "attention.wv": ColwiseParallel(),
    "attention.wo": RowwiseParallel(),
    "feed_forward.w1": ColwiseParallel(),
    "feed_forward.w3": ColwiseParallel(),
    "feed_forward.w2": RowwiseParallel(),
}


#: The two ends, of a model whose layers are shared by a plan of their own.
ENDS = {
    "tok_embeddings": RowwiseParallel(input_layouts=Replicate()),
    "output": ColwiseParallel(output_layouts=Replicate()),
}


def on_meta(**sizes):
    with torch.device("meta"):
        return Llama(**sizes)


def shard(model, mesh, **options):
    """FSDP2: each block by itself, then the rest."""
    for block in model.layers.values():
        fully_shard(block, mesh=mesh, **options)
    return fully_shard(model, mesh=mesh, **options)


def share(model, mesh, plan=TENSOR_PLAN):
    """Tensor and sequence parallelism: every layer over the ranks of the mesh."""
    for block in model.layers.values():
        parallelize_module(block, mesh, plan)
    return model


def spread(model, mesh, plan=TENSOR_PLAN):
    """Tensor parallelism along "tp" and FSDP along "dp", as far as a mesh has them."""
    if mesh["tp"].size() > 1:
        share(model, mesh["tp"], plan)
    if mesh["dp"].size() > 1 or mesh["tp"].size() == 1:
        shard(model, mesh["dp"])
    return model


def stage(rank, world, **sizes):
    """Pipeline: every rank keeps some layers, under the names that the whole model gives them."""
    model = on_meta(**sizes)
    for name in list(model.layers):
        if int(name) % world != rank:
            del model.layers[name]
    if rank:
        model.tok_embeddings = None
    if rank < world - 1:
        model.norm = model.output = None
    return model


def emptied(model):
    """Give the model memory that holds garbage, and the one buffer that only it can make."""
    model.to_empty(device="cpu")
    for tensor in model.parameters():
        part = tensor.detach()
        part = part.to_local() if hasattr(part, "to_local") else part
        part.fill_(float("nan"))
    with torch.no_grad():
        model.angles.copy_(model.make_angles())
    return model
