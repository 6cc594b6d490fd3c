"""Looking at a model with gradients on, and leaving it as it was."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from firstlight.auditing.dropout_off import DropoutOff
from firstlight.init._forward import _FAST_IN_EVALUATION, quiet
from firstlight.model.kinds.norm import is_norm
from firstlight.model.trace.recorded import left_as_it_was


@contextlib.contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Allow forward and backward passes that leave no trace, also after an exception.

    Modes, buffers, attributes, hooks and random states come back. Dropout is off, as it would make
    every look a different one; norms stay in the mode in which they are, and so does the model
    itself, whose own code may depend on it.

    Example:
        >>> layer = nn.BatchNorm1d(2)
        >>> with untouched(layer):
        ...     out = layer(torch.randn(8, 2))
        >>> out.requires_grad, layer.running_mean.tolist()
        (True, [0.0, 0.0])
    """
    with (
        torch.inference_mode(False),
        quiet(model),
        left_as_it_was(model),
        tables_kept(model),
        _caches_kept(model),
        torch.enable_grad(),
        DropoutOff(),
    ):
        for module in model.modules():
            if isinstance(module, nn.RNNBase):
                module.dropout = 0.0  # its mode stays: cuDNN has no backward in evaluation
            elif module is not model and not _stays(module):
                module.training = False
        yield


@contextlib.contextmanager
def tables_kept(model: nn.Module) -> Iterator[None]:
    """Put back the embeddings that ``max_norm`` rescales in every forward pass.

    Example:
        >>> table = nn.Embedding(1, 4, max_norm=0.01)
        >>> before = table.weight.detach().clone()
        >>> with tables_kept(table):
        ...     _ = table(torch.tensor([0]))
        >>> torch.equal(table.weight, before)
        True
    """
    kinds = (nn.Embedding, nn.EmbeddingBag)
    tables = [m.weight for m in model.modules() if isinstance(m, kinds) and m.max_norm is not None]
    values = [table.detach().clone() for table in tables]
    try:
        yield
    finally:
        with torch.no_grad():
            for table, value in zip(tables, values, strict=True):
                if not torch.equal(table, value):
                    table.copy_(value)


@contextlib.contextmanager
def _caches_kept(model: nn.Module) -> Iterator[None]:
    """Put back what a run leaves in dicts of the modules: tensors that hold on to a graph."""
    dicts = [d for module in model.modules() for d in vars(module).values() if type(d) is dict]
    values = [dict(d) for d in dicts]
    try:
        yield
    finally:
        for found, value in zip(dicts, values, strict=True):
            found.clear()
            found.update(value)


def _stays(module: nn.Module) -> bool:
    """Return whether a module's mode decides on more than dropout, or nobody can tell on what."""
    compiled = isinstance(module, torch.jit.ScriptModule)
    return compiled or isinstance(module, _FAST_IN_EVALUATION) or is_norm(module)
