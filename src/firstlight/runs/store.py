"""Finished parts of a study on disk, one JSON file each: what makes a study resume."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from firstlight.errors import OptionError
from firstlight.files import write_atomically
from firstlight.runs.plain import from_plain, plain

T = TypeVar("T")


class Store:
    """The files under ``out``/runs; None keeps nothing.

    A file has the digest of what it answers as its name, and holds the question beside the answer.

    Example:
        >>> Store(None, print).load({"seed": 0}, int) is None
        True
    """

    def __init__(self, out: Path | None, note: Callable[[str], None]) -> None:
        if out is not None and out.exists() and not out.is_dir():
            raise OptionError(f"out must be a folder, {out} is a file")
        self._out, self._note = out, note

    def load(self, asked: dict[str, Any], kind: type[T]) -> T | None:
        """What was found before; None where it must be found (again)."""
        path = self._path(asked)
        if path is None:
            return None
        try:
            data = json.loads(path.read_bytes())
            if data["asked"] == json.loads(json.dumps(asked)):
                return from_plain(kind, data["found"])
            reason = "holds the answer to another question"
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError, KeyError):
            reason = "is not a readable result"
        self._note(f"{path} {reason}; it is made again")
        return None

    def save(self, asked: dict[str, Any], found: Any) -> None:
        """Keep what was found, whole or not at all.

        Raises:
            FirstlightError: the folder cannot be written to.
        """
        path = self._path(asked)
        if path is not None:
            text = json.dumps({"asked": asked, "found": plain(found)}, allow_nan=False)
            write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))

    def _path(self, asked: dict[str, Any]) -> Path | None:
        if self._out is None:
            return None
        return self._out / "runs" / f"{digest(asked)}.json"


def digest(asked: dict[str, Any]) -> str:
    """A file name for what answers a question: the same for equal questions.

    Example:
        >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
        True
    """
    text = json.dumps(asked, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
