"""Walk a model into views: each logical weight matrix in (out, in, *kernel) layout."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from firstlight.init._owners import owned_elsewhere
from firstlight.model.names import names_by_id

#: Splits one parameter into its canonical matrices, each with the part's mark in the name.
Split = Callable[[Tensor], list[tuple[str, Tensor]]]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
#: Why a tensor that is no parameter cannot be written.
COMPUTED = "is computed from others (a parametrization, weight norm or pruning)"
_KINDS = (nn.Linear, nn.MultiheadAttention, *_CONVOLUTIONS, *_TRANSPOSED)


@dataclass(frozen=True, eq=False)
class WeightView:
    """One logical weight matrix inside a model; writing to ``weight`` writes to the model.

    Attributes:
        name: the parameter's name, with [q], [k], [v] or [group] added where it holds several.
        weight: the matrix in canonical layout, in the parameter's own memory.
        parameter: every name of the parameter; a tied one has several.
        index: how many other weight parameters come before this one.
        frozen: whether the parameter is not to be trained.
        depthwise: whether it belongs to a convolution with groups = in_channels > 1.
        blocked: why the weight cannot be written, or "".
    """

    name: str
    weight: Tensor
    parameter: tuple[str, ...]
    index: int
    frozen: bool = False
    depthwise: bool = False
    blocked: str = ""

    @property
    def fan_in(self) -> int:
        """Number of inputs of one output unit."""
        return self.weight[:1].numel()


def views(model: nn.Module) -> list[WeightView]:
    """Return the weight matrices of ``model`` in registration order.

    Linear, Conv1-3d, ConvTranspose1-3d and MultiheadAttention, subclasses included. A tied weight
    comes once, under its first name; one that another kind of module owns too (an embedding) is
    left out.

    Example:
        >>> from torch import nn
        >>> from firstlight.model import views
        >>> [(v.name, tuple(v.weight.shape)) for v in views(nn.MultiheadAttention(8, 2))]
        ... # doctest: +NORMALIZE_WHITESPACE
        [('in_proj_weight[q]', (8, 8)), ('in_proj_weight[k]', (8, 8)),
         ('in_proj_weight[v]', (8, 8)), ('out_proj.weight', (8, 8))]
    """
    names, elsewhere = names_by_id(model), owned_elsewhere(model, _KINDS)
    found: list[WeightView] = []
    seen: list[Tensor] = []  # the tensors themselves: the id of a freed one may come again
    for prefix, module in model.named_modules():
        for local, split in _weights(module):
            weight = getattr(module, local)
            if id(weight) in elsewhere or any(weight is other for other in seen):
                continue
            name = f"{prefix}.{local}" if prefix else local
            own = names.get(id(weight), (name,))
            found += _views(module, name, own, weight, split, len(seen))
            seen.append(weight)
    return found


def _views(
    module: nn.Module,
    name: str,
    own: tuple[str, ...],
    weight: Tensor,
    split: Split,
    index: int,
) -> list[WeightView]:
    """Return one parameter's views; a single blocked one where it cannot be written."""
    if not isinstance(weight, nn.Parameter):
        what = f"{COMPUTED}; remove that first"
        prefix = name.removesuffix("weight")
        originals = [prefix + n for n, _ in module.named_parameters() if "weight" in n]
        frozen = not any(parameter.requires_grad for parameter in module.parameters())
        return [WeightView(name, weight, (*own, *originals), index, frozen, blocked=what)]
    if nn.parameter.is_lazy(weight):
        what = "has no shape yet; run one batch through the model first"
        return [WeightView(name, weight, own, index, blocked=what)]
    frozen, depthwise = not weight.requires_grad, _is_depthwise(module)
    return [
        WeightView(name + part, matrix, own, index, frozen, depthwise)
        for part, matrix in split(weight.detach())
    ]


def _is_depthwise(module: Any) -> bool:
    convolution = isinstance(module, (*_CONVOLUTIONS, *_TRANSPOSED))
    return convolution and 1 < module.groups == module.in_channels


def _weights(module: nn.Module) -> Iterator[tuple[str, Split]]:
    """Yield (local name, split) of one module's own weights."""
    if isinstance(module, nn.MultiheadAttention):
        if module.in_proj_weight is not None:
            yield "in_proj_weight", _split_qkv
        else:
            for local in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                yield local, _whole
    elif isinstance(module, _TRANSPOSED):
        yield "weight", partial(_transposed, groups=module.groups)
    elif isinstance(module, (nn.Linear, *_CONVOLUTIONS)):
        yield "weight", _whole


def _whole(weight: Tensor) -> list[tuple[str, Tensor]]:
    return [("", weight)]


def _split_qkv(weight: Tensor) -> list[tuple[str, Tensor]]:
    return [(f"[{part}]", matrix) for part, matrix in zip("qkv", weight.chunk(3), strict=True)]


def _transposed(weight: Tensor, groups: int) -> list[tuple[str, Tensor]]:
    """Turn (in, out / groups, *kernel) into one (out / groups, in / groups, *kernel) per group."""
    parts = weight.chunk(groups)
    if groups == 1:
        return [("", parts[0].transpose(0, 1))]
    return [(f"[{index}]", part.transpose(0, 1)) for index, part in enumerate(parts)]
