"""Learn the graph from one run: every torch function that is called, and on what.

The run is on the meta device where that can be: on a copy of the modules around tensors without
memory, which costs no arithmetic and touches nothing of the user's. Where the way through the
network depends on values, it is a real run on the batch, after which the model is as it was.
"""

import contextlib
import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from firstlight.init._forward import call, quiet
from firstlight.model.names import plain_name, unwrapped
from firstlight.model.trace.graph import Graph, substitute
from firstlight.model.trace.recorder import Observe, Recorder, plain


def record_meta(model: nn.Module, example: Any, stored: Mapping[int, str]) -> Graph:
    """Run a copy of ``model`` on the meta device; raise whatever it raises there."""
    clone, names = _on_meta_device(unwrapped(model), stored)
    batch = substitute(plain(example), lambda x: x.to("meta") if isinstance(x, Tensor) else x)
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
    # a decoder reads its own positions and an encoder's; what else is passed are masks
    decodes = (nn.Transformer, nn.TransformerDecoder, nn.TransformerDecoderLayer)
    signals = inputs[: 2 if isinstance(module, decodes) else 1]
    batch = [torch.empty(2, 3, width, device="meta") for _ in signals]
    for value, index in zip(batch, signals, strict=True):
        recorder.bind(value, index)
    with torch.no_grad(), _watched(recorder, clone, f"{path}."):
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
        return _record(model, plain(example), stored, "a run on the batch", observe)


def _record(
    model: nn.Module,
    batch: Any,
    names: Mapping[int, str],
    how: str,
    observe: Observe | None = None,
) -> Graph:
    recorder = Recorder(Graph(how), names, observe)
    run(recorder, model, batch)
    return recorder.graph


def run(recorder: Recorder, model: nn.Module, batch: Any) -> Any:
    """Run ``model`` on a batch while ``recorder`` writes down; return what it returns."""
    batch = substitute(plain(batch), recorder.placeholder)
    with _watched(recorder, model):
        result = call(model, batch)
    recorder.graph.outputs = recorder.indices(result)
    return result


@contextlib.contextmanager
def _watched(recorder: Recorder, model: nn.Module, prefix: str = "") -> Iterator[None]:
    """Write down what happens in the block, and in which module; leave no hook behind."""
    with contextlib.ExitStack() as stack:
        for path, module in model.named_modules():
            for handle in recorder.watch(plain_name(f"{prefix}{path}".rstrip(".")), module):
                stack.callback(handle.remove)
        with recorder:
            yield


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
