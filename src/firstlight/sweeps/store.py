"""Finished runs on disk: one Parquet file each, named by its key."""

import io
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from firstlight.errors import FirstlightError, OptionError
from firstlight.files import write_atomically
from firstlight.sweeps.packed import packed, read_files
from firstlight.sweeps.row import SCHEMA

_ENDING = ".parquet"


class RunStore:
    """The files of one sweep's folder.

    ``runs`` has a file for each finished run, diverged ones too; ``failed`` one for each that
    crashed or was lost, until it is finished. A file is there whole or not at all.

    Args:
        out: the folder.

    Raises:
        OptionError: it is a file.

    Example:
        >>> import tempfile
        >>> RunStore(Path(tempfile.mkdtemp())).finished()
        set()
    """

    def __init__(self, out: Path) -> None:
        if out.exists() and not out.is_dir():
            raise OptionError(f"out must be a folder, {out} is a file")
        self.out = out
        self.runs, self.failed = out / "runs", out / "failed"
        self._lock = FileLock(out / ".lock")
        self._made = False

    def __enter__(self) -> "RunStore":
        """Let no other sweep write here, and take away what a killed one left half written."""
        self._made = not self.out.exists()
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise FirstlightError(f"another sweep is writing to {self.out}; wait for it") from error
        except OSError as error:
            raise FirstlightError(f"cannot write to {self.out}: {error.strerror}") from error
        for folder in (self.runs, self.failed):
            for path in folder.glob(".*.tmp.parquet"):
                path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if {path.name for path in self.out.iterdir()} <= {".lock"}:  # refused before it began
            (self.out / ".lock").unlink(missing_ok=True)
            if self._made:
                self.out.rmdir()

    def finished(self) -> set[str]:
        """Return the keys of finished runs; a file that was cut short is none."""
        return {entry.name.removesuffix(_ENDING) for entry in _files(self.runs) if _whole(entry)}

    def save(self, row: dict[str, Any]) -> None:
        """Keep a finished run.

        Raises:
            FirstlightError: it cannot be written; nothing is left of it.
        """
        _write(self.runs, row)
        with suppress(OSError):
            (self.failed / f"{row['key']}{_ENDING}").unlink(missing_ok=True)

    def save_failed(self, row: dict[str, Any]) -> None:
        """Keep what is known of a run that crashed or was lost.

        Raises:
            FirstlightError: it cannot be written.
        """
        _write(self.failed, row)

    def frame(self, keys: Iterable[str] | None = None) -> pd.DataFrame:
        """Return one row per finished run, those with ``keys`` or all."""
        wanted = None if keys is None else set(keys)
        entries = {
            entry.name.removesuffix(_ENDING): entry for entry in _files(self.runs) if _whole(entry)
        }
        chosen = {key: e for key, e in entries.items() if wanted is None or key in wanted}
        return _frame(packed(self.out, chosen))

    def failures(self) -> pd.DataFrame:
        """Return one row per run that crashed or was lost."""
        paths = [entry.path for entry in _files(self.failed) if _whole(entry)]
        return _frame(read_files(paths))


def _write(folder: Path, row: dict[str, Any]) -> None:
    content = io.BytesIO()
    table = pa.Table.from_pylist([row], schema=SCHEMA)
    pq.write_table(table, content, compression="zstd", write_statistics=False)
    path = folder / f"{row['key']}{_ENDING}"
    write_atomically(path, lambda file: file.write_bytes(content.getvalue()))


def _files(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [e for e in entries if e.name.endswith(_ENDING) and not e.name.startswith(".")]
    except FileNotFoundError:
        return []


def _whole(entry: os.DirEntry[str]) -> bool:
    """Whether a file ends as Parquet does: a power cut may have left less."""
    try:
        with Path(entry.path).open("rb") as file:
            file.seek(-4, os.SEEK_END)
            return file.read() == b"PAR1"
    except OSError:
        return False


def _frame(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
