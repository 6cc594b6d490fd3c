"""Walk a model into views: each logical weight matrix in (out, in, *kernel) layout."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from firstlight.model.kinds import Matrix, Part
from firstlight.model.slots import Slot, lazy, real, slots


@dataclass(frozen=True, eq=False)
class WeightView:
    """One logical weight matrix inside a model.

    Attributes:
        name: the parameter's name, with a mark such as [q], a gate, group or phase added where it
            holds several matrices.
        shape: canonical shape (out, in, *kernel).
        slot: the tensor that holds it.
        part: which of the tensor's matrices it is.
        index: how many other weight tensors come before that one.
        blocked: why it cannot be written, or "".
    """

    name: str
    shape: tuple[int, ...]
    slot: Slot
    part: int
    index: int
    blocked: str = ""

    @property
    def weight(self) -> Tensor:
        """The matrix; the model's own memory unless a parametrization or fused heads forbid it."""
        tensor = self.slot.tensor
        assert tensor is not None
        return parts(self.slot, tensor)[self.part].matrix()

    @property
    def parameter(self) -> tuple[str, ...]:
        """Every name of the parameter; a tied one has several."""
        return self.slot.names

    @property
    def kind(self) -> str:
        """What it is: linear, conv, attention, recurrent ..."""
        return self.slot.treatment.kind

    @property
    def role(self) -> str:
        """What it does: "weight", "depthwise", "recurrent" or "table"."""
        return _matrix(self.slot).role

    @property
    def frozen(self) -> bool:
        """Whether it is not to be trained."""
        return self.slot.frozen

    @property
    def depthwise(self) -> bool:
        """Whether it belongs to a convolution that filters each channel alone."""
        return self.role == "depthwise"

    @property
    def fan_in(self) -> int:
        """Number of inputs of one output unit."""
        return math.prod(self.shape[1:])


def parts(slot: Slot, tensor: Tensor) -> list[Part]:
    """Split ``tensor``, the value of ``slot``, into its matrices."""
    return _matrix(slot).split(tensor)


def _matrix(slot: Slot) -> Matrix:
    assert isinstance(slot.treatment, Matrix)
    return slot.treatment


def views(
    model: nn.Module, *, tables: bool = False, found: list[Slot] | None = None
) -> list[WeightView]:
    """Return the weight matrices of ``model`` in registration order.

    Linear and fused projections, Bilinear, Conv1-3d by groups, ConvTranspose1-3d by groups and
    phases of the stride, MultiheadAttention, Hugging Face's Conv1D, LSTM, GRU and RNN by gates,
    stacked experts; subclasses included. A tied weight comes once, under its first name.

    Args:
        model: any module.
        tables: whether embeddings are wanted, too.
        found: the model's slots, if they are known.

    Example:
        >>> from torch import nn
        >>> from firstlight.model import views
        >>> [(v.name, v.shape) for v in views(nn.MultiheadAttention(8, 2))]
        ... # doctest: +NORMALIZE_WHITESPACE
        [('in_proj_weight[q]', (8, 8)), ('in_proj_weight[k]', (8, 8)),
         ('in_proj_weight[v]', (8, 8)), ('out_proj.weight', (8, 8))]
    """
    found = slots(model) if found is None else found
    matrices = [slot for slot in found if isinstance(slot.treatment, Matrix)]
    wanted = [slot for slot in matrices if tables or _matrix(slot).role != "table"]
    return [view for index, slot in enumerate(wanted) for view in slot_views(slot, index)]


def slot_views(slot: Slot, index: int) -> Iterator[WeightView]:
    """Yield the views of one tensor; a single blocked one where it cannot be written."""
    tensor = slot.tensor
    assert tensor is not None
    blocked = why_blocked(slot, tensor)
    if blocked:
        shape = () if lazy(tensor) else tuple(tensor.shape)
        yield WeightView(slot.name, shape, slot, 0, index, blocked)
        return
    for number, part in enumerate(parts(slot, slot.outline)):
        yield WeightView(slot.name + part.label, part.shape, slot, number, index)


def why_blocked(slot: Slot, tensor: Tensor) -> str:
    """Return why ``slot`` can never be filled as it is, or ""."""
    if lazy(tensor):
        return "has no shape yet; run one batch through the model first"
    if tensor.is_complex():
        return f"is complex ({tensor.dtype}); the schemes are for real weights"
    whole = isinstance(slot.treatment, Matrix) or slot.treatment.kind != "norm statistic"
    if tensor.is_quantized or (whole and not real(tensor.dtype)):
        return f"is quantised or whole-numbered ({tensor.dtype}); initialize before quantising"
    if getattr(slot.storage, "one_way", False):
        assert slot.storage is not None
        return f"is computed by {slot.storage.through}, which has no right_inverse"
    return ""
