"""A batch of samples of one shape, drawn by chance: to trace a model with, or to look at it."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.errors import OptionError

#: Positions that the decoder of a sequence-to-sequence model is given.
_DECODED = 8
_MOST = 10**9  # numbers: 4 GB


def sample(model: nn.Module, shape: Sequence[int], count: int = 2, seed: int = 0) -> Any:
    """Return standard normal samples, or texts where a model of transformers reads them.

    Args:
        model: whose input it will be.
        shape: of one sample: (channels, height, width) of an image, (length,) of a text.
        count: how many samples.
        seed: of the draw.

    Returns:
        A tensor, or for a model of transformers a dict of them. The same for one seed.

    Raises:
        OptionError: a model of texts takes one length, or the batch would be huge.

    Example:
        >>> from firstlight.model.sample import sample
        >>> sample(nn.Conv2d(3, 8, 3), (3, 32, 32)).shape
        torch.Size([2, 3, 32, 32])
    """
    if count * math.prod(shape) > _MOST:
        given = "x".join(map(str, shape))
        raise OptionError(f"a sample must have at most {_MOST // count} numbers, got {given}")
    generator = torch.Generator().manual_seed(seed)
    name, config = getattr(model, "main_input_name", None), getattr(model, "config", None)
    if not isinstance(name, str) or config is None:
        return torch.randn(count, *shape, generator=generator)
    if name == "input_ids":
        batch = {name: _tokens(config, shape, count, generator)}
    else:
        batch = {name: torch.randn(count, *shape, generator=generator)}
    if getattr(config, "is_encoder_decoder", False):
        batch["decoder_input_ids"] = _tokens(config, (_DECODED,), count, generator)
    return batch


def _tokens(config: Any, shape: Sequence[int], count: int, generator: torch.Generator) -> Tensor:
    if len(shape) != 1:
        given = "x".join(map(str, shape))
        raise OptionError(f"the model reads token numbers: one length is expected, got {given}")
    size = config.get_text_config().vocab_size
    return torch.randint(size, (count, *shape), generator=generator)
