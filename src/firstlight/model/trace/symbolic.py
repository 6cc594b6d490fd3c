"""Learn the graph without data: ``torch.fx`` follows stand-ins through the Python code."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn

from firstlight.init._forward import quiet
from firstlight.model.names import plain_name, unwrapped
from firstlight.model.trace.graph import Graph, Ref, substitute
from firstlight.model.trace.modules import COMPOSITE, leaf
from firstlight.model.trace.recorded import left_as_it_was, record_composite

#: What is asked of a stand-in without its values: no signal goes through the answer.
_SIZES = frozenset(["shape", "size", "dim", "ndim", "numel", "dtype", "device"])
_SIZE = {"category": "parameter", "inputs": ()}


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if isinstance(m, (nn.Sequential, nn.ModuleList, nn.ModuleDict)):
            return False
        return bool(leaf(m)) or super().is_leaf_module(m, module_qualified_name)


def trace_symbolic(model: nn.Module, stored: Mapping[int, str]) -> Graph:
    """Return the graph of ``model``; raise whatever ``torch.fx`` raises where it cannot."""
    model = unwrapped(model)
    for module in model.modules():
        leaf(module)  # tried out now: fx replaces how modules are called while it traces
    # fx keeps constants as attributes of the model, and runs what the code does to buffers
    with quiet(model), left_as_it_was(model), _through_compiled_parts(model):
        return _Translation(model, stored, _Tracer().trace(model)).graph


@contextmanager
def _through_compiled_parts(model: nn.Module) -> Iterator[None]:
    """Let fx see the code of what ``torch.compile`` wrapped inside of the model."""
    if not any("_orig_mod" in module._modules for module in model.modules()):
        yield
        return
    with torch._dynamo.config.patch(error_on_nested_fx_trace=False):
        yield


class _Translation:
    """Turns fx nodes into ours."""

    def __init__(self, model: nn.Module, stored: Mapping[int, str], traced: fx.Graph) -> None:
        self.graph = Graph("torch.fx")
        self._model = model
        self._stored = stored
        self._node: dict[fx.Node, int] = {}
        for node in traced.nodes:
            self._translate(node)

    def _translate(self, node: fx.Node) -> None:
        if node.op == "output":
            fx.map_arg(node.args, lambda n: self.graph.outputs.append(self._node[n]))
        elif node.op == "placeholder":
            self._node[node] = self.graph.add("input", category="input").index
        elif node.op == "get_attr":
            self._node[node] = self._attribute(str(node.target))
        elif node.op == "call_module":
            self._module(node)
        else:
            function = self._function(node)
            name = getattr(function, "__name__", "other")
            attribute = name == "getattr" and node.args[1] in _SIZES
            fields = _SIZE if attribute or name in _SIZES else {}
            self._node[node] = self._add(node, name, function, **fields)

    def _function(self, node: fx.Node) -> Callable[..., Any]:
        if node.op == "call_method":
            return getattr(Tensor, str(node.target))
        return node.target  # type: ignore[return-value]

    def _add(self, node: fx.Node, name: str, function: Any, **fields: Any) -> int:
        args, kwargs = self._refs(node.args), self._refs(dict(node.kwargs))
        args = (*args, *fields.pop("own", ()))
        return self.graph.add(name, function=function, args=args, kwargs=kwargs, **fields).index

    def _refs(self, value: Any) -> Any:
        return substitute(value, lambda v: Ref(self._node[v]) if isinstance(v, fx.Node) else v)

    def _module(self, node: fx.Node) -> None:
        path = str(node.target)
        module = self._model.get_submodule(path)
        if isinstance(module, COMPOSITE):
            inputs = [self._node[n] for n in node.all_input_nodes]
            self._node[node] = record_composite(
                self.graph, module, inputs, self._stored, plain_name(path)
            )
            return
        name = leaf(module) or "other"
        own = [
            Ref(self.graph.parameter(self._stored[id(tensor)], tuple(tensor.shape)).index)
            for tensor in module.parameters()
            if id(tensor) in self._stored
        ]
        self._node[node] = self._add(
            node, name, None, own=own, path=plain_name(path), module=module
        )

    def _attribute(self, target: str) -> int:
        owner, _, local = target.rpartition(".")
        value = getattr(self._model.get_submodule(owner), local, None)
        name = self._stored.get(id(value))
        if name is not None and isinstance(value, Tensor):
            return self.graph.parameter(name, tuple(value.shape)).index
        known: tuple[Tensor, ...] = ()
        if isinstance(value, Tensor) and value.numel() == 1 and not value.is_meta:
            known = (value.detach().clone(),)  # a number, such as a frequency
        return self.graph.add("buffer", category="parameter", args=known).index
