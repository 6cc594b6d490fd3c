"""What files hold, as one hash."""

import hashlib
from pathlib import Path

from firstlight.errors import FirstlightError

_AT_ONCE = 2**20


def matching(pattern: str) -> list[Path]:
    """Return the file of that name, else the files that the pattern matches, sorted."""
    try:
        given = Path(pattern).expanduser()
        if given.is_file():
            return [given]
        return sorted(given.parent.glob(given.name)) if given.name else []
    except (OSError, ValueError, RuntimeError):  # too long a name, "**x", no such user
        return []


def fingerprint(name: str) -> str:
    """Hash the names and bytes of all files that KIND:PATTERN matches.

    Raises:
        FirstlightError: there is none, or one cannot be read.
    """
    kind, _, pattern = name.partition(":")
    paths = [path for path in matching(pattern) if path.is_file()]
    if not paths:
        raise FirstlightError(f"{kind}: no file matches {pattern!r}")
    found = hashlib.blake2b(digest_size=10)
    for path in paths:
        try:
            with path.open("rb") as file:
                found.update(f"{path.name} {path.stat().st_size} ".encode(errors="replace"))
                while block := file.read(_AT_ONCE):
                    found.update(block)
        except OSError as error:
            raise FirstlightError(f"{kind}: {path} cannot be read: {error.strerror}") from error
    return found.hexdigest()
