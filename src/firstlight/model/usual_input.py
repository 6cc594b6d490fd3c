"""What a model of a library is made to look at, where nobody says."""

from collections.abc import Callable
from typing import Any

from torch import nn

#: Tokens of a text; a model that reads fewer gets as many as it reads.
_LENGTH = 128


def usual_input(model: nn.Module) -> tuple[int, ...] | None:
    """Return the shape of one sample that a model of torchvision, timm or transformers is made for.

    Args:
        model: any module.

    Returns:
        (channels, height, width) of an image, (length,) of a text; None where it is not known.

    Example:
        >>> from firstlight.model.named import build
        >>> usual_input(build("timm:resnet10t", meta=True)), usual_input(nn.Linear(2, 2))
        ((3, 176, 176), None)
    """
    package = type(model).__module__.partition(".")[0]
    return _FINDERS[package](model) if package in _FINDERS else None


def _torchvision(model: Any) -> tuple[int, ...]:
    kind = type(model)
    if ".video." in kind.__module__:
        return 3, 16, 112, 112  # what they are trained on
    side = 299 if kind.__name__ == "Inception3" else getattr(model, "image_size", 224)
    return 3, side, side


def _timm(model: Any) -> tuple[int, ...] | None:
    usual = (getattr(model, "pretrained_cfg", None) or {}).get("input_size")
    if usual is None:
        return None
    channels = next((m.in_channels for m in model.modules() if isinstance(m, nn.Conv2d)), usual[0])
    # a model that was built for another size says so here only
    size = getattr(getattr(model, "patch_embed", None), "img_size", None) or usual[1:]
    return channels, *size


def _transformers(model: Any) -> tuple[int, ...] | None:
    config = model.config
    if model.main_input_name == "input_ids":
        return (min(_LENGTH, getattr(config, "max_position_embeddings", None) or _LENGTH),)
    if model.main_input_name != "pixel_values":
        return None
    size = getattr(config, "image_size", None) or 224
    height, width = (size, size) if isinstance(size, int) else size
    return getattr(config, "num_channels", None) or 3, height, width


_FINDERS: dict[str, Callable[[Any], tuple[int, ...] | None]] = {
    "torchvision": _torchvision,
    "timm": _timm,
    "transformers": _transformers,
}
