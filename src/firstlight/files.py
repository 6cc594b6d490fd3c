"""Files that appear whole or not at all."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from firstlight.errors import FirstlightError


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a file beside ``path``, then put it in its place in one step.

    The file beside it has the same ending, by which libraries choose a format. Who may read it is
    as with the file that it replaces, or else as the umask has it, whatever ``write`` thinks.

    Raises:
        FirstlightError: the folder cannot be written to.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> target = Path(tempfile.mkdtemp()) / "a.txt"
        >>> write_atomically(target, lambda path: path.write_text("whole or absent"))
        >>> target.read_text(), len(list(target.parent.iterdir()))
        ('whole or absent', 1)
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        temporary.touch()  # with what the umask leaves of 0666: asking for it would change it
        mode = (path if path.exists() else temporary).stat().st_mode & 0o777
        write(temporary)
        with suppress(PermissionError):  # file systems that know no modes
            temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise FirstlightError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
