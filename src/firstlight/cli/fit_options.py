"""The options of ``firstlight fit``: what each is called, and how it is read."""

from pathlib import Path
from typing import Annotated, Any

import typer

from firstlight.cli.arguments import file, real, several, whole

_NETWORK, _LIMITS, _TRAINING, _SIGNAL, _FILES = (
    "Network",
    "When to stop",
    "Training",
    "What is read of the file",
    "Checkpoint",
)
_INT: dict[str, Any] = {"parser": whole, "metavar": "<int>"}
_FLOAT: dict[str, Any] = {"parser": real, "metavar": "<float>"}


def several_numbers(text: str) -> tuple[float, ...]:
    """Read numbers separated by commas.

    Example:
        >>> from firstlight.cli.fit_options import several_numbers
        >>> several_numbers("1,1,0.5")
        (1.0, 1.0, 0.5)
    """
    return tuple(real(part) for part in several(text))


def word_or_whole(text: str) -> str | int:
    """Read a whole number where it is one, else a word.

    Example:
        >>> from firstlight.cli.fit_options import word_or_whole
        >>> word_or_whole("4096"), word_or_whole("full")
        (4096, 'full')
    """
    return int(text) if text.removeprefix("-").isdecimal() else text


def share_or_count(text: str) -> float | int:
    """Read a whole number where it is one, else a share.

    Example:
        >>> from firstlight.cli.fit_options import share_or_count
        >>> share_or_count("1000"), share_or_count("0.1")
        (1000, 0.1)
    """
    found = word_or_whole(text)
    return real(found) if isinstance(found, str) else found


def pairs(text: str) -> dict[str, str]:
    """Read level=500,month=1.

    Example:
        >>> from firstlight.cli.fit_options import pairs
        >>> pairs("level=500, month=1")
        {'level': '500', 'month': '1'}
    """
    found: dict[str, str] = {}
    for part in several(text):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not (name and equals and value) or name in found:
            raise typer.BadParameter(f"expected each dimension once, as in level=500, got {text!r}")
        found[name] = value
    return found


