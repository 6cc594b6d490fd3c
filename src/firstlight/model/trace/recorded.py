"""Learn the graph from one run: every torch function that is called, and on what.

The run is on the meta device where that can be: on a copy of the modules around tensors without
memory, which costs no arithmetic and touches nothing of the user's. Where the way through the
network depends on values, it is a real run on the batch, after which the model is as it was.
"""

import contextlib
import copy
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from firstlight.init._forward import call, quiet
from firstlight.model.names import plain_name, unwrapped
from firstlight.model.trace.graph import Graph, Ref, substitute
from firstlight.model.trace.modules import leaf

#: Is told the index and the value of a node.
Observe = Callable[[int, Tensor], None]


def record_meta(model: nn.Module, example: Any, stored: Mapping[int, str]) -> Graph:
    """Run a copy of ``model`` on the meta device; raise whatever it raises there."""
    clone, names = _on_meta_device(unwrapped(model), stored)
    batch = substitute(_plain(example), lambda x: x.to("meta") if isinstance(x, Tensor) else x)
    with quiet(clone), left_as_it_was(clone):
        return _record(clone, batch, names, "a run on the meta device")


def record_composite(
    graph: Graph, module: nn.Module, inputs: list[int], stored: Mapping[int, str], path: str
) -> int:
    """Run one of torch's transformer modules on stand-ins; return the node of its output.

    They take (batch, positions, width) and return the same, whatever the sizes.
    """
    width = next(p.shape[-1] for p in module.parameters() if p.ndim > 1)
    clone, names = _on_meta_device(module, stored)
    clone.train()  # evaluation takes another way through
    recorder = Recorder(graph, names)
    masks = 2 if isinstance(module, (nn.Transformer, nn.TransformerDecoder)) else 1
    if isinstance(module, nn.TransformerDecoderLayer):
        masks = 2
    batch = [torch.empty(2, 3, width, device="meta") for _ in inputs[:masks]]
    for value, index in zip(batch, inputs, strict=False):
        recorder.bind(value, index)
    with contextlib.ExitStack() as stack, torch.no_grad():
        for name, part in clone.named_modules():
            for handle in recorder.watch(f"{path}.{name}".rstrip("."), part):
                stack.callback(handle.remove)
        with recorder:
            result = clone(*batch)
    return recorder.indices(result)[0]


def record_real(
    model: nn.Module, example: Any, stored: Mapping[int, str], observe: Observe | None = None
) -> Graph:
    """Run ``model`` itself on the batch, and leave it as it was.

    ``observe`` is called with the index and the value of every node that is a tensor.
    """
    model = unwrapped(model)
    with quiet(model), left_as_it_was(model):
        return _record(model, _plain(example), stored, "a run on the batch", observe)


def _record(
    model: nn.Module,
    batch: Any,
    names: Mapping[int, str],
    how: str,
    observe: Observe | None = None,
) -> Graph:
    graph = Graph(how)
    recorder = Recorder(graph, names, observe)
    batch = substitute(batch, recorder.placeholder)
    with contextlib.ExitStack() as stack:
        for path, module in model.named_modules():
            for handle in recorder.watch(plain_name(path), module):
                stack.callback(handle.remove)
        with recorder:
            result = call(model, batch)
    graph.outputs = recorder.indices(result)
    return graph


class Recorder(TorchFunctionMode):
    """Writes a node for every torch function that gives a tensor."""

    def __init__(
        self, graph: Graph, names: Mapping[int, str], observe: Observe | None = None
    ) -> None:
        super().__init__()
        self._observe = observe
        self.graph = graph
        self._names = names
        self._node: dict[int, int] = {}
        self._alive: list[Any] = []  # the id of a freed tensor may come again
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
        if op == "experts" and _on_meta(module):
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
        if id(value) in self._node:
            return Ref(self._node[id(value)])
        if id(value) in self._names:
            return Ref(self.graph.parameter(self._names[id(value)], tuple(value.shape)).index)
        return value if value.ndim == 0 or value.numel() == 1 else None  # a mask, a position table

    def bind(self, value: Any, index: int) -> Any:
        """Let a tensor stand for a node."""
        if isinstance(value, Tensor):
            self._node[id(value)] = index
            if self._observe is not None:
                self._muted += 1  # what the observer does is no part of the network
                self._observe(index, value)
                self._muted -= 1
            self._alive.append(value)
        return value

    def indices(self, result: Any) -> list[int]:
        """Return the nodes of the tensors in the network's result."""
        found: list[int] = []

        def collect(value: Any) -> Any:
            if isinstance(value, Tensor) and id(value) in self._node:
                found.append(self._node[id(value)])
            return value

        substitute(_plain(result), collect)
        return found


def _on_meta_device(
    model: nn.Module, stored: Mapping[int, str]
) -> tuple[nn.Module, dict[int, str]]:
    """Copy the modules around tensors without memory; return the copy and its tensors' names."""
    memo: dict[int, Any] = {}
    names = dict(stored)
    for tensor in _tensors(model):
        if (
            tensor.ndim == 0
            and tensor.device.type == "cpu"
            and not isinstance(tensor, nn.Parameter)
        ):
            continue  # a number, such as a frequency, counts by its value
        memo.setdefault(id(tensor), _without_memory(tensor))
        if id(tensor) in stored:
            names[id(memo[id(tensor)])] = stored[id(tensor)]
    return copy.deepcopy(model, dict(memo)), names


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    for module in model.modules():
        for values in (module._parameters, module._buffers, vars(module)):
            yield from (value for value in values.values() if isinstance(value, Tensor))


def _without_memory(tensor: Tensor) -> Tensor:
    empty = torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(empty, requires_grad=tensor.requires_grad and empty.is_floating_point())
    return empty


def _on_meta(module: nn.Module) -> bool:
    return any(parameter.is_meta for parameter in module.parameters())


def _has_tensor(value: Any) -> bool:
    if isinstance(value, Tensor):
        return True
    return isinstance(value, (tuple, list)) and any(isinstance(v, Tensor) for v in value)


def _plain(value: Any) -> Any:
    """Turn mappings, data classes and named tuples into what ``substitute`` walks through."""
    if isinstance(value, Mapping):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, (tuple, list)):
        return (list if isinstance(value, list) else tuple)(_plain(v) for v in value)
    if hasattr(value, "__dataclass_fields__"):
        return {key: _plain(getattr(value, key, None)) for key in value.__dataclass_fields__}
    return value


@contextlib.contextmanager
def left_as_it_was(model: nn.Module) -> Iterator[None]:
    """Put plain attributes of the modules back, caches that a run may leave, and all draws."""
    saved = [(module, dict(vars(module))) for module in model.modules()]
    drawn, numpy_drawn = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(drawn)
        np.random.set_state(numpy_drawn)
        for module, attributes in saved:
            vars(module).clear()
            vars(module).update(attributes)
