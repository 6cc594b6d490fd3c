"""Any code's random starts, made the same on every mesh: draws keyed by parameter and place.

On DTensors torch's own draws depend on the number of ranks. Here ``normal_``, ``uniform_`` and
``trunc_normal_`` on a model's parameters take their values from the parameter's stream instead,
each rank those of its own entries; what is done to them afterwards is torch's as ever.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from firstlight.errors import FirstlightError
from firstlight.init._draw import draw
from firstlight.init.distributions import Array, Distribution, Normal, TruncatedNormal, Uniform
from firstlight.init.shards import held, is_sharded, own_part, pieces
from firstlight.init.stream import Stream
from firstlight.model.names import names_by_id

_RANDOM = frozenset(
    f"{law}_"
    for law in (
        *("normal", "uniform", "random", "bernoulli", "exponential", "geometric", "cauchy"),
        "log_normal",
    )
)
#: Of every version so far, what ``nn.init.trunc_normal_`` does its work with.
_TRUNCATED = "_no_grad_trunc_normal_"


@contextlib.contextmanager
def placed_draws(model: nn.Module, seed: int = 0) -> Iterator[None]:
    """Within the block, fill ``model``'s parameters from streams keyed by seed, name and place.

    So a library's ``init_weights`` or ``reset_parameters`` gives each parameter the same values
    on one device and on any mesh, and sends nothing. A draw into a temporary tensor is torch's own.

    Args:
        model: its parameters as they are when the block starts, DTensors or not.
        seed: a whole number.

    Raises:
        FirstlightError: in the block, at a draw into a part of a DTensor or of another law, whose
            values would depend on the mesh.

    Example:
        >>> import torch
        >>> from firstlight.model.sharding import placed_draws
        >>> a, b = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
        >>> for layer in (a, b):
        ...     with placed_draws(layer):
        ...         layer.reset_parameters()
        >>> torch.equal(a.weight, b.weight)
        True
    """
    names = names_by_id(model)
    named = [(names[id(p)][0], p.detach()) for p in model.parameters() if not p.is_meta]
    draws = _PlacedDraws(dict(named), _padding(model), seed)
    truncated = getattr(nn.init, _TRUNCATED, None)
    with contextlib.ExitStack() as stack:
        if truncated is not None:
            stack.enter_context(mock.patch.object(nn.init, _TRUNCATED, draws.truncated(truncated)))
        stack.enter_context(draws)
        yield


class _PlacedDraws(TorchDispatchMode):
    """Answers draws into memory that it knows."""

    def __init__(
        self, tensors: dict[str, Tensor], padding: dict[tuple[Any, ...], int], seed: int
    ) -> None:
        super().__init__()
        self._seed = seed
        self._padding = padding
        self._names = {_memory(tensor): name for name, tensor in tensors.items()}
        self._drawn: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        asked = _asked(func, args, kwargs)
        if asked is not None and self._draw(args[0], *asked):
            return args[0]
        if func is torch.ops.aten.select.int and self._is_padding(*args):
            return _own_row(args[0], args[2])
        if func.overloadpacket.__name__ in _RANDOM and is_sharded(args[0]):
            raise FirstlightError(
                f"{func.overloadpacket.__name__} into a part of a DTensor, or of another law than "
                "normal, uniform and truncated normal, depends on the mesh; draw into the whole "
                "parameter"
            )
        return func(*args, **kwargs)

    def _is_padding(self, table: Tensor, dim: int, row: int) -> bool:
        return is_sharded(table) and (dim, row) == (0, self._padding.get(_place(table)))

    def truncated(self, original: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """Return what is called instead of torch's own truncated normal draw."""

        def drawn(
            tensor: Tensor, mean: float, std: float, a: float, b: float, *rest: Any, **more: Any
        ) -> Tensor:
            law = TruncatedNormal(std, (a - mean) / std, (b - mean) / std)
            if not self._draw(tensor, law, mean):
                return original(tensor, mean, std, a, b, *rest, **more)
            with torch.no_grad():
                return tensor.clamp_(a, b)  # half precision rounds past them

        return drawn

    def _draw(self, tensor: Tensor, law: Distribution, mean: float) -> bool:
        """Fill what this rank holds of a parameter; return False for other memory."""
        tensor = tensor.detach()
        own = own_part(tensor)
        if is_sharded(tensor) and not own.numel():
            return True
        name = self._names.get(_memory(tensor))
        if name is None:
            return False
        stream = Stream.named(self._seed, f"{name}:draw {self._drawn[name]}")
        self._drawn[name] += 1
        every = held(tensor) if is_sharded(tensor) else [torch.arange(n) for n in tensor.shape]
        shape, indices = tuple(tensor.shape), tuple(every)
        if tensor.ndim < 2:  # a vector is one row
            one = torch.zeros(1, dtype=torch.int64)
            shape = (1,) * (2 - tensor.ndim) + shape
            indices = (one,) * (2 - tensor.ndim) + indices
            own = own.view(1, -1)

        def add_mean(values: Array, *_: range) -> None:
            values += mean

        for piece in pieces(own, indices, shape):
            draw(piece.tensor, piece.block, law, stream, add_mean if mean else None)
        return True


def _padding(model: nn.Module) -> dict[tuple[Any, ...], int]:
    """Return the padding row of every embedding whose table is sharded, by where that lies."""
    tables = [m for m in model.modules() if isinstance(m, (nn.Embedding, nn.EmbeddingBag))]
    return {
        _place(table.weight): table.padding_idx
        for table in tables
        if table.padding_idx is not None and is_sharded(table.weight) and not table.weight.is_meta
    }


def _own_row(table: Any, row: int) -> Tensor:
    """Return of a DTensor's row what this rank holds, if anything: torch would gather the table.

    Whatever sets it to zero reaches the table so, and not a copy of the row.
    """
    from torch.distributed.tensor import DTensor, Replicate

    local, where = own_part(table), (held(table)[0] == row).nonzero()
    mine = local[int(where)] if len(where) else local[:0]
    everywhere = [Replicate()] * table.device_mesh.ndim
    shape, stride = table.shape[1:], table.stride()[1:]
    return DTensor.from_local(mine, table.device_mesh, everywhere, shape=shape, stride=stride)


def _asked(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Distribution, float] | None:
    """Return the law and the mean that a call draws from, or None for other calls."""
    if func is torch.ops.aten.normal_.default:
        mean, std = _numbers(args, kwargs, mean=0.0, std=1.0)
        return Normal(std), mean
    if func is torch.ops.aten.uniform_.default:
        low, high = _numbers(args, kwargs, **{"from": 0.0, "to": 1.0})
        return Uniform((high - low) / 2), (low + high) / 2
    return None


def _numbers(args: tuple[Any, ...], kwargs: dict[str, Any], **defaults: float) -> list[float]:
    given = dict(zip(defaults, args[1:], strict=False)) | kwargs
    return [float(given.get(name, default)) for name, default in defaults.items()]


def _place(table: Tensor) -> tuple[Any, ...]:
    """Return where a sharded table lies; of one of which this rank holds nothing, its shape."""
    return _memory(table) if own_part(table).numel() else tuple(table.shape)


def _memory(tensor: Tensor) -> tuple[Any, ...]:
    """Return what a parameter and its ``data`` have in common, and no other tensor."""
    own = own_part(tensor)
    shape = tuple(own.shape)
    # of a dimension of one entry the step means nothing, and views have their own idea of it
    steps = tuple(step for step, size in zip(own.stride(), shape, strict=True) if size != 1)
    return own.untyped_storage().data_ptr(), own.storage_offset(), shape, steps
