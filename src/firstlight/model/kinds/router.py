"""Routers of mixtures of experts: a plain parameter (experts, in), used as a Linear's weight."""

from torch import nn

from firstlight.model.kinds.treatment import Matrix, Treatment


def router(*_: object) -> dict[str, Treatment]:
    """Describe a router's weight; what else it holds (corrections of its scores) stays."""
    return {"weight": Matrix("router")}


def is_router(module: nn.Module) -> bool:
    """Return whether ``module`` is one of Hugging Face's routers, by its name and its weight."""
    weight = module._parameters.get("weight")
    named = type(module).__name__.endswith(("Router", "RouterParallel"))
    return named and weight is not None and weight.ndim == 2
