"""Any code's random starts, made the same on every mesh: draws keyed by parameter and place.

On DTensors torch's own draws depend on the number of ranks. Here ``normal_``, ``uniform_``,
``trunc_normal_`` and ``orthogonal_`` on a model's parameters take their values from the
parameter's stream instead, each rank those of its own entries; what is done to them afterwards is
torch's as ever.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from firstlight.errors import FirstlightError, OptionError
from firstlight.init.distributions import Normal, TruncatedNormal, Uniform
from firstlight.init.orthogonal import orthogonal_
from firstlight.init.shards import is_sharded, own_part
from firstlight.model.names import names_by_id, unwrapped
from firstlight.model.padding_row import own_row, padding_rows, place
from firstlight.model.parameter_draws import ParameterDraws
from firstlight.model.refusals import check_module, whole_seed
from firstlight.model.resharding import reshard

_OTHER_LAWS = ("random", "bernoulli", "exponential", "geometric", "cauchy", "log_normal")
#: What makes new random tensors of a DTensor, each rank its own.
_NEW = ("rand_like", "randn_like", "randint_like", "bernoulli", "native_dropout", "multinomial")
_RANDOM = frozenset([*(f"{law}_" for law in ("normal", "uniform", *_OTHER_LAWS)), *_NEW])


@contextlib.contextmanager
def placed_draws(
    model: nn.Module,
    seed: int = 0,
    *,
    names: Mapping[str, str] = MappingProxyType({}),
    also: Iterable[nn.Module] = (),
) -> Iterator[None]:
    """Within the block, fill ``model``'s parameters from streams keyed by seed, name and place.

    So a library's ``init_weights`` or ``reset_parameters`` gives each parameter the same values
    on one device and on any mesh, and sends nothing. A draw into a temporary tensor is torch's own,
    and a generator that is passed to a draw into a parameter is not used. What a library draws must
    not depend on the class of a module, which FSDP changes: of Hugging Face's models call
    ``model.apply(model._init_weights)``.

    Args:
        model: its parameters as they are when the block starts, DTensors or not.
        seed: a whole number.
        names: other names to draw by. ``to_empty`` unties weights:
            ``{"head.weight": "embedding.weight"}`` gives both the same values, if one law draws
            them.
        also: modules besides that hold some of its parameters, and are to start them.

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
    check_module(model)
    _check_names(names)
    seed, model = whole_seed(seed), unwrapped(model)
    reshard(model)
    own = names_by_id(model)
    named = [(own[id(p)][0], p.detach()) for p in model.parameters() if not p.is_meta]
    parameters = ParameterDraws([(names.get(name, name), tensor) for name, tensor in named], seed)
    with contextlib.ExitStack() as stack:
        for name, instead in _INSTEAD.items():
            original = getattr(nn.init, name, None)
            if original is not None:
                drawn = instead(parameters, original)
                stack.enter_context(mock.patch.object(nn.init, name, drawn))
        stack.enter_context(_PlacedDraws(parameters, padding_rows([*model.modules(), *also])))
        yield


def _check_names(names: Any) -> None:
    if not isinstance(names, Mapping):
        raise OptionError(
            f"names must map a parameter's name to the one to draw by, got {type(names).__name__}"
        )


class _PlacedDraws(TorchDispatchMode):
    """Answers draws into memory that it knows."""

    def __init__(self, parameters: ParameterDraws, padding: dict[Any, int]) -> None:
        super().__init__()
        self._parameters, self._padding = parameters, padding

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        draw = _LAWS.get(func)
        if draw is not None and draw(self._parameters, func, args, kwargs):
            return args[0]
        if func is torch.ops.aten.select.int and self._is_padding(*args):
            return own_row(args[0], args[2])
        if func.overloadpacket.__name__ in _RANDOM and args and is_sharded(args[0]):
            raise FirstlightError(_refusal(func.overloadpacket.__name__))
        return func(*args, **kwargs)

    def _is_padding(self, table: Tensor, dim: int, row: int) -> bool:
        return is_sharded(table) and (dim, row) == (0, self._padding.get(place(table)))


def _refusal(name: str) -> str:
    if name.removesuffix("_") in _OTHER_LAWS or name in _NEW:
        return (
            f"{name} of a DTensor depends on the mesh; draw a normal, uniform, truncated normal "
            "or orthogonal start, whose values are known by their place"
        )
    return (
        f"{name} into a DTensor that is no whole parameter of the model depends on the mesh; draw "
        "into the whole parameter. An orthogonal matrix is drawn as a whole by "
        "torch.nn.init.orthogonal_, called by that name, or made by firstlight.init.harmonic_"
    )


def _normal(parameters: ParameterDraws, func: Any, args: Any, kwargs: Any) -> bool:
    mean, std = _numbers(args, kwargs, mean=0.0, std=1.0)
    _check_as_torch_does(func, args, kwargs)
    return parameters.draw(args[0], Normal(std), mean)


def _uniform(parameters: ParameterDraws, func: Any, args: Any, kwargs: Any) -> bool:
    low, high = _numbers(args, kwargs, **{"from": 0.0, "to": 1.0})
    _check_as_torch_does(func, args, kwargs)
    if not parameters.draw(args[0], Uniform((high - low) / 2), (low + high) / 2):
        return False
    own = own_part(args[0].detach())
    if low < high:  # the upper end is never drawn, and rounding would reach it
        end = torch.tensor(high, dtype=own.dtype)
        below = float(torch.nextafter(end, torch.tensor(-torch.inf, dtype=own.dtype)))
        own.clamp_(low, max(low, below))
    return True


_LAWS: dict[Any, Callable[..., bool]] = {
    torch.ops.aten.normal_.default: _normal,
    torch.ops.aten.uniform_.default: _uniform,
}


def _check_as_torch_does(func: Any, args: Any, kwargs: Any) -> None:
    """Let torch refuse, in its own words, what it would refuse: a law that is none."""
    func(own_part(args[0].detach()).new_empty(0), *args[1:], **kwargs)


def _numbers(args: tuple[Any, ...], kwargs: dict[str, Any], **defaults: float) -> list[float]:
    given = dict(zip(defaults, args[1:], strict=False)) | kwargs
    return [float(given.get(name, default)) for name, default in defaults.items()]


def _truncated(parameters: ParameterDraws, original: Callable[..., Tensor]) -> Any:
    """Return what is called instead of torch's own truncated normal draw."""

    def drawn(
        tensor: Tensor, mean: float, std: float, a: float, b: float, *rest: Any, **more: Any
    ) -> Tensor:
        if std <= 0 or a >= b:
            return original(tensor, mean, std, a, b, *rest, **more)
        law = TruncatedNormal(std, (a - mean) / std, (b - mean) / std)
        if not parameters.draw(tensor, law, mean):
            return original(tensor, mean, std, a, b, *rest, **more)
        with torch.no_grad():
            return tensor.clamp_(a, b)  # half precision rounds past them

    return drawn


def _orthogonal(parameters: ParameterDraws, original: Callable[..., Tensor]) -> Any:
    """Return what is called instead of torch's own orthogonal draw, which gathers DTensors."""

    def drawn(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
        if tensor.ndim < 2 or (stream := parameters.stream(tensor)) is None:
            return original(tensor, gain, generator)
        with torch.no_grad():
            return orthogonal_(tensor, generator=stream).mul_(gain)

    return drawn


#: Functions of ``torch.nn.init`` that do more than one draw. The first has done the work of
#: ``trunc_normal_`` in every version so far.
_INSTEAD = {"_no_grad_trunc_normal_": _truncated, "orthogonal_": _orthogonal}
