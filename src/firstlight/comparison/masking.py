"""Which tokens of a text are hidden from a network that shall predict them."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from firstlight.comparison.vocabulary import Vocabulary

#: Of the tokens of a row, those that are predicted; of these, those written as [MASK], and those
#: written as another token. The rest stay as they are.
PREDICTED, MASKED, REPLACED = 0.15, 0.8, 0.1

_ROWS = 4096  # drawn at a time: the draws of a large text need not fit in memory together


class Masks(NamedTuple):
    """Where tokens are predicted and what the network reads there, (rows, predicted) each."""

    places: Tensor
    written: Tensor


def count(context: int) -> int:
    """Return how many tokens of a row are predicted: 15 % of those between [CLS] and [SEP].

    Example:
        >>> from firstlight.comparison.masking import count
        >>> count(128), count(3)
        (19, 1)
    """
    return max(1, round(PREDICTED * (context - 2)))


def draw(rows: Tensor, vocabulary: Vocabulary, *keys: int) -> Masks:
    """Draw as BERT does: 15 % of each row's tokens; 80 % of them hidden, 10 % others, 10 % as is.

    Special tokens are neither predicted nor written in another's place.

    Args:
        rows: token numbers (rows, context); each row has ``count(context)`` that are not special.
        vocabulary: which of them are special.
        keys: whole numbers that the draw depends on, beside ``rows``.

    Example:
        >>> import torch
        >>> from firstlight.comparison.vocabulary import Vocabulary
        >>> found = draw(torch.tensor([[2, 7, 8, 9, 3]]), Vocabulary(10, 4, (0, 1, 2, 3, 4)), 0)
        >>> found.places.shape, bool(0 < found.places < 4)
        (torch.Size([1, 1]), True)

    Reference: arXiv 1810.04805, appendix A.1.
    """
    chance = np.random.default_rng(keys)
    parts = [_draw(part.numpy(), vocabulary, chance) for part in rows.split(_ROWS)]
    places, written = (torch.from_numpy(np.concatenate(part)) for part in zip(*parts, strict=True))
    return Masks(places, written)


def _draw(
    rows: np.ndarray, vocabulary: Vocabulary, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    predicted = count(rows.shape[1])
    keys = chance.random(rows.shape)
    keys[np.isin(rows, vocabulary.special)] = 2
    places = np.sort(np.argpartition(keys, predicted - 1, axis=1)[:, :predicted], axis=1)
    written = np.take_along_axis(rows, places, axis=1)
    ordinary = np.setdiff1d(np.arange(vocabulary.size), vocabulary.special)
    other = ordinary[chance.integers(len(ordinary), size=places.shape)]
    fate = chance.random(places.shape)
    written[fate < MASKED + REPLACED] = other[fate < MASKED + REPLACED]
    written[fate < MASKED] = vocabulary.mask
    return places.astype(np.int32), written
