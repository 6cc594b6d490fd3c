from collections.abc import Mapping

import pytest
import torch

from zoo import CASES, ZOO, forward


def tensors(value):
    """Every tensor in an output, however it is packed."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from tensors(part)


def test_the_zoo_is_large():
    assert len(ZOO) >= 48


@pytest.mark.parametrize("entry", CASES)
def test_it_builds_and_runs(entry):
    torch.manual_seed(0)
    model = entry.build()
    assert isinstance(model, torch.nn.Module)
    if entry.example is None:
        assert {parameter.device.type for parameter in model.parameters()} == {"meta"}
        return
    with torch.no_grad():
        outputs = list(tensors(forward(model, entry.example())))
    assert outputs
    assert all(bool(output.isfinite().all()) for output in outputs)
