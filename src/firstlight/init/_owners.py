"""Which parameters more than one kind of module owns, as a head that shares its embedding."""

from torch import nn


def owned_elsewhere(model: nn.Module, kinds: type | tuple[type, ...]) -> set[int]:
    """Return the ids of the parameters that a module of none of ``kinds`` owns.

    Example:
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5))
        >>> model[1].weight = model[0].weight
        >>> id(model[1].weight) in owned_elsewhere(model, nn.Linear)
        True
    """
    return {
        id(parameter)
        for module in model.modules()
        if not isinstance(module, kinds)
        for parameter in module.parameters(recurse=False)
    }
