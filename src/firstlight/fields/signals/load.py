"""Any file as a signal, by the ending of its name."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.errors import FirstlightError, OptionError, check_choice
from firstlight.fields.packages import needed_for
from firstlight.fields.signals.signal import Signal

#: What reads a kind: module, function, and options that the kind fixes.
_READERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "image": ("image", "read_image", {}),
    "audio": ("audio", "read_audio", {}),
    "occupancy": ("shape", "read_shape", {"kind": "occupancy"}),
    "signed_distance": ("shape", "read_shape", {"kind": "signed_distance"}),
    "sphere": ("sphere", "read_sphere", {}),
    "volume": ("volume", "read_volume", {}),
    "shape": ("shape", "read_shape", {}),
}
#: Endings of names, in small letters, by kind.
_ENDINGS = {
    "image": "png jpg jpeg jpe jfif tif tiff bmp dib webp gif ppm pgm pbm pnm tga ico jp2 j2k "
    "avif pcx sgi qoi dds psd",
    "audio": "wav flac ogg oga opus aiff aif aifc mp3 au caf w64",
    "shape": "obj ply stl off glb",
    "sphere": "nc nc4 cdf h5",
    "volume": "npy npz",
}
_KINDS = {"." + ending: kind for kind, listed in _ENDINGS.items() for ending in listed.split()}


def load(source: Any, *, kind: str | None = None, **options: Any) -> Signal:
    """Read a file or array as a signal to fit a field to.

    Args:
        source: a path; or an array, a Pillow image, or what else the kind's reader takes. Without
            a kind, Pillow images and arrays of uint8 or uint16, (height, width) or (height,
            width, 3 or 4), are images, and other arrays volumes.
        kind: "image", "audio", "occupancy", "signed_distance", "sphere" or "volume"; None goes by
            the ending of the name.
        **options: of the kind's reader, as ``every``, ``held_out`` and ``seed``.

    Raises:
        FirstlightError: no such file, it is not what it is taken for, or a package is missing.
        OptionError: the ending, the kind, or an option is not known.

    Example:
        >>> load(np.zeros((4, 6, 3), dtype=np.uint8)).form
        ImageForm(height=4, width=6, mode='RGB', bits=8, low=0.0, high=0.0)
        >>> load(np.zeros((4, 6, 3)), kind="volume", channels_last=True).outputs
        3
    """
    if kind is not None:
        _check_kind(kind)
    if isinstance(source, str | Path):
        chosen = kind or kind_of_name(Path(source))
        _check_file(Path(source))
    else:
        chosen = kind or _kind_of_array(source)
    module, name, fixed = _READERS[chosen]
    _check_options(chosen, options)
    read = getattr(import_module(f"firstlight.fields.signals.{module}"), name)
    with needed_for(f"reading {source if isinstance(source, str | Path) else 'this'}"):
        return read(source, **options, **fixed)


def kind_of_name(path: Path) -> str:
    """What a file is taken for, by its ending; "shape" stands for both kinds of meshes.

    Raises:
        OptionError: the ending is not known.

    Example:
        >>> kind_of_name(Path("photo.PNG"))
        'image'
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise OptionError(
            f"what {path.name!r} is cannot be told from its ending; name it by its kind (png, "
            "wav, obj, nc, npy, ...), or give kind"
        )
    return kind


def _check_file(path: Path) -> None:
    try:
        if path.is_file():
            return
        reason = "it is a folder" if path.is_dir() else "there is no such file"
    except (OSError, ValueError) as error:  # a name too long, or with a zero byte in it
        reason = str(error)
    raise FirstlightError(f"cannot read {str(path)!r}: {reason}")


def _kind_of_array(source: Any) -> str:
    if type(source).__module__.startswith("PIL."):
        return "image"
    try:
        array = np.asarray(source)
    except (ValueError, TypeError, RuntimeError) as error:
        raise OptionError(
            f"a signal is a path, an array or a Pillow image, got {type(source).__name__}"
        ) from error
    picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    return "image" if picture and array.dtype.name in ("uint8", "uint16") else "volume"


def _check_kind(kind: object) -> None:
    check_choice(kind, [name for name in _READERS if name != "shape"], "kind")


def known_options(kind: str) -> list[str]:
    """What a kind's reader can be told, by name.

    Raises:
        OptionError: there is no such kind.

    Example:
        >>> known_options("image")
        ['every', 'held_out', 'seed']
    """
    if kind != "shape":
        _check_kind(kind)
    module, name, _ = _READERS[kind]
    read = getattr(import_module(f"firstlight.fields.signals.{module}"), name)
    return [
        name
        for name, parameter in inspect.signature(read).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name != "kind"
    ]


def _check_options(kind: str, options: dict[str, Any]) -> None:
    known = known_options(kind)
    for name in options:
        if name not in known:
            raise OptionError(f"{kind} is read with {', '.join(known)}; it has no {name}")
