"""How diagonal plus noise is taken to other networks, and what it is compared with there."""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from firstlight.init import (
    diagonal_plus_noise_,
    looks_linear_,
    orthogonal_,
    variance_scaling_,
)
from firstlight.papers.odd_sigmoid.elsewhere_networks import (
    Attention,
    Convolutions,
    Rectified,
    Recurrent,
    Residual,
)
from firstlight.theory import noise_scale


def started(place: "Place", depth: int, scheme: str, seed: int) -> nn.Module:
    """Build a place's network; all but "default" have biases of 0."""
    torch.manual_seed(seed)
    model = place.build(depth)
    if scheme != "default":
        with torch.no_grad():
            for name, each in model.named_parameters():
                if name.endswith("bias"):
                    each.zero_()
            place.fill(model, scheme, torch.Generator().manual_seed(seed))
    return model


def _plain(scheme: str, weights: list[Tensor], noise: torch.Generator, depth: int) -> None:
    for weight in weights:
        if scheme == "orthogonal":
            orthogonal_(weight, generator=noise)
        elif scheme == "centred orthogonal":
            centre = weight.zero_()[:, :, 1, 1]
            centre.copy_(orthogonal_(torch.empty(centre.shape), generator=noise))
        elif scheme == "diagonal_plus_noise":
            diagonal_plus_noise_(weight, depth=depth, activation="tanh", generator=noise)
        elif scheme == "identity":
            nn.init.eye_(weight)
        elif scheme == "zero":
            weight.zero_()
        else:
            variance_scaling_(weight, mode="fan_avg", distribution="uniform", generator=noise)


def _weights(layers: Iterable[nn.Module]) -> list[Tensor]:
    return [layer.get_parameter("weight") for layer in layers]


def _conv(model: Convolutions, scheme: str, noise: torch.Generator) -> None:
    """The diagonal is at the kernel's centre."""
    _plain(scheme, _weights(model.layers), noise, model.depth)


def _residual(model: Residual, scheme: str, noise: torch.Generator) -> None:
    up, end = scheme.split(", ")
    _plain(up, _weights(model.up), noise, model.depth)
    _plain(end, _weights(model.end), noise, model.depth)


def _recurrent(model: Recurrent, scheme: str, noise: torch.Generator) -> None:
    _plain("glorot", [model.get_parameter("cell.weight_ih_l0")], noise, model.depth)
    _plain(scheme, [model.get_parameter("cell.weight_hh_l0")], noise, model.depth)


def _attention(model: Attention, scheme: str, noise: torch.Generator) -> None:
    for block in model.blocks:
        names = ("query", "key", "value", "output", "up", "down")
        own = {name: block.get_parameter(f"{name}.weight") for name in names}
        _plain("glorot", [own["query"], own["key"]], noise, model.depth)
        kind = "diagonal_plus_noise" if "values" in scheme else "glorot"
        _plain(kind, [own["value"], own["output"]], noise, model.depth)
        if "layers" in scheme:
            mirrored(own["up"], "first", noise, model.depth)
            mirrored(own["down"], "last", noise, model.depth)
        else:
            _plain("glorot", [own["up"], own["down"]], noise, model.depth)


def _rectified(model: Rectified, scheme: str, noise: torch.Generator) -> None:
    for number, weight in enumerate(_weights(model.layers)):
        position = "hidden" if number else "first"
        if scheme.startswith("mirrored"):
            mirrored(weight, position, noise, model.depth, free="free" in scheme)
        elif scheme == "looks_linear":
            looks_linear_(weight, position=position, generator=noise)
        elif scheme == "orthogonal":
            orthogonal_(weight, gain="relu", generator=noise)
        else:
            variance_scaling_(weight, gain="relu", generator=noise)
    if scheme.startswith("mirrored") or scheme == "looks_linear":
        looks_linear_(model.head.weight, position="last", generator=noise)


def mirrored(
    weight: Tensor, position: str, noise: torch.Generator, depth: int, *, free: bool = False
) -> None:
    """Mirror an identity plus noise, as x = relu(x) - relu(-x), also of GELU.

    Args:
        weight: (out, in), filled in place.
        position: first, hidden or last of the layers that look linear.
        noise: where draws come from.
        depth: layers, which decide the noise.
        free: whether the noise is drawn for all of the weight, and not mirrored with the identity.
    """
    down, across = {"hidden": (2, 2), "first": (2, 1), "last": (1, 2)}[position]
    half = torch.zeros(weight.shape[0] // down, weight.shape[1] // across)
    diagonal_plus_noise_(half, depth=depth, activation="tanh", generator=noise)
    if free:
        places = torch.arange(len(half))
        half.zero_()[places, places % half.shape[1]] = 1
    rows = [torch.cat([half * (-1) ** (i + j) for j in range(across)], 1) for i in range(down)]
    weight.copy_(torch.cat(rows))
    if free:
        sigma = noise_scale(depth, 1.0)
        drawn = torch.randn(weight.shape, generator=noise)
        weight.add_(drawn, alpha=sigma / math.sqrt(across * half.shape[1]))


class Place(NamedTuple):
    """Where diagonal plus noise is tried.

    Attributes:
        said: the network in words.
        build: makes it, of a depth.
        fill: gives it a start's weights.
        schemes: the starts; "default", torch's own, is the baseline.
        ours: those of them with diagonal plus noise.
    """

    said: str
    build: Callable[[int], nn.Module]
    fill: Callable[..., None]
    schemes: tuple[str, ...]
    ours: tuple[str, ...]


_DIAGONAL = "diagonal_plus_noise"
_RECTIFIED = ("default", "he_normal", "orthogonal", "looks_linear", "mirrored", "mirrored, free")
_BESIDE = (f"{_DIAGONAL}, zero", f"{_DIAGONAL}, glorot", f"{_DIAGONAL}, {_DIAGONAL}")

PLACES: dict[str, Place] = {
    "conv": Place(
        "tanh convolutions without norms, the diagonal at the kernel's centre",
        Convolutions,
        _conv,
        ("default", "glorot", "orthogonal", "centred orthogonal", _DIAGONAL),
        (_DIAGONAL,),
    ),
    "residual": Place(
        "residual blocks x + W2 tanh(W1 x) without norms; W1, W2",
        Residual,
        _residual,
        ("default", "glorot, glorot", "glorot, zero", "orthogonal, zero", *_BESIDE),
        _BESIDE,
    ),
    "recurrent": Place(
        "a tanh cell that reads 64 pixels one by one",
        Recurrent,
        _recurrent,
        ("default", "glorot", "orthogonal", "identity", _DIAGONAL),
        (_DIAGONAL,),
    ),
    "attention": Place(
        "a pre-norm transformer: diagonal values and outputs, mirrored GELU layers, or both",
        Attention,
        _attention,
        ("default", "glorot", "values", "layers", "values and layers"),
        ("values", "layers", "values and layers"),
    ),
    "relu": Place(
        "plain ReLU layers, mirrored so that the network looks linear",
        Rectified,
        _rectified,
        _RECTIFIED,
        ("mirrored", "mirrored, free"),
    ),
    "gelu": Place(
        "plain GELU layers, mirrored so that the network looks linear",
        partial(Rectified, activation="gelu"),
        _rectified,
        _RECTIFIED,
        ("mirrored", "mirrored, free"),
    ),
}
