"""Writing a run down: a node for every torch function that is called and gives a tensor."""

import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from firstlight.model.trace.graph import Graph, Ref, substitute
from firstlight.model.trace.modules import leaf

#: Is told the index and the value of a node.
Observe = Callable[[int, Tensor], None]


class Recorder(TorchFunctionMode):
    """Writes a node for every torch function that gives a tensor."""

    def __init__(
        self, graph: Graph, names: Mapping[int, str], observe: Observe | None = None
    ) -> None:
        super().__init__()
        self._observe = observe
        self.graph = graph
        self._names = names
        # by id; weak, as the run must be free to let tensors go, and their ids may come again
        self._node: dict[int, tuple[weakref.ref[Tensor], int]] = {}
        self._paths: list[str] = [""]
        self._muted = 0

    def placeholder(self, value: Any) -> Any:
        """Give the network's input a node."""
        if isinstance(value, Tensor):
            node = self.graph.add("input", category="input", shape=tuple(value.shape))
            self.bind(value, node.index)
        return value

    def watch(self, path: str, module: nn.Module) -> Iterator[Any]:
        """Register the hooks that tell where the run is; yield their handles."""
        op = leaf(module)
        whole = op in ("norm_module", "activation_module", "experts", "drop_path")
        forward = module.forward

        def enter(*_: Any) -> None:
            self._paths.append(path)
            self._muted += whole

        def leave(_module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            self._paths.pop()
            self._muted -= whole
            if whole and not self._muted:
                self._add(op, None, (*args, *kwargs.values()), {}, output, path, module)

        yield module.register_forward_pre_hook(enter, prepend=True)
        yield module.register_forward_hook(leave, with_kwargs=True, always_call=True)
        if op in ("experts", "norm_module") and _on_meta(module):  # nothing to compute
            module.forward = lambda x, *_, **__: torch.empty_like(x)
            del forward

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run ``func``, and write it down."""
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        if not self._muted:
            name = getattr(func, "__name__", "other")
            if name == "__setitem__":  # changes its first argument and returns nothing
                output_of = args[0]
                self._add("setitem", None, (args[0], args[2]), {}, output_of, self._paths[-1])
            elif _has_tensor(output):
                self._add(name, func, args, kwargs, output, self._paths[-1])
        return output

    def _add(
        self,
        name: str,
        func: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        output: Any,
        path: str,
        module: nn.Module | None = None,
    ) -> None:
        args, kwargs = substitute(args, self._ref), substitute(kwargs, self._ref)
        if module is not None and (own := self._own(module)):
            args = (*args, *own)
        shape = tuple(output.shape) if isinstance(output, Tensor) else None
        node = self.graph.add(
            name, function=func, args=args, kwargs=kwargs, path=path, module=module, shape=shape
        )
        if isinstance(output, (tuple, list)):  # halves of a gate are two signals, not one
            for part in output:
                self._bind_part(part, node.index)
        else:
            self.bind(output, node.index)

    def _bind_part(self, part: Any, index: int) -> None:
        if isinstance(part, Tensor):
            node = self.graph.add("part", args=(Ref(index),), shape=tuple(part.shape))
            self.bind(part, node.index)
        elif isinstance(part, (tuple, list)):
            for inner in part:
                self._bind_part(inner, index)

    def _own(self, module: nn.Module) -> list[Ref]:
        return [self._ref(p) for p in module.parameters(recurse=False) if id(p) in self._names]

    def _ref(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        index = self._index(value)
        if index is not None:
            return Ref(index)
        if id(value) in self._names:
            return Ref(self.graph.parameter(self._names[id(value)], tuple(value.shape)).index)
        return value if value.ndim == 0 or value.numel() == 1 else None  # a mask, a position table

    def bind(self, value: Any, index: int) -> Any:
        """Let a tensor stand for a node."""
        if isinstance(value, Tensor):
            self._node[id(value)] = weakref.ref(value), index
            if self._observe is not None:
                self._muted += 1  # what the observer does is no part of the network
                self._observe(index, value)
                self._muted -= 1
        return value

    def _index(self, value: Tensor) -> int | None:
        """Return the node that a tensor stands for, if any."""
        found, index = self._node.get(id(value), (None, 0))
        return index if found is not None and found() is value else None

    def indices(self, result: Any) -> list[int]:
        """Return the nodes of the tensors in the network's result."""
        found: list[int] = []

        def collect(value: Any) -> Any:
            index = self._index(value) if isinstance(value, Tensor) else None
            if index is not None:
                found.append(index)
            return value

        substitute(plain(result), collect)
        return found


def _has_tensor(value: Any) -> bool:
    if isinstance(value, Tensor):
        return True
    return isinstance(value, (tuple, list)) and any(isinstance(v, Tensor) for v in value)


def plain(value: Any) -> Any:
    """Turn mappings, data classes and named tuples into what ``substitute`` walks through."""
    if isinstance(value, Mapping):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (tuple, list)):
        return (list if isinstance(value, list) else tuple)(plain(v) for v in value)
    if hasattr(value, "__dataclass_fields__"):
        return {key: plain(getattr(value, key, None)) for key in value.__dataclass_fields__}
    return value


def _on_meta(module: nn.Module) -> bool:
    return any(parameter.is_meta for parameter in module.parameters())
