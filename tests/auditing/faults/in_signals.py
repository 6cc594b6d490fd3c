"""Faults that only samples show: in activations, norms, attention and the range of numbers."""

import math

import torch

from .fault import Fault, Finding, Planted, names
from .in_weights import BASIC, fill

SATURATING = names("tanh_mlp tanh_convolutions tanh_transformer")
EVALUATED = names("resnet_in_evaluation batch_norm_mlp_in_evaluation")


def times(factor: float):
    """Scale the inner layer, its bias aside."""

    def plant(at: Planted) -> None:
        at["inner"].mul_(factor)

    return plant


def whispers(at: Planted) -> None:
    at["inner"].mul_(1e-10)
    at["shift"].zero_()


def overflowing(at: Planted) -> None:
    """Bring the largest weight to a tenth of what its dtype holds."""
    at["inner"].mul_(0.1 * torch.finfo(at["inner"].dtype).max / float(at["inner"].abs().max()))


def inputs(change):
    def plant(at: Planted) -> None:
        at.inputs = change(at.inputs)

    return plant


def pixels(x: torch.Tensor) -> torch.Tensor:
    return (128 + 50 * x).clamp(0, 255).round()


def one_missing(x: torch.Tensor) -> torch.Tensor:
    x = x.clone()
    x[0, 0] = math.nan
    return x


def sharp(factor: float):
    def plant(at: Planted) -> None:
        projections = at["queries"]
        projections[: len(projections) // 3] *= factor

    return plant


def stale_variance(at: Planted) -> None:
    at.module("norm").running_var.mul_(100)


def stale_mean(at: Planted) -> None:
    norm = at.module("norm")
    norm.running_mean.add_(5 * norm.running_var.sqrt())


def fresh_statistics(at: Planted) -> None:
    """Statistics as they start, on data of another scale."""
    for module in at.model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
    at.inputs = 8 * at.inputs


FAULTS = (
    Fault(
        "a dead layer", BASIC, fill("shift", -1e3),
        (Finding("dead units", "failure", "activation"),),
    ),
    Fault(
        "saturated tanh", SATURATING, times(100.0),
        (Finding("saturated units", "failure", "activation"),),
    ),
    Fault(
        "tanh saturated by a bias", SATURATING, fill("shift", 20.0),
        (Finding("saturated units", "failure", "activation"),),
    ),
    Fault(
        "units that are always on", BASIC, fill("shift", 50.0),
        (Finding("skewed neurons", "warning", "activation"),),
    ),
    Fault(
        "all samples one", names("mlp tanh_mlp plain_convolutions"), fill("shift", 1e4),
        (Finding("samples look alike", "failure", "activation"),),
    ),
    Fault(
        "an exploding layer", names("mlp transformer vit plain_convolutions"), times(1e6),
        (Finding("exploding signal", "failure", "activation"),),
    ),
    Fault(
        "a whispering layer", names("mlp resnet transformer vit plain_convolutions"), whispers,
        (Finding("vanishing signal", "failure", "activation"),),
    ),
    Fault(
        "bfloat16 overflow", names("mlp_bfloat16 resnet_bfloat16 transformer_bfloat16"),
        overflowing, (Finding("signals are numbers", "failure", "activation"),),
    ),
    Fault(
        "float16 overflow", names("mlp_float16 resnet_float16 transformer_float16"), overflowing,
        (Finding("signals are numbers", "failure", "activation"),),
    ),
    Fault(
        "raw pixels", names("mlp resnet vit"), inputs(pixels),
        (Finding("input scale", "failure", "=input"),), mends=0,
    ),
    Fault(
        "inputs in the wrong unit", names("mlp resnet vit"), inputs(lambda x: 1e-5 * x),
        (Finding("faint inputs", "warning", "=input"),), mends=0,
    ),
    Fault(
        "an infinity in the data", names("mlp resnet vit"), inputs(lambda x: x / x.clamp(min=0)),
        (Finding("inputs are numbers", "failure", "=input"),), mends=0,
    ),
    Fault(
        "a NaN in the data", names("mlp resnet vit"), inputs(one_missing),
        (Finding("inputs are numbers", "failure", "=input"),), mends=0,
    ),
    Fault(
        "saturated attention", names("transformer vit tanh_transformer"), sharp(50.0),
        (Finding("attention looks at one place", "warning", "attention"),),
    ),
    Fault(
        "attention at one place", names("transformer vit tanh_transformer"), sharp(5000.0),
        (Finding("attention looks at one place", "failure", "attention"),),
    ),
    Fault(
        "a norm of zeros", names("resnet transformer vit batch_norm_mlp"), fill("scale", 0.0),
        (Finding("zero norms", "failure", "scale"),),
    ),
    Fault(
        "a norm of NaN", names("resnet transformer vit batch_norm_mlp"), fill("scale", math.nan),
        (Finding("weights are numbers", "failure", "scale"),),
    ),
    Fault(
        "a stale variance", EVALUATED, stale_variance,
        (Finding("stale variance", "failure", "norm"),),
    ),
    Fault("a stale mean", EVALUATED, stale_mean, (Finding("stale mean", "failure", "norm"),)),
    Fault(
        "statistics that never met the data", EVALUATED, fresh_statistics,
        (Finding("stale variance", "failure", "first_norm"),),
    ),
)  # fmt: skip