File = Annotated[
    Path,
    typer.Argument(
        help="An image (png, jpg, tif, ...), sound (wav, flac, ...), mesh (obj, ply, stl, ...), "
        "map of a sphere (nc), or array (npy, npz).",
        show_default=False,
        parser=file,
        metavar="FILE",
    ),
]
NetworkText = Annotated[
    str,
    typer.Option(
        help="sine, finer, gauss, sinc, wire, tuner, fourier_features, multiplicative_filter or "
        "hash_grid; options as in sine:alpha=1.5:omega_0=60.",
        rich_help_panel=_NETWORK,
        metavar="<network>",
    ),
]
Width = Annotated[
    int | None,
    typer.Option(
        help="Neurons of a hidden layer.",
        show_default="256; hash_grid: 64",
        rich_help_panel=_NETWORK,
        **_INT,
    ),
]
Depth = Annotated[
    int | None,
    typer.Option(
        help="Weight layers, the last included.",
        show_default="5; hash_grid: 3",
        rich_help_panel=_NETWORK,
        **_INT,
    ),
]
Alpha = Annotated[
    str | None,
    typer.Option(
        help="Weight scale: a number, one for each layer but the last as in 2,1.5,1.5,1, or auto, "
        "which chooses it from the signal (sine alone).",
        show_default="auto for sine; 1 for others",
        rich_help_panel=_NETWORK,
        metavar="<alpha>",
    ),
]
TargetPsnr = Annotated[
    float | None,
    typer.Option(help="Stop at this PSNR, in dB.", rich_help_panel=_LIMITS, **_FLOAT),
]
Steps = Annotated[
    int | None,
    typer.Option(
        help="Stop after so many steps.",
        show_default="2000 if there is no other limit",
        rich_help_panel=_LIMITS,
        **_INT,
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(help="Stop after so long.", rich_help_panel=_LIMITS, **_FLOAT),
]
Seed = Annotated[
    int, typer.Option(help="Of the weights and of batches.", rich_help_panel=_TRAINING, **_INT)
]
Optimizer = Annotated[
    str,
    typer.Option(help="adam, or sgd.", rich_help_panel=_TRAINING, metavar="<name>"),
]
LearningRate = Annotated[
    float, typer.Option(help="Learning rate.", rich_help_panel=_TRAINING, **_FLOAT)
]
LayerRates = Annotated[
    tuple | None,
    typer.Option(
        help="Factors of it, one for each weight layer, as in 1,1,1,1,0.1.",
        show_default="1 for all",
        rich_help_panel=_TRAINING,
        parser=several_numbers,
        metavar="<floats>",
    ),
]
Batch = Annotated[
    str,
    typer.Option(
        help="Samples of a step: a number, full, or auto, which is full up to 262144.",
        rich_help_panel=_TRAINING,
        parser=word_or_whole,
        metavar="<batch>",
    ),
]
Precision = Annotated[
    str,
    typer.Option(help="float32 or bfloat16.", rich_help_panel=_TRAINING, metavar="<name>"),
]
Compile = Annotated[
    bool | None,
    typer.Option(
        "--compile/--no-compile",
        help="Use torch.compile.",
        show_default="where it pays",
        rich_help_panel=_TRAINING,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        help="cpu, cuda, cuda:1, ...",
        show_default="cuda where there is one",
        rich_help_panel=_TRAINING,
        metavar="<device>",
    ),
]
Kind = Annotated[
    str | None,
    typer.Option(
        help="image, audio, occupancy or signed_distance (of a mesh), sphere, volume.",
        show_default="by the ending of FILE; meshes: occupancy",
        rich_help_panel=_SIGNAL,
        metavar="<kind>",
    ),
]
Every = Annotated[
    int | None,
    typer.Option(
        help="Fit every n-th sample along each axis, and judge by the others.",
        rich_help_panel=_SIGNAL,
        **_INT,
    ),
]
HeldOut = Annotated[
    float | None,
    typer.Option(
        help="Or judge by this share, drawn at random; meshes: by so many points.",
        show_default="nothing; meshes: a quarter of --points",
        rich_help_panel=_SIGNAL,
        parser=share_or_count,
        metavar="<float>",
    ),
]
Start = Annotated[
    float | None,
    typer.Option(help="Sound: seconds to skip.", rich_help_panel=_SIGNAL, **_FLOAT),
]
Length = Annotated[
    float | None,
    typer.Option(help="Sound: seconds to read.", rich_help_panel=_SIGNAL, **_FLOAT),
]
Rate = Annotated[
    int | None,
    typer.Option(
        help="Sound: frames a second to fit.",
        show_default="the file's",
        rich_help_panel=_SIGNAL,
        **_INT,
    ),
]
Variable = Annotated[
    str | None,
    typer.Option(
        help="Sphere: which variable.",
        show_default="the only one",
        rich_help_panel=_SIGNAL,
        metavar="<name>",
    ),
]
Select = Annotated[
    dict | None,
    typer.Option(
        help="Sphere: a value of each other dimension, as in level=500,month=1.",
        rich_help_panel=_SIGNAL,
        parser=pairs,
        metavar="<pairs>",
    ),
]
Missing = Annotated[
    str | None,
    typer.Option(
        help="Sphere: refuse places without a value, or drop them.",
        show_default="refuse",
        rich_help_panel=_SIGNAL,
        metavar="<name>",
    ),
]
Points = Annotated[
    int | None,
    typer.Option(
        help="Mesh: how many points are fitted.",
        show_default="262144",
        rich_help_panel=_SIGNAL,
        **_INT,
    ),
]
Lattice = Annotated[
    int | None,
    typer.Option(
        help="Mesh: fit a lattice of so many points a side instead.",
        rich_help_panel=_SIGNAL,
        **_INT,
    ),
]
Clamp = Annotated[
    float | None,
    typer.Option(
        help="Mesh: largest distance that signed_distance tells apart; half the box is 1.",
        rich_help_panel=_SIGNAL,
        **_FLOAT,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="Checkpoint, NAME.safetensors; an unfinished fit there is gone on with.",
        show_default="FILE's name, here",
        rich_help_panel=_FILES,
        parser=file,
        metavar="<file>",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace a finished field, or another file, of that name.",
        rich_help_panel=_FILES,
    ),
]
