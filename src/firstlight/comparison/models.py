"""Networks by name: ours, torchvision's, timm's, or whatever a user's own factory builds."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from firstlight.errors import OptionError
from firstlight.model import zoo
from firstlight.model.libraries import library, unknown
from firstlight.model.named import own

Factory = Callable[[int, tuple[int, int], int], nn.Module]

_OURS: dict[str, Factory] = {name: getattr(zoo, name) for name in zoo.__all__}


def factory(name: str) -> Factory:
    """Find what builds the network called ``name``, with the framework's own initialization.

    ``module:factory`` is the one name that runs a user's own code: ``nets:build`` imports
    ``nets`` and calls ``build(in_channels, image_size, classes)``, image_size being
    (height, width).

    Args:
        name: mlp, small_resnet, small_vit, torchvision:NAME, timm:NAME or module:factory.

    Returns:
        A function of (in_channels, image_size, classes).

    Raises:
        OptionError: no such network.

    Example:
        >>> from firstlight.comparison.models import factory
        >>> factory("mlp")(1, (8, 8), 10)[-1]
        Linear(in_features=256, out_features=10, bias=True)
    """
    prefix, colon, rest = name.partition(":")
    if name in _OURS:
        return _OURS[name]
    if not (prefix and colon and rest):
        raise OptionError(
            f"model must be one of {', '.join(_OURS)}, torchvision:NAME, timm:NAME or "
            f"module:factory; got {name!r}"
        )
    return _DOORS.get(prefix, lambda _: own(prefix, rest))(rest)


def is_own(name: str) -> bool:
    """Return whether ``name`` is module:factory, a user's own code."""
    return name.partition(":")[0] not in (*_OURS, *_DOORS)


def fingerprint(name: str) -> str:
    """Return a hash of the file that module:factory is written in; "" where there is none.

    What that file imports is not looked at.
    """
    source = getattr(sys.modules.get(name.partition(":")[0]), "__file__", None)
    try:
        return hashlib.blake2b(Path(source or "").read_bytes(), digest_size=10).hexdigest()
    except OSError:  # as in a zip file
        return ""


def _torchvision_model(name: str) -> Factory:
    models = library("torchvision").models
    known = models.list_models(module=models)  # classification only
    if name not in known:
        raise unknown("torchvision", name, known)

    def build(in_channels: int, image_size: tuple[int, int], classes: int) -> nn.Module:
        if in_channels != 3:
            raise OptionError(
                f"torchvision:{name} takes images of 3 channels, the data has {in_channels}; "
                f"timm's networks take any number"
            )
        options: dict[str, Any] = {}
        if name.startswith("vit_"):
            patch = int(name.rpartition("_")[2])
            if image_size[0] != image_size[1] or image_size[0] % patch:
                raise OptionError(
                    f"torchvision:{name} takes square images with a side that is a multiple of "
                    f"{patch}, the data has {image_size[0]} x {image_size[1]}"
                )
            options["image_size"] = image_size[0]
        elif name in ("googlenet", "inception_v3"):  # their auxiliary heads change the output
            options = {"aux_logits": False, "init_weights": True}
        return models.get_model(name, weights=None, num_classes=classes, **options)

    return build


def _timm_model(name: str) -> Factory:
    timm = library("timm")
    if not timm.is_model(name):
        raise unknown("timm", name, timm.list_models())

    def build(in_channels: int, image_size: tuple[int, int], classes: int) -> nn.Module:
        options = {"num_classes": classes, "in_chans": in_channels}
        try:
            return timm.create_model(name, **options, img_size=image_size)
        except TypeError:  # only the networks with a fixed image size take img_size
            return timm.create_model(name, **options)

    return build


_DOORS: dict[str, Callable[[str], Factory]] = {
    "torchvision": _torchvision_model,
    "timm": _timm_model,
}
