"""Walk a model into views: each logical weight matrix in (out, in, *kernel) layout."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from firstlight.errors import FirstlightError

#: Splits one parameter into its canonical matrices, each with the part's mark in the name.
Split = Callable[[Tensor], list[tuple[str, Tensor]]]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@dataclass(frozen=True, eq=False)
class WeightView:
    """One logical weight matrix inside a model; writing to ``weight`` writes to the model.

    ``name`` is the parameter's, with [q], [k], [v] or [group] added where one parameter holds
    several matrices. ``weight`` shares the parameter's memory in canonical layout.
    """

    name: str
    weight: Tensor
    depthwise: bool = False

    @property
    def fan_in(self) -> int:
        """Number of inputs of one output unit."""
        return self.weight[:1].numel()


def views(model: nn.Module) -> list[WeightView]:
    """Return the trainable weight matrices of ``model`` in registration order.

    Linear, Conv1-3d, ConvTranspose1-3d and MultiheadAttention, subclasses included. A tied weight
    comes once, under its first name; frozen parameters are left out.

    Raises:
        FirstlightError: a lazy module has no shape yet.

    Example:
        >>> from torch import nn
        >>> from firstlight.model import views
        >>> [(v.name, tuple(v.weight.shape)) for v in views(nn.MultiheadAttention(8, 2))]
        ... # doctest: +NORMALIZE_WHITESPACE
        [('in_proj_weight[q]', (8, 8)), ('in_proj_weight[k]', (8, 8)),
         ('in_proj_weight[v]', (8, 8)), ('out_proj.weight', (8, 8))]
    """
    found: list[WeightView] = []
    seen: set[int] = set()
    for prefix, module in model.named_modules():
        for local, parameter, split in _matrices(module):
            name = f"{prefix}.{local}" if prefix else local
            if nn.parameter.is_lazy(parameter):
                raise FirstlightError(f"{name} has no shape yet; run one batch through the model")
            if id(parameter) in seen or not parameter.requires_grad:
                continue
            seen.add(id(parameter))
            depthwise = isinstance(module, _CONVOLUTIONS) and module.in_channels == module.groups
            found += [
                WeightView(name + part, weight, depthwise and module.groups > 1)
                for part, weight in split(parameter.detach())
            ]
    return found


def _matrices(module: nn.Module) -> Iterator[tuple[str, Tensor, Split]]:
    """Yield (local name, parameter, split) of one module's own weights."""
    if isinstance(module, nn.MultiheadAttention):
        if module.in_proj_weight is not None:
            yield "in_proj_weight", module.in_proj_weight, _split_qkv
        else:
            for local in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                yield local, getattr(module, local), _whole
    elif isinstance(module, _TRANSPOSED):
        yield "weight", module.weight, partial(_transposed, groups=module.groups)
    elif isinstance(module, (nn.Linear, *_CONVOLUTIONS)):
        yield "weight", module.weight, _whole


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
