"""Other people's libraries of models: imported where they are, without noise and downloads."""

import contextlib
import difflib
import importlib
import logging
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from firstlight.errors import FirstlightError, OptionError
from firstlight.model import _torchvision

#: The extra of ours that installs each.
_EXTRA = {"torchvision": "vision", "timm": "vision", "transformers": "hf"}


def library(name: str) -> Any:
    """Import torchvision, timm or transformers.

    Raises:
        FirstlightError: it is not installed.

    Example:
        >>> from firstlight.model.libraries import library
        >>> library("torchvision").models.__name__
        'torchvision.models'
    """
    _torchvision.prepare()
    try:
        with quiet():
            return importlib.import_module(name)
    except ImportError as error:
        raise FirstlightError(
            f"models of {name} need {name}: pip install 'firstlight[{_EXTRA[name]}]'"
        ) from error


def unknown(package: str, name: str, known: Iterable[str]) -> OptionError:
    """Return the error for a model that ``package`` does not have, with the names that come close.

    Example:
        >>> from firstlight.model.libraries import unknown
        >>> print(unknown("torchvision", "resnet19", ["resnet18", "vgg11"]))
        torchvision has no model 'resnet19'; did you mean resnet18?
    """
    close = difflib.get_close_matches(name, known, n=4, cutoff=0.5)
    hint = f"; did you mean {', '.join(close)}?" if close else ""
    return OptionError(f"{package} has no model {name!r}{hint}")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let no warning and no log record through: others' chatter is no concern of the user's.

    Example:
        >>> from firstlight.model.libraries import quiet
        >>> with quiet():
        ...     logging.getLogger("transformers").error("Generation config file not found")
    """
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Let nothing be fetched from the Hugging Face hub, as with HF_HUB_OFFLINE=1.

    Example:
        >>> from firstlight.model.libraries import offline
        >>> import huggingface_hub
        >>> with offline():
        ...     huggingface_hub.constants.is_offline_mode()
        True
    """
    constants: Any = importlib.import_module("huggingface_hub.constants")
    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
