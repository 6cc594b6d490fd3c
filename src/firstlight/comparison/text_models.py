"""Networks that read texts, by name: bert_mini, transformers', or a user's own."""

from collections.abc import Callable
from typing import Any

from torch import nn

from firstlight.comparison.bert_mini import bert_mini
from firstlight.model import hugging_face
from firstlight.model.named import built, split

#: Takes tokens that there are and tokens of a row.
TextFactory = Callable[[int, int], nn.Module]

NAMES = ("bert_mini", "hf:NAME")


def reads_texts(name: str) -> bool:
    """Return whether ``name`` names a network that reads texts and nothing else.

    Example:
        >>> from firstlight.comparison.text_models import reads_texts
        >>> reads_texts("bert_mini:layers=2"), reads_texts("mlp")
        (True, False)
    """
    return name.partition(":")[0] in ("bert_mini", "hf")


def text_factory(text: str) -> TextFactory:
    """Find what builds the network called ``text``, with the framework's own initialization.

    Args:
        text: bert_mini or hf:NAME, as in hf:RobertaForMaskedLM; options may follow, as in
            bert_mini:layers=2.

    Raises:
        OptionError: no such network.
        FirstlightError: transformers is not installed.

    Example:
        >>> from firstlight.comparison.text_models import text_factory
        >>> text_factory("bert_mini:layers=1:width=32")(99, 16).config.vocab_size
        99
    """
    name, options = split(text)
    if name == "bert_mini":
        return lambda vocabulary, context: built(
            text, lambda: bert_mini(vocabulary, context, **options)
        )
    make = hugging_face.maker(name.removeprefix("hf:"))

    def made(vocabulary: int, context: int) -> nn.Module:  # noqa: ARG001  any length will do
        settings: dict[str, Any] = {"vocab_size": vocabulary, **options}
        return built(text, lambda: make(**settings))

    return made
