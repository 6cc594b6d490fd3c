"""Images and labels from parquet files; files are data, so everything about them is checked."""

import io
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from firstlight.comparison._contents import matching
from firstlight.comparison._image_files import decode, short
from firstlight.errors import FirstlightError

_KINDS = {"i": "integers", "U": "text", "b": "booleans", "f": "floats"}  # numpy's names

Arrays = tuple[np.ndarray, np.ndarray]


def load(pattern: str) -> tuple[Arrays, Arrays | None]:
    """Read one file, or the train file and the test file that a pattern matches.

    Raises:
        FirstlightError: no such file, or one that does not hold images and labels.
    """
    paths = matching(pattern)
    if not paths:
        raise FirstlightError(f"parquet: no file matches {pattern!r}")
    if len(paths) == 1:
        return _read(paths[0]), None
    train = [path for path in paths if "train" in path.stem.lower()]
    rest = [path for path in paths if path not in train]
    test = [path for path in rest if any(w in path.stem.lower() for w in ("test", "val"))]
    if len(train) != 1 or len(test) != 1:
        names = ", ".join(path.name for path in paths[:5])
        raise FirstlightError(
            f"parquet: {pattern!r} must match one file, or one with 'train' and one with 'test' "
            f"or 'valid' in its name; it matches {names}"
        )
    one, other = _read(train[0]), _read(test[0])
    kinds = [_KINDS[part[1].dtype.kind] for part in (one, other)]
    if kinds[0] != kinds[1]:
        raise FirstlightError(
            f"parquet: labels of {train[0].name} are {kinds[0]}, those of {test[0].name} "
            f"{kinds[1]}; both must be alike"
        )
    if one[0].shape[1:] != other[0].shape[1:]:
        raise FirstlightError(
            f"parquet: images of {train[0].name} have shape {one[0].shape[1:]}, "
            f"those of {test[0].name} {other[0].shape[1:]}; both must be alike"
        )
    return one, other


def _read(path: Path) -> Arrays:
    """Return images (N, H, W, C) and labels (N,) of one file."""
    try:
        columns = pq.read_schema(path).names
        missing = {"image", "label"} - set(columns)
        if missing:
            has = short(", ".join(columns))
            raise FirstlightError(f"{path} must have the columns image and label; it has {has}")
        table = pq.read_table(path, columns=["image", "label"])
    except (OSError, pa.ArrowException) as error:
        raise FirstlightError(f"{path} cannot be read as parquet: {short(error)}") from error
    image = table["image"].combine_chunks()
    if pa.types.is_struct(image.type) and image.type.get_field_index("bytes") >= 0:
        image = image.field("bytes")  # how Hugging Face stores an image
    if not (pa.types.is_binary(image.type) or pa.types.is_large_binary(image.type)):
        raise FirstlightError(
            f"{path}: column image must hold encoded bytes, got {short(image.type)}"
        )
    if table.num_rows == 0 or image.null_count or table["label"].null_count:
        raise FirstlightError(f"{path} must have rows, each with an image and a label")
    labels = _labels(table["label"], path)
    return _decode_all(image, path), labels


def _labels(column: pa.ChunkedArray, path: Path) -> np.ndarray:
    """Return integers, floats, booleans or text as an array of that kind."""
    if pa.types.is_dictionary(column.type):  # how pandas stores categories
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.to_numpy().astype(str)
    if pa.types.is_integer(kind):
        return column.cast(pa.int64(), safe=False).to_numpy()  # unsigned ones stay apart
    if pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return column.to_numpy()
    raise FirstlightError(
        f"{path}: column label must hold {', '.join(_KINDS.values())}; got {short(kind)}"
    )


def _decode_all(encoded: pa.Array, path: Path) -> np.ndarray:
    """Decode every image; grey only where all are grey."""
    images = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for row, item in enumerate(encoded):
            place = f"{path}, row {row}"
            images.append(decode(io.BytesIO(item.as_py()), place, size=None, colour=False))
            if images[-1].shape[:2] != images[0].shape[:2]:
                raise FirstlightError(
                    f"{path}, row {row}: image is {images[-1].shape[:2]}, the first is "
                    f"{images[0].shape[:2]}; all must have one size"
                )
    channels = max(image.shape[2] for image in images)
    stacked = np.empty((len(images), *images[0].shape[:2], channels), np.uint8)
    for row, image in enumerate(images):
        stacked[row] = image
    return stacked
