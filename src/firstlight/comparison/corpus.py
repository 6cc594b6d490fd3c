"""Texts by name: what is asked for, where it lies, and which part of it judges."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstlight.comparison import _contents
from firstlight.comparison.tokenizer import VOCABULARY
from firstlight.errors import FirstlightError, OptionError
from firstlight.model.libraries import quiet
from firstlight.model.named import split
from firstlight.model.reason import reason

#: How the data of a text are named.
NAMES = ("wikitext2", "text:PATH")
#: Tokens of a row.
CONTEXT = 128

_RANGES = {"vocabulary": (16, 2**17), "context": (8, 2**12)}
# the one that datasets "wikitext", "wikitext-2-raw-v1" loads since it moved to parquet files
_HUB = ("Salesforce/wikitext", "b08601e04326c79dfdd32d625aee71d232d685c3")


@dataclass(frozen=True)
class Source:
    """What a name like ``text:PATH:vocabulary=4096`` asks for.

    Attributes:
        pattern: the user's file or pattern; "" for WikiText-2.
        vocabulary: tokens of the WordPiece that is trained on the text.
        context: tokens of a row.
        tokenizer: name of one that exists, instead.
    """

    pattern: str = ""
    vocabulary: int = VOCABULARY
    context: int = CONTEXT
    tokenizer: str | None = None

    @classmethod
    def of(cls, name: str) -> "Source":
        """Read ``name``.

        Raises:
            OptionError: no path, an option that there is not, or a value out of range.

        Example:
            >>> from firstlight.comparison.corpus import Source
            >>> Source.of("text:notes/*.txt:vocabulary=4096:context=64")
            Source(pattern='notes/*.txt', vocabulary=4096, context=64, tokenizer=None)
        """
        text, options = split(name)
        kind, _, pattern = text.partition(":")
        if (kind == "text") != bool(pattern):
            raise OptionError(f"data must be text:PATH or wikitext2, got {name!r}")
        for key, value in options.items():
            _check(name, key, value)
        if {"tokenizer", "vocabulary"} <= set(options):
            raise OptionError(f"{name}: tokenizer brings a vocabulary; leave one of them out")
        return cls(pattern, **options)


def is_text(name: str) -> bool:
    """Return whether ``name`` names a text, well or not.

    Example:
        >>> from firstlight.comparison.corpus import is_text
        >>> is_text("text:notes.txt"), is_text("wikitext2:context=64"), is_text("digits")
        (True, True, False)
    """
    return name.partition(":")[0] in ("text", "wikitext2")


def _check(name: str, key: str, value: Any) -> None:
    if key in _RANGES:
        least, most = _RANGES[key]
        if type(value) is not int or not least <= value <= most:
            raise OptionError(
                f"{name}: {key} must be a whole number from {least} to {most}, got {value!r}"
            )
    elif key != "tokenizer":
        raise OptionError(
            f"{name}: options of a text are vocabulary, context and tokenizer, got {key!r}"
        )
    elif type(value) is not str or not value:
        raise OptionError(f"{name}: tokenizer must be a name, got {value!r}")


def read(source: Source, root: Path) -> tuple[str, str]:
    """Return the text to learn from and the text that judges.

    A single file is cut at the end of the line that 90 % of it reaches into.

    Args:
        source: what is asked for.
        root: folder for downloads.

    Raises:
        FirstlightError: no such file, one that is no UTF-8, or WikiText-2 out of reach.
    """
    if not source.pattern:
        return _wikitext2("train", root), _wikitext2("validation", root)
    paths = _contents.matching(source.pattern)
    if not paths:
        raise FirstlightError(f"text: no file matches {source.pattern!r}")
    if len(paths) == 1:
        text = _utf8(paths[0])
        cut = text.find("\n", 9 * len(text) // 10, len(text) - 1) + 1 or 9 * len(text) // 10
        return text[:cut], text[cut:]
    return tuple(_utf8(path) for path in _parts(source.pattern, paths))  # type: ignore[return-value]


def _parts(pattern: str, paths: list[Path]) -> tuple[Path, Path]:
    """Return the file to learn from and the one that judges, by the words in their names."""
    words = {"train": ("train",), "valid": ("val",), "test": ("test",)}
    found = {
        kind: [path for path in paths if any(part in path.stem.lower() for part in parts)]
        for kind, parts in words.items()
    }
    learn = found["train"] or found["valid"]
    judge = found["test"] or found["valid"]
    if len(learn) != 1 or len(judge) != 1 or learn == judge or sum(map(len, found.values())) > 3:
        names = ", ".join(path.name for path in paths[:5])
        raise FirstlightError(
            f"text: {pattern!r} must match one file, or one with 'train' or 'valid' and one with "
            f"'test' in its name; it matches {names}"
        )
    return learn[0], judge[0]


def _utf8(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FirstlightError(
            f"{path} must be UTF-8: {error.reason}, byte {error.start}"
        ) from error
    except OSError as error:
        raise FirstlightError(f"{path} cannot be read: {error.strerror}") from error


def _wikitext2(part: str, root: Path) -> str:
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise FirstlightError(
            "wikitext2 needs huggingface_hub: pip install 'firstlight[hf]'"
        ) from error
    import pyarrow.parquet as pq

    name, revision = _HUB
    try:
        with quiet():  # it says so each time that it tries again
            path = hf_hub_download(
                name,
                f"wikitext-2-raw-v1/{part}-00000-of-00001.parquet",
                repo_type="dataset",
                revision=revision,
                cache_dir=root / "wikitext2",
            )
        return "".join(pq.read_table(path, columns=["text"])["text"].to_pylist())
    except Exception as error:  # the hub's, the network's, the file's
        raise FirstlightError(
            f"wikitext2 could not be downloaded to {root}: {reason(error)[:200]}; a text that is "
            "at hand is text:PATH"
        ) from error
