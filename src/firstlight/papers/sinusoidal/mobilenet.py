"""Why does MobileNetV3 deviate? HardSwish or the high-pass depthwise filters: both crossed."""

from collections.abc import Callable
from functools import partial
from itertools import product

import pandas as pd
import torch
from torch import nn

from firstlight.init import harmonic_depthwise_
from firstlight.init.variance_scaling import variance_scaling_
from firstlight.model import initialize
from firstlight.papers.entry import Entry
from firstlight.papers.sinusoidal.mobilenet_judge import draw, judge
from firstlight.papers.sinusoidal.networks import build
from firstlight.papers.training import placed, small_pictures, trained
from firstlight.papers.work import Work

ACTIVATIONS = ("hardswish", "relu")
#: What depthwise filters start as: published is the sinusoid, whose taps sum to zero, so that it
#: passes no mean; mean has a random filter's share of it; he is random.
FILTERS = ("published", "mean", "he")
STARTS = ("default", "orthogonal", *(f"sinusoidal-{name}" for name in FILTERS))


def factory(activation: str, start: str) -> Callable[..., nn.Module]:
    """Return what builds MobileNetV3-small with one activation, from one start."""
    return partial(_build, activation, start)


def __getattr__(name: str) -> Callable[..., nn.Module]:
    """Return the factory of a name as in ``relu__sinusoidal-he``; a sweep asks for it by name."""
    activation, _, start = name.partition("__")
    if activation not in ACTIVATIONS or start.replace("_", "-") not in STARTS:
        raise AttributeError(name)
    return factory(activation, start.replace("_", "-"))


def _build(
    activation: str, start: str, channels: int, size: tuple[int, int], classes: int
) -> nn.Module:
    network = build("mobilenet_v3_small", channels, size, classes)
    if activation == "relu":
        _replace_hardswish(network)
    scheme, _, filters = start.partition("-")
    if scheme != "default":
        initialize(network, scheme, seed=torch.initial_seed() % 2**31)
    if filters in ("mean", "he"):
        _fill_depthwise(network, filters)
    return network


def _replace_hardswish(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Hardswish):
            setattr(module, name, nn.ReLU(inplace=True))
        elif isinstance(child, nn.Dropout):
            child.inplace = False  # the gradient of ReLU needs its output
        else:
            _replace_hardswish(child)


@torch.no_grad()
def _fill_depthwise(network: nn.Module, filters: str) -> None:
    for layer, module in enumerate(network.modules()):
        if isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1:
            if filters == "mean":
                harmonic_depthwise_(module.weight, layer=layer)
            else:
                variance_scaling_(module.weight)


def _measure(work: Work) -> pd.DataFrame:
    block = dict(work.settings)
    starts, activations = block.pop("starts"), block.pop("activations")
    data = block.pop("data", None) or small_pictures(work)
    here = __name__
    names = {f"{here}:{a}__{s.replace('-', '_')}": (a, s) for a, s in product(activations, starts)}
    frame = trained(
        work, [{"models": list(names), "data": placed(work, data), "schemes": "default", **block}]
    )
    frame["activation"] = frame["model"].map(lambda name: names[name][0])
    # a start is what the model brings along; to the sweep all of them are the default
    frame["scheme"] = frame["model"].map(lambda name: names[name][1])
    return frame


_STANDARD = {
    "activations": ACTIVATIONS,
    "starts": STARTS,
    "optimizers": {"sgd:momentum=0.9": 1e-2, "adamw": 1e-3},
    "forms": ("published", "matched", "tuned"),
    "seeds": 3,
    "train_size": 2500,
    "epochs": 6,
}

MOBILENET = Entry(
    name="sinusoidal/mobilenet",
    kind="question",
    where="Appendix A: why MobileNetV3 deviates",
    asks="Is HardSwish or the high-pass depthwise filter the cause of MobileNetV3's exception?",
    published="open; with ReLU in the place of HardSwish sinusoidal wins there, too",
    presets={
        "quick": {
            "activations": ACTIVATIONS,
            "starts": ("sinusoidal-published", "sinusoidal-mean"),
            "data": "digits",
            "optimizers": ("adamw",),
            "seeds": 1,
            "train_size": 40,
            "batch_size": 20,
            "epochs": 1,
        },
        "standard": _STANDARD,
        "full": {
            **_STANDARD,
            "optimizers": ("sgd", "adam", "adamw"),
            "train_size": None,
            "epochs": 200,
            "data": "folder:{data}/tiny-imagenet-200",
        },
    },
    measure=_measure,
    judge=judge,
    draw=draw,
    needs="Tiny-ImageNet and 4 GPU hours a run",
)
