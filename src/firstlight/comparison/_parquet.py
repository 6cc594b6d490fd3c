"""Images and labels from parquet files; files are data, so everything about them is checked."""

import io
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from firstlight.errors import FirstlightError

#: Largest image that is decoded: a small file can claim to unpack to any size.
MAX_PIXELS = 4096 * 4096

_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
_MODES = {"1": "L", "L": "L", "LA": "L"} | dict.fromkeys(
    ("RGB", "RGBA", "P", "CMYK", "YCbCr"), "RGB"
)

Arrays = tuple[np.ndarray, np.ndarray]


def load(pattern: str) -> tuple[Arrays, Arrays | None]:
    """Read one file, or the train file and the test file that a pattern matches.

    Raises:
        FirstlightError: no such file, or one that does not hold images and labels.
    """
    given = Path(pattern).expanduser()
    paths = sorted(given.parent.glob(given.name)) if given.name else []
    if not paths:
        raise FirstlightError(f"parquet: no file matches {pattern!r}")
    if len(paths) == 1:
        return _read(paths[0]), None
    train = [path for path in paths if "train" in path.stem.lower()]
    test = [path for path in paths if any(w in path.stem.lower() for w in ("test", "val"))]
    if len(train) != 1 or len(test) != 1:
        names = ", ".join(path.name for path in paths[:5])
        raise FirstlightError(
            f"parquet: {pattern!r} must match one file, or one with 'train' and one with 'test' "
            f"or 'valid' in its name; it matches {names}"
        )
    one, other = _read(train[0]), _read(test[0])
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
            raise FirstlightError(
                f"{path} must have the columns image and label; it has {', '.join(columns)}"
            )
        table = pq.read_table(path, columns=["image", "label"])
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise FirstlightError(f"{path} cannot be read as parquet: {reason}") from error
    image = table["image"].combine_chunks()
    if pa.types.is_struct(image.type) and image.type.get_field_index("bytes") >= 0:
        image = image.field("bytes")  # how Hugging Face stores an image
    if not (pa.types.is_binary(image.type) or pa.types.is_large_binary(image.type)):
        raise FirstlightError(f"{path}: column image must hold encoded bytes, got {image.type}")
    if table.num_rows == 0 or image.null_count or table["label"].null_count:
        raise FirstlightError(f"{path} must have rows, each with an image and a label")
    return _decode_all(image, path), table["label"].to_numpy()


def _decode_all(encoded: pa.Array, path: Path) -> np.ndarray:
    """Decode every image; grey only where all are grey."""
    images = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for row, item in enumerate(encoded):
            try:
                images.append(_decode(item.as_py()))
            except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as e:
                raise FirstlightError(f"{path}, row {row}: {e}") from e
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


def _decode(content: bytes) -> np.ndarray:
    """Decode one image to (H, W, 1) or (H, W, 3)."""
    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(
                f"{image.width} x {image.height} pixels are more than the limit of {MAX_PIXELS}"
            )
        if image.mode not in _MODES:
            raise ValueError(f"an image must be 8-bit grey or RGB, got mode {image.mode!r}")
        pixels = np.asarray(image.convert(_MODES[image.mode]))
    return pixels.reshape(*pixels.shape[:2], -1)
