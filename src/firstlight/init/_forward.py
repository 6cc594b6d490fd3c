"""Running a model on a batch without leaving a trace in it."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

_Norm = nn.modules.batchnorm._NormBase  # batch and instance norms

# In evaluation mode these take a path of their own past their layers, and nest masked inputs.
_FAST_IN_EVALUATION = (nn.TransformerEncoder, nn.TransformerEncoderLayer)


def call(model: nn.Module, batch: Any) -> Any:
    """Run ``model`` on a tensor, a tuple of arguments or a dict of them.

    Example:
        >>> call(nn.Identity(), (torch.ones(1),))
        tensor([1.])
    """
    if isinstance(batch, Mapping):
        return model(**batch)
    return model(*batch) if isinstance(batch, (tuple, list)) else model(batch)


@contextlib.contextmanager
def quiet(model: nn.Module) -> Iterator[None]:
    """Make forward passes leave no trace: no gradients, random state, statistics or modes."""
    modes = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, buffer, buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module.named_buffers(recurse=False)
    ]
    devices = {p.device for p in model.parameters() if p.device.type == "cuda"}
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            # a forward pass that draws gives the same every time; torch.manual_seed would reseed
            # devices that are not the model's, too
            torch.default_generator.manual_seed(0)
            for device in devices:
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(0)
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        with torch.no_grad():
            for module, name, buffer, values in buffers:
                module._buffers[name] = buffer.copy_(values)


@contextlib.contextmanager
def measuring(model: nn.Module) -> Iterator[None]:
    """Be quiet, with dropout off and batch statistics on."""
    with quiet(model):
        for module in model.modules():
            module.training = isinstance(module, (_Norm, *_FAST_IN_EVALUATION))
        yield
