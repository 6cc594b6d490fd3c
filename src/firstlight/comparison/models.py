"""Networks by name: ours, torchvision's, timm's, or whatever a user's own factory builds."""

from collections.abc import Callable
from typing import Any

from torch import nn

from firstlight.comparison import corpus, own_code, text_models
from firstlight.comparison.data import Data
from firstlight.errors import OptionError
from firstlight.model import hugging_face, zoo
from firstlight.model.libraries import library, unknown
from firstlight.model.named import build, built, check_untrained, own, split
from firstlight.model.signature import accepts

#: Takes channels, (height, width) and classes of images; and what else the network can be told.
Factory = Callable[..., nn.Module]

_OURS: dict[str, Factory] = {name: getattr(zoo, name) for name in zoo.__all__}


def factory(name: str) -> Factory:
    """Find what builds the network called ``name``, with the framework's own initialization.

    ``module:factory`` is the one name that runs a user's own code: ``nets:build`` imports
    ``nets`` and calls ``build(in_channels, image_size, classes)``, image_size being
    (height, width), or ``build(vocabulary, context)`` where the data are a text, for a network that
    turns tokens (N, context) into logits (N, context, vocabulary).

    Args:
        name: mlp, small_resnet, small_vit, torchvision:NAME, timm:NAME or module:factory; bert_mini
            or hf:NAME for texts.

    Returns:
        A function of (in_channels, image_size, classes), or of (vocabulary, context) for texts.

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
    if text_models.reads_texts(name):
        return text_models.text_factory(name)
    if not (prefix and colon and rest):
        raise OptionError(
            f"model must be one of {', '.join(_OURS)}, torchvision:NAME, timm:NAME, bert_mini, "
            f"hf:NAME or module:factory; got {name!r}"
        )
    return _DOORS.get(prefix, lambda _: own(prefix, rest))(rest)


def check_kind(name: str, data: str) -> None:
    """Raise ``OptionError`` where one of network and data is for texts and the other for images.

    Example:
        >>> from firstlight.comparison.models import check_kind
        >>> check_kind("bert_mini", "wikitext2")
    """
    of_text = corpus.is_text(data)
    if text_models.reads_texts(name) and not of_text:
        raise OptionError(
            f"{name} reads texts, {data} holds images: give {' or '.join(corpus.NAMES)}"
        )
    if of_text and not text_models.reads_texts(name) and not is_own(name):
        known = ", ".join(text_models.NAMES)
        raise OptionError(f"{name} sees images, {data} is a text: give {known} or module:factory")


def fitting(text: str) -> Callable[[Data], nn.Module]:
    """Find what builds the network called ``text`` for the images and classes of some data.

    Keyword arguments may follow the name, as ``firstlight.model.named.build`` takes them, and win
    over what the data say; ``hf:NAME`` is one of transformers'. A user's own factory is called as
    ``factory(in_channels, image_size, classes)`` if it takes so many arguments, else without any.

    Raises:
        OptionError: no such network, or an argument that asks for trained weights.

    Example:
        >>> from firstlight.comparison.data import load
        >>> from firstlight.comparison.models import fitting
        >>> fitting("mlp:width=32")(load("digits"))[1]
        Linear(in_features=64, out_features=32, bias=True)
    """
    name, options = split(text)
    if name.startswith("hf:"):
        hugging_face.maker(name.removeprefix("hf:"))  # a wrong name shall load no data
    if name in _OURS or name.startswith("hf:"):
        return lambda data: build(text, images=_images(data))
    if text_models.reads_texts(name):
        raise OptionError(f"{name} reads texts, and only images are looked at here")
    check_untrained(options)
    make = factory(name)

    def made(data: Data) -> nn.Module:
        facts = tuple(_images(data).values())
        if is_own(name) and not accepts(make, *facts, **options):
            return built(text, lambda: make(**options))
        return built(text, lambda: make(*facts, **options))

    return made


def _images(data: Data) -> dict[str, Any]:
    return {
        "in_channels": data.in_channels,
        "image_size": data.image_size,
        "classes": data.classes,
    }


def is_own(name: str) -> bool:
    """Return whether ``name`` is module:factory, a user's own code."""
    return name.partition(":")[0] not in (*_OURS, *_DOORS, "bert_mini", "hf")


def fingerprint(name: str) -> str:
    """Return a hash of the code of module:factory, see ``own_code.fingerprint``."""
    return own_code.fingerprint(name.partition(":")[0])


def _torchvision_model(name: str) -> Factory:
    models = library("torchvision").models
    known = models.list_models(module=models)  # classification only
    if name not in known:
        raise unknown("torchvision", name, known)

    def make(
        in_channels: int, image_size: tuple[int, int], classes: int, **given: Any
    ) -> nn.Module:
        if in_channels != 3:
            raise OptionError(
                f"torchvision:{name} takes images of 3 channels, the data has {in_channels}; "
                f"timm's networks take any number"
            )
        options: dict[str, Any] = {"num_classes": classes}
        if name.startswith("vit_"):
            patch = int(name.rpartition("_")[2])
            if image_size[0] != image_size[1] or image_size[0] % patch:
                raise OptionError(
                    f"torchvision:{name} takes square images with a side that is a multiple of "
                    f"{patch}, the data has {image_size[0]} x {image_size[1]}"
                )
            options["image_size"] = image_size[0]
        elif name in ("googlenet", "inception_v3"):  # their auxiliary heads change the output
            options |= {"aux_logits": False, "init_weights": True}
        return models.get_model(name, weights=None, **{**options, **given})

    return make


def _timm_model(name: str) -> Factory:
    timm = library("timm")
    if not timm.is_model(name):
        raise unknown("timm", name, timm.list_models())

    def make(
        in_channels: int, image_size: tuple[int, int], classes: int, **given: Any
    ) -> nn.Module:
        options = {"num_classes": classes, "in_chans": in_channels, **given}
        try:
            return timm.create_model(name, **{"img_size": image_size, **options})
        except TypeError:  # only the networks with a fixed image size take img_size
            return timm.create_model(name, **options)

    return make


_DOORS: dict[str, Callable[[str], Factory]] = {
    "torchvision": _torchvision_model,
    "timm": _timm_model,
}
