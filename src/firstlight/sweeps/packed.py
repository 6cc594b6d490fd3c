"""Thousands of result files read at once: a copy of all of them in one file, kept beside them."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from firstlight.errors import FirstlightError
from firstlight.files import write_atomically
from firstlight.sweeps.row import SCHEMA

#: Files beyond which reading them one by one is worth avoiding the next time.
_WORTH = 200
_STAMP = "stamp"


def packed(out: Path, files: Mapping[str, "os.DirEntry[str]"]) -> pa.Table:
    """Return the rows of ``files``, from the copy where it has them unchanged.

    Opening a file takes a millisecond; ten thousand of them would make a command wait.

    Args:
        out: folder in which the copy lies.
        files: of results, by key.
    """
    path = out / "packed.parquet"
    stamps = {key: _stamp(entry) for key, entry in files.items()}
    copy = _copy(path)
    known = dict(zip(copy["key"].to_pylist(), copy[_STAMP].to_pylist(), strict=True))
    rest = sorted(key for key, stamp in stamps.items() if known.get(key) != stamp)
    old = copy.filter(pc.invert(pc.is_in(copy["key"], pa.array(rest, pa.string()))))
    new = read_files([files[key].path for key in rest])
    new = new.append_column(_STAMP, pa.array([stamps[key] for key in rest], pa.string()))
    found = pa.concat_tables([old, new])
    if len(rest) > _WORTH:
        with suppress(FirstlightError):  # a folder that cannot be written to can still be read
            write_atomically(path, lambda file: pq.write_table(found, file, compression="zstd"))
    asked = pc.is_in(found["key"], pa.array(sorted(files), pa.string()))
    return found.filter(asked).drop_columns([_STAMP])


def read_files(paths: Sequence[str]) -> pa.Table:
    """Return the rows of result files, in their order.

    Raises:
        FirstlightError: one of them is no result.
    """
    try:
        return ds.dataset(list(paths), schema=SCHEMA, format="parquet").to_table()
    except (OSError, pa.ArrowException) as error:
        broken = next((path for path in paths if not _readable(path)), "a file of the results")
        raise FirstlightError(
            f"{broken} cannot be read; without it, the sweep would make it again: {error}"
        ) from error


def _readable(path: str) -> bool:
    try:
        pq.read_table(path, schema=SCHEMA)
    except (OSError, pa.ArrowException):
        return False
    return True


def _copy(path: Path) -> pa.Table:
    schema = SCHEMA.append(pa.field(_STAMP, pa.string()))
    try:
        table = pq.read_table(path)
        return table.cast(schema)
    except (OSError, pa.ArrowException, ValueError):  # none, or of another version
        return schema.empty_table()


def _stamp(entry: "os.DirEntry[str]") -> str:
    found = entry.stat()
    return f"{found.st_mtime_ns}-{found.st_size}"
