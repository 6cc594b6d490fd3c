"""From text to numbers of tokens: WordPiece trained here, or another's tokenizer."""

import string
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from firstlight.comparison.vocabulary import Vocabulary
from firstlight.errors import FirstlightError, OptionError
from firstlight.model.libraries import library, quiet
from firstlight.model.reason import reason

#: Tokens at most, unless the user says otherwise.
VOCABULARY = 8192

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ALPHABET = 1000  # characters at most, as BERT's; words with rarer ones are unknown
_RARE = "<unk>"  # what WikiText has in place of rare words


@dataclass(frozen=True)
class Tokenizer:
    """Turns text into numbers; ``begin`` and ``end`` stand around each row."""

    vocabulary: Vocabulary
    begin: int
    end: int
    unknown: str
    _pieces: Any  # tokenizers.Tokenizer

    def encode(self, text: str) -> np.ndarray:
        """Return the numbers of all tokens of ``text``; WikiText's <unk> is the unknown token.

        Example:
            >>> from firstlight.comparison.tokenizer import trained
            >>> trained("to be or not to be", 100).encode("To be <unk>").tolist()
            [18, 17, 1]
        """
        lines = text.replace(_RARE, self.unknown).splitlines()
        found = self._pieces.encode_batch_fast(lines, add_special_tokens=False)
        return np.fromiter((number for line in found for number in line.ids), np.int32)


def trained(text: str, size: int = VOCABULARY) -> Tokenizer:
    """Train a lower-case WordPiece on ``text``; equal texts give equal tokenizers.

    Args:
        text: what is learned from.
        size: tokens at most, special ones included.

    Raises:
        OptionError: ``size`` is too small for the text's characters.
        FirstlightError: tokenizers is not installed.

    Example:
        >>> from firstlight.comparison.tokenizer import trained
        >>> trained("to be or not to be", 100).vocabulary.special
        (0, 1, 2, 3, 4)

    Reference: arXiv 1609.08144.
    """
    parts = _tokenizers()
    normalizer = parts.normalizers.BertNormalizer(lowercase=True)
    lines = text.replace(_RARE, " ").splitlines()
    alphabet = _alphabet(lines, normalizer)
    # the trainer numbers these in an order of chance, on which ties between pieces depend
    inner = [f"##{letter}" for letter in alphabet if not _stands_alone(letter)]
    least = len(_SPECIAL) + len(alphabet) + len(inner)
    if size < least:
        raise OptionError(
            f"vocabulary must be at least {least} for a text of {len(alphabet)} different "
            f"characters, got {size}"
        )
    pieces = _bert(parts, normalizer, parts.models.WordPiece(unk_token="[UNK]"))
    trainer = parts.trainers.WordPieceTrainer(
        vocab_size=size,
        special_tokens=[*_SPECIAL, *inner],
        initial_alphabet=alphabet,
        limit_alphabet=max(1, len(alphabet)),
        show_progress=False,
    )
    pieces.train_from_iterator(lines, trainer)
    # anew, for the inner letters are no special tokens
    model = parts.models.WordPiece(pieces.get_vocab(), unk_token="[UNK]")
    pieces = _bert(parts, normalizer, model)
    pieces.add_special_tokens(list(_SPECIAL))
    vocabulary = Vocabulary(pieces.get_vocab_size(), 4, tuple(range(len(_SPECIAL))))
    return Tokenizer(vocabulary, 2, 3, "[UNK]", pieces)


def _bert(parts: Any, normalizer: Any, model: Any) -> Any:
    pieces = parts.Tokenizer(model)
    pieces.normalizer = normalizer
    pieces.pre_tokenizer = parts.pre_tokenizers.BertPreTokenizer()
    return pieces


def _alphabet(lines: list[str], normalizer: Any) -> list[str]:
    """Return the most frequent characters, in their own order."""
    found: Counter[str] = Counter()
    for line in lines:
        found.update(normalizer.normalize_str(line))
    letters = [letter for letter in found if not letter.isspace()]
    return sorted(sorted(letters, key=lambda letter: (-found[letter], letter))[:_ALPHABET])


def _stands_alone(letter: str) -> bool:
    """Return whether ``letter`` is a word of its own, as BERT's rules for punctuation have it."""
    return letter in string.punctuation or unicodedata.category(letter).startswith("P")


def loaded(name: str) -> Tokenizer:
    """Load the tokenizer called ``name`` with transformers: from the hub, its cache or a folder.

    Raises:
        FirstlightError: transformers is not installed, or the tokenizer cannot be reached.
        OptionError: it has no token for what is hidden.
    """
    transformers = library("transformers")
    try:
        with quiet():
            found = transformers.AutoTokenizer.from_pretrained(name)
    except Exception as error:  # the hub's, the files', and the library's own, of many kinds
        raise FirstlightError(
            f"tokenizer {name!r} cannot be loaded: {reason(error)[:200]}; without tokenizer= one "
            "is trained on the text"
        ) from error
    needed = {"mask": found.mask_token_id, "cls": found.cls_token_id, "sep": found.sep_token_id}
    lacking = [f"{what}_token" for what, number in needed.items() if number is None]
    pieces = getattr(found, "backend_tokenizer", None)
    if lacking or pieces is None:
        raise OptionError(
            f"tokenizer {name!r} must have {', '.join(lacking) or 'a fast form'}, as BERT's has"
        )
    # lines of any length are packed into rows, which needs neither
    pieces.no_truncation()
    pieces.no_padding()
    special = tuple(sorted(found.all_special_ids))
    vocabulary = Vocabulary(len(found), needed["mask"], special)
    return Tokenizer(vocabulary, needed["cls"], needed["sep"], found.unk_token or _RARE, pieces)


def _tokenizers() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise FirstlightError("texts need tokenizers: pip install 'firstlight[hf]'") from error
    return tokenizers
