"""Untrained models of transformers, from a model type, an architecture class or a config file."""

import difflib
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from firstlight.errors import OptionError
from firstlight.model.libraries import library, offline, quiet, unknown

#: A configuration is a page or two; a larger file is something else.
_MAX_BYTES = 1_000_000
#: What configurations call what we call otherwise.
_SETTINGS = {"in_channels": "num_channels", "image_size": "image_size", "classes": "num_labels"}


def maker(name: str, images: Mapping[str, Any] | None = None) -> Callable[..., nn.Module]:
    """Return what builds the model from keyword arguments for its configuration.

    Nothing is fetched, and code that a configuration points to is not run.

    Args:
        name: a model type (bert), an architecture class (GPT2LMHeadModel), or the path of a
            config.json or of a folder with one.
        images: in_channels, image_size and classes of the images that it is for, where its
            configuration has such settings.

    Raises:
        OptionError: no such type, class or file, or a file that holds no configuration.
        FirstlightError: transformers is not installed.

    Example:
        >>> from firstlight.model.hugging_face import maker
        >>> maker("GPT2LMHeadModel")(n_layer=2, n_embd=48, vocab_size=99).transformer.wte
        Embedding(99, 48)
    """
    transformers = library("transformers")
    usual = _settings(images or {})
    if name in transformers.CONFIG_MAPPING:
        return partial(_build, None, transformers.CONFIG_MAPPING[name], {}, usual)
    architecture = _architecture(name)
    if architecture:
        return partial(_build, architecture, architecture.config_class, {}, usual)
    if "/" in name or name.endswith(".json") or Path(name).exists():
        return _from_file(Path(name).expanduser(), usual)
    raise unknown("transformers", name, [*transformers.CONFIG_MAPPING, *_architecture_names()])


def _settings(images: Mapping[str, Any]) -> dict[str, Any]:
    """Return what configurations call the channels, size and classes of images."""
    settings = {_SETTINGS[name]: value for name, value in images.items()}
    height, width = settings.get("image_size", (0, 0))
    if height:
        settings["image_size"] = height if height == width else [height, width]
    return settings


def _architecture(name: object) -> Any:
    """Return the class of transformers' called ``name``; None where there is no such model."""
    transformers = library("transformers")
    with quiet():
        found: Any = getattr(transformers, str(name), None)
    is_model = isinstance(found, type) and issubclass(found, transformers.PreTrainedModel)
    return found if is_model and found.config_class else None


def _architecture_names() -> list[str]:
    names = dir(library("transformers"))
    return [name for name in names if name.endswith("Model") or "For" in name]


def _from_file(path: Path, usual: Mapping[str, Any]) -> Callable[..., nn.Module]:
    path = path / "config.json" if path.is_dir() else path
    given = _read(path)
    known = library("transformers").CONFIG_MAPPING
    kind = given.pop("model_type", None)
    if not isinstance(kind, str) or kind not in known:
        raise OptionError(f"{path}: model_type must be one that transformers knows, got {kind!r}")
    given.pop("auto_map", None)  # the way to code of the model's own, which is not run
    names = given.get("architectures")
    architecture = _architecture(names[0]) if isinstance(names, list) and names else None
    return partial(_build, architecture, known[kind], given, usual)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise OptionError(
            f"hf:{path}: no such file; expected a config.json or a folder with one "
            "(nothing is downloaded)"
        )
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"larger than {_MAX_BYTES} bytes")
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise OptionError(f"hf:{path}: cannot read it as JSON: {error}") from error
    if not isinstance(given, dict):
        raise OptionError(f"hf:{path}: expected an object with a model_type, got {given!r:.40}")
    return given


def _build(
    architecture: Any,
    configuration: Any,
    given: Mapping[str, Any],
    usual: Mapping[str, Any],
    **options: Any,
) -> nn.Module:
    """Build ``architecture``, or the base model of the configuration."""
    transformers = library("transformers")
    with quiet(), offline():
        config = _configured(configuration, given, usual, options)
        if architecture is not None:
            return architecture(config)
        if type(config) not in transformers.MODEL_MAPPING:
            raise OptionError(
                f"transformers has no base model of type {config.model_type!r}; name one of its "
                "classes, as in hf:GPT2LMHeadModel"
            )
        return transformers.AutoModel.from_config(config)


def _configured(
    configuration: Any,
    given: Mapping[str, Any],
    usual: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Any:
    """Return the configuration with the user's options, each of which it must have."""
    config = configuration(**given)
    for name in options:
        if not hasattr(config, name):  # it would take any
            close = difflib.get_close_matches(name, [*vars(config), *config.attribute_map], n=4)
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            raise OptionError(f"{configuration.__name__} has no setting {name!r}{hint}")
    fitting = {name: value for name, value in usual.items() if hasattr(config, name)}
    try:
        return configuration(**{**given, **fitting, **options})
    except Exception as error:  # its checks of values, several lines each
        raise OptionError(f"{configuration.__name__}: {' '.join(str(error).split())}") from error
