"""What a model calls its tensors: a tied or reused one has several names."""

from itertools import chain

from torch import nn


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
        names[id(tensor)] = (*names.get(id(tensor), ()), name)
    return names
