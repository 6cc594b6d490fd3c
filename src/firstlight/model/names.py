"""What a model calls its tensors: a tied or reused one has several names."""

from itertools import chain

import torch
from torch import Tensor, nn

#: What wrappers add to the names of what they wrap: torch.compile, FSDP, checkpointing.
_WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the user's own module inside torch.compile, DataParallel and their kin.

    Example:
        >>> layer = torch.nn.Linear(2, 2)
        >>> unwrapped(nn.DataParallel(layer)) is layer
        True
    """
    while True:
        if "_orig_mod" in dict(model.named_children()):
            model = model._orig_mod  # type: ignore[assignment]
        elif isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        else:
            return model


def plain_name(name: str) -> str:
    """Return ``name`` without what wrappers of parts of the model added.

    Example:
        >>> plain_name("blocks.0._orig_mod.fc.weight")
        'blocks.0.fc.weight'
    """
    if "._" not in name and not name.startswith("_"):
        return name
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and buffers of a module itself by local name; of scripted ones, too.

    Example:
        >>> from torch import nn
        >>> list(own_tensors(nn.BatchNorm1d(2, affine=False)))
        ['running_mean', 'running_var', 'num_batches_tracked']
    """
    if isinstance(module, torch.jit.ScriptModule):
        named = (module.named_parameters(recurse=False), module.named_buffers(recurse=False))
        return dict(chain(*named))
    everything = chain(module._parameters.items(), module._buffers.items())
    return {name: tensor for name, tensor in everything if tensor is not None}


def names_by_id(model: nn.Module) -> dict[int, tuple[str, ...]]:
    """Return every name of each parameter and buffer, by the tensor's id.

    Example:
        >>> from torch import nn
        >>> layer = nn.Linear(2, 2, bias=False)
        >>> list(names_by_id(nn.Sequential(layer, layer)).values())
        [('0.weight', '1.weight')]
    """
    names: dict[int, tuple[str, ...]] = {}
    for name, tensor in chain(
        model.named_parameters(remove_duplicate=False), model.named_buffers(remove_duplicate=False)
    ):
        names[id(tensor)] = (*names.get(id(tensor), ()), plain_name(name))
    return names
