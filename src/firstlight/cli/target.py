"""Where a command writes, looked at before the work and not after it."""

import tempfile
from pathlib import Path

from firstlight.errors import FirstlightError, OptionError


def check_writable(out: Path) -> None:
    """Raise ``FirstlightError`` unless there can be files in a folder; leave nothing behind.

    Example:
        >>> from firstlight.cli.target import check_writable
        >>> check_writable(Path(tempfile.gettempdir()) / "not" / "there" / "yet")
    """
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise FirstlightError(
            f"cannot write into --out {out}: {error.strerror}; choose another folder"
        ) from error


def check_file(out: Path, *, overwrite: bool) -> None:
    """Raise unless a file can be written under this name; one that is there must be given up.

    Raises:
        OptionError: it is a folder, or there and not to be overwritten.
        FirstlightError: its folder cannot be written to.

    Example:
        >>> from firstlight.cli.target import check_file
        >>> check_file(Path(tempfile.gettempdir()) / "not-there-yet.png", overwrite=False)
    """
    try:
        there, is_folder = out.exists(), out.is_dir()
    except (OSError, ValueError) as error:  # a name too long, or with a zero byte in it
        raise OptionError(f"--out {str(out)!r} cannot be a file: {error}") from error
    if is_folder:
        raise OptionError(f"--out must be a file, got the folder {out}")
    if there and not overwrite:
        raise OptionError(
            f"{out} is there already: --overwrite replaces it, --out names another file"
        )
    check_writable(out.parent)


def file_size(path: Path) -> str:
    """How large a file is, in words.

    Example:
        >>> from firstlight.cli.target import file_size
        >>> file_size(Path(__file__)).endswith(" kB")
        True
    """
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
