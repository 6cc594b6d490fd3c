"""What the numbers of a text's tokens mean."""

from typing import NamedTuple


class Vocabulary(NamedTuple):
    """How many tokens there are, and which of them stand for no piece of text.

    Attributes:
        size: tokens, special ones included; their numbers are below it.
        mask: the number of [MASK].
        special: the numbers of all special tokens.
    """

    size: int
    mask: int
    special: tuple[int, ...]
