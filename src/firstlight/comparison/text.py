"""A text for a comparison: rows of tokens, kept as numbers, split the same way every time."""

import functools
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from firstlight.comparison import corpus, masking, tokenizer
from firstlight.comparison.vocabulary import Vocabulary
from firstlight.errors import FirstlightError, OptionError

_SPLIT_SEED = 0  # every choice of rows is the same, in every run and on every machine


@dataclass(frozen=True, eq=False)
class Text:
    """Rows of tokens (N, context) to learn from, and rows that no run is trained on."""

    name: str
    train: Tensor
    test: Tensor
    vocabulary: Vocabulary

    _parts: dict[tuple[int | None, bool], "Text"] = field(default_factory=dict, repr=False)

    @property
    def context(self) -> int:
        """Tokens of a row."""
        return self.train.shape[1]

    def select(self, train_size: int | None, held_out: bool) -> "Text":
        """Return what one run sees; a second call returns the same object.

        Args:
            train_size: rows to train on, a fixed choice; None is all.
            held_out: judge on the last tenth of the training rows instead of the test rows.

        Raises:
            OptionError: more rows asked for than there are, or too few to be divided.
        """
        if train_size in (None, len(self.train)) and not held_out:
            return self
        if (train_size, held_out) not in self._parts:
            self._parts[train_size, held_out] = self._select(train_size, held_out)
        return self._parts[train_size, held_out]

    def _select(self, train_size: int | None, held_out: bool) -> "Text":
        train, test = self.train, self.test
        if train_size is not None:
            if not 1 <= train_size <= len(train):
                raise OptionError(
                    f"train_size must lie between 1 and {len(train)} (the training rows of "
                    f"{self.name}), got {train_size}"
                )
            chosen = np.random.default_rng(_SPLIT_SEED).permutation(len(train))[:train_size]
            train = train[torch.from_numpy(np.sort(chosen))]
        if held_out:
            if len(train) < 2:
                raise OptionError(f"tuning needs at least 2 training rows of {self.name}, got 1")
            judged = max(1, len(train) // 10)
            train, test = train[:-judged], train[-judged:]
        return Text(self.name, train, test, self.vocabulary)

    def to(self, device: torch.device) -> "Text":
        """Return the same text on ``device``."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of all tokens and of what they mean: another text has another one."""
        found = hashlib.blake2b(repr(self.vocabulary).encode(), digest_size=10)
        for part in (self.train, self.test):
            found.update(str(tuple(part.shape)).encode())
            found.update(np.ascontiguousarray(part.numpy()).data)
        return found.hexdigest()


def load(name: str, root: Path) -> Text:
    """Load the text called ``name``; a tokenizer is trained on what is learned from alone.

    Args:
        name: wikitext2 or text:PATH, with options vocabulary and context, or tokenizer, as in
            ``text:notes.txt:vocabulary=4096``.
        root: folder for downloads.

    Raises:
        OptionError: no such name or option.
        FirstlightError: it cannot be downloaded or read, or is too short.

    Example:
        >>> import tempfile
        >>> from firstlight.comparison.text import load
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "a.txt").write_text("one two three four " * 50)
        ...     text = load(f"text:{folder}/a.txt:context=8", Path(folder))
        >>> text.train.shape, text.test.shape
        (torch.Size([30, 8]), torch.Size([3, 8]))
    """
    source = corpus.Source.of(name)
    learned, judged = corpus.read(source, root)
    if source.tokenizer is None:
        pieces = tokenizer.trained(learned, source.vocabulary)
    else:
        pieces = tokenizer.loaded(source.tokenizer)
    train, test = (_rows(part, pieces, source.context) for part in (learned, judged))
    if not len(train) or not len(test):
        what = "test" if len(train) else "training"
        raise FirstlightError(
            f"{name}: its {what} text is too short for one row of {source.context}"
        )
    return Text(name, train, test, pieces.vocabulary)


def _rows(text: str, pieces: tokenizer.Tokenizer, context: int) -> Tensor:
    """Pack tokens between [CLS] and [SEP]; what fills no row, or has too few words, is left out."""
    tokens = pieces.encode(text)
    count = len(tokens) // (context - 2)
    rows = np.empty((count, context), np.int32)
    rows[:, 0], rows[:, -1] = pieces.begin, pieces.end
    rows[:, 1:-1] = tokens[: count * (context - 2)].reshape(count, context - 2)
    ordinary = np.isin(rows, pieces.vocabulary.special, invert=True).sum(1)
    return torch.from_numpy(rows[ordinary >= masking.count(context)])
