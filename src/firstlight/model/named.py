"""Untrained models by name: ours, other libraries', from a configuration, or a user's own code."""

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from firstlight.errors import FirstlightError, OptionError
from firstlight.init.schemes import _literal
from firstlight.model import hugging_face, zoo
from firstlight.model.libraries import library, quiet, unknown
from firstlight.model.reason import reason

#: Arguments of torchvision's and timm's that fetch or read trained weights.
_TRAINED = {"pretrained", "pretrained_backbone", "weights", "weights_backbone", "checkpoint_path"}
#: What our own networks are built for where nothing is said.
_IMAGES: Mapping[str, Any] = {"in_channels": 3, "image_size": (32, 32), "classes": 10}


def build(text: str, *, meta: bool = False, images: Mapping[str, Any] | None = None) -> nn.Module:
    """Build the model that ``text`` names, with the framework's own start; download nothing.

    ``module:factory`` is the one name that runs a user's own code: ``nets:build`` imports ``nets``
    and calls ``build()``.

    Args:
        text: mlp, small_resnet, small_vit, torchvision:NAME, timm:NAME, hf:NAME or module:factory.
            ``hf:`` takes a model type (bert), an architecture class (GPT2LMHeadModel), or the path
            of a config.json or of a folder with one. Keyword arguments may follow, as in
            ``timm:vit_small_patch16_224:depth=2:img_size=64``: Python literals where they read as
            one, text otherwise.
        meta: build on the meta device, where tensors have shapes and no memory.
        images: in_channels, image_size and classes, or some of them. Our own networks are built for
            such images, and those of transformers, where ``text`` says nothing else.

    Raises:
        OptionError: no such model, an argument that it does not take, or one that asks for trained
            weights.
        FirstlightError: its library is not installed.

    Example:
        >>> from firstlight.model.named import build
        >>> build("mlp:width=64:depth=1")[-1]
        Linear(in_features=64, out_features=10, bias=True)
        >>> build("torchvision:resnet18:num_classes=5", meta=True).fc.weight.device
        device(type='meta')
    """
    name, options = split(text)
    make = partial(_maker(name, images or {}), **options)
    if not meta:
        return built(text, make)
    with torch.device("meta"):
        return built(text, make, " on the meta device (it may be without)")


def built(text: str, make: Callable[[], Any], where: str = "") -> nn.Module:
    """Call what builds the model called ``text``.

    Raises:
        OptionError: it raises, or returns no model.

    Example:
        >>> from firstlight.model.named import built
        >>> built("mine", nn.ReLU)
        ReLU()
    """
    try:
        model = make()
    except FirstlightError:
        raise
    except (Exception, SystemExit) as error:  # others' code, which may ask Python to exit
        raise OptionError(f"model {text} cannot be built{where}: {reason(error)}") from error
    if not isinstance(model, nn.Module):
        raise OptionError(f"model {text}: expected a torch.nn.Module, got {model!r}")
    return model


def own(module: str, attribute: str, what: str = "model") -> Callable[..., Any]:
    """Import a user's own function; ``what`` says in messages what it is for.

    Raises:
        OptionError: the module cannot be imported, or has no such function.

    Example:
        >>> from firstlight.model.named import own
        >>> own("torch.nn", "Linear")
        <class 'torch.nn.modules.linear.Linear'>
    """
    try:
        imported = importlib.import_module(module)
    # the user's own code runs here and may raise anything, or ask Python to exit
    except (Exception, SystemExit) as error:
        raise OptionError(
            f"{what} {module}:{attribute}: cannot import {module}: {reason(error)}"
        ) from error
    try:
        found = getattr(imported, attribute)
    except AttributeError as error:
        raise OptionError(f"{what} {module}:{attribute}: {error}") from error
    if not callable(found):
        raise OptionError(f"{what} {module}:{attribute} must be callable, got {found!r}")
    return found


def split(text: str) -> tuple[str, dict[str, Any]]:
    """Split "name:option=value" where options begin: a value may hold a colon, as a dict does.

    Example:
        >>> from firstlight.model.named import split
        >>> split("timm:vit_small_patch16_224:depth=2")
        ('timm:vit_small_patch16_224', {'depth': 2})
    """
    name, *parts = re.split(r":(?=[A-Za-z_]\w*=)", text)
    options: dict[str, Any] = {}
    for part in parts:
        key, _, value = part.partition("=")
        if key in options:
            raise OptionError(f"option {key!r} is given twice in {text!r}")
        options[key] = _literal(value)
    return name, options


def _maker(name: str, images: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the function that builds the model called ``name`` from keyword arguments."""
    prefix, colon, rest = name.partition(":")
    if name in zoo.__all__:
        return partial(getattr(zoo, name), **{**_IMAGES, **images})
    if not (prefix and colon and rest):
        raise OptionError(
            f"model must be one of {', '.join(zoo.__all__)}, torchvision:NAME, timm:NAME, hf:NAME "
            f"or module:factory; got {name!r}"
        )
    if prefix == "hf":
        return hugging_face.maker(rest, images)
    return _DOORS[prefix](rest) if prefix in _DOORS else own(prefix, rest)


def _torchvision_maker(name: str) -> Callable[..., nn.Module]:
    models = library("torchvision").models
    known = models.list_models()
    if name not in known:
        raise unknown("torchvision", name, known)
    parameters = inspect.signature(models.get_model_builder(name)).parameters
    return partial(
        _untrained, partial(models.get_model, name), dict.fromkeys(_TRAINED & set(parameters))
    )


def _timm_maker(name: str) -> Callable[..., nn.Module]:
    timm = library("timm")
    if not timm.is_model(name):
        raise unknown("timm", name, timm.list_models())
    return partial(_untrained, partial(timm.create_model, name), {"pretrained": False})


def _untrained(make: Callable[..., nn.Module], fixed: dict[str, Any], **options: Any) -> nn.Module:
    check_untrained(options)
    with quiet():
        return make(**fixed, **options)


def check_untrained(options: Mapping[str, Any]) -> None:
    """Raise ``OptionError`` where an argument of a library's model asks for trained weights."""
    trained = sorted(_TRAINED & set(options))
    if trained:
        raise OptionError(f"only untrained models are built: leave out the option {trained[0]!r}")


_DOORS: dict[str, Callable[[str], Callable[..., nn.Module]]] = {
    "torchvision": _torchvision_maker,
    "timm": _timm_maker,
}
