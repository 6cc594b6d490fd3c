"""The command ``firstlight render``: a field becomes a file again, of any fineness."""

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from firstlight.cli.arguments import file, real, whole
from firstlight.cli.device import device as named_device
from firstlight.cli.extras import require
from firstlight.cli.fit_progress import clock
from firstlight.cli.output import put
from firstlight.cli.target import check_file, file_size

if TYPE_CHECKING:
    from torch import Tensor

    from firstlight.fields.field import Field
    from firstlight.fields.signals.places import Places

#: Seconds between two words on how far it is.
_EVERY = 0.2
#: How fine, in the name of a file.
_WORDS: dict[str, Callable[[Any], str]] = {
    "scale": lambda value: f"x{value:g}",
    "size": lambda value: "x".join(map(str, value)),
    "rate": lambda value: f"{value}Hz",
    "resolution": str,
}


def sides(text: str) -> tuple[int, ...]:
    """Read samples along each axis.

    Example:
        >>> from firstlight.cli.render import sides
        >>> sides("512x768")
        (512, 768)
    """
    return tuple(whole(side) for side in text.split("x"))


def render(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            help="What firstlight fit wrote, finished or not.",
            show_default=False,
            parser=file,
            metavar="CHECKPOINT",
        ),
    ],
    scale: Annotated[
        float | None,
        typer.Option(
            help="So many times as fine along each axis.",
            show_default="1",
            parser=real,
            metavar="<float>",
        ),
    ] = None,
    size: Annotated[
        tuple | None,
        typer.Option(
            help="Image, sphere, volume: samples along each axis, rows first, as in 512x768.",
            parser=sides,
            metavar="<sizes>",
        ),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(help="Sound: frames a second.", parser=whole, metavar="<int>"),
    ] = None,
    resolution: Annotated[
        int | None,
        typer.Option(
            help="Mesh: cells along a side of the box.",
            show_default="128",
            parser=whole,
            metavar="<int>",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File; its ending says of which type (png, tif, jpg, webp; wav, flac, ogg; obj, "
            "ply, stl, off, glb; nc; npy, npz).",
            show_default="the name of CHECKPOINT and how fine, here, as in photo-x4.png",
            parser=file,
            metavar="<file>",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file of that name.")
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(
            help="cpu, cuda, cuda:1, ...",
            show_default="cuda where there is one",
            metavar="<device>",
        ),
    ] = None,
) -> None:
    """Show a fitted field as a file of its own kind, at any resolution."""
    require("render", "fields")
    asked = {"scale": scale, "size": size, "rate": rate, "resolution": resolution}
    options = {name: value for name, value in asked.items() if value is not None}
    from firstlight.fields import load_field
    from firstlight.model.libraries import quiet

    with contextlib.redirect_stdout(sys.stderr), quiet():  # libraries may talk
        field = load_field(checkpoint)
        target = _name(checkpoint, field.form.suffix, options) if out is None else out
        check_file(target, overwrite=overwrite)
        field.to(named_device(device))
        with Console(stderr=True).status(f"rendering {target}") as status:
            written = field.form.save(_told(field, status.update, target), target, **options)
    put(f"{written} ({file_size(written)})", "name of the file")


def _name(checkpoint: Path, suffix: str, options: dict[str, Any]) -> Path:
    """The checkpoint's name and how fine, so that neither it nor the fitted file is in the way.

    Example:
        >>> from firstlight.cli.render import _name
        >>> _name(Path("a/photo.safetensors"), ".png", {"scale": 4.0}).name
        'photo-x4.png'
    """
    fine = [_WORDS[name](value) for name, value in options.items()] or ["x1"]
    return Path("-".join([checkpoint.stem, *fine]) + suffix)


def _told(
    field: "Field", update: Callable[[str], object], target: Path
) -> "Callable[[Places], Tensor]":
    """The field's values at places, with a word on how many of them are done."""
    done, start, last = 0, time.monotonic(), 0.0

    def predict(places: "Places") -> "Tensor":
        nonlocal done, last
        values = field.predict(places)
        done += len(places)
        gone = time.monotonic() - start
        if gone - last > _EVERY:
            last = gone
            update(f"rendering {target}: {done:,} places, {clock(gone)} gone")
        return values

    return predict
