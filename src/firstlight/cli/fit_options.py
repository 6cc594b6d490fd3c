"""The options of ``firstlight fit``: what each is called, and how it is read.

Those of the signal are ``signal_options``.
"""

from pathlib import Path
from typing import Annotated

import typer

from firstlight.cli.arguments import FLOAT, INT, file, several_numbers, word_or_whole

_NETWORK, _LIMITS, _TRAINING = "Network", "When to stop", "Training"
_FILES = "Checkpoint"

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
        **INT,
    ),
]
Depth = Annotated[
    int | None,
    typer.Option(
        help="Weight layers, the last included.",
        show_default="5; hash_grid: 3",
        rich_help_panel=_NETWORK,
        **INT,
    ),
]
Alpha = Annotated[
    str | None,
    typer.Option(
        help="Weight scale: a number, one for each layer but the last as in 2,1.5,1.5,1, or auto, "
        "which chooses it from the signal (sine alone, started as siren or gradient_control).",
        show_default="auto for sine; 1 for others and other starts",
        rich_help_panel=_NETWORK,
        metavar="<alpha>",
    ),
]
TargetPsnr = Annotated[
    float | None,
    typer.Option(help="Stop at this PSNR, in dB.", rich_help_panel=_LIMITS, **FLOAT),
]
Steps = Annotated[
    int | None,
    typer.Option(
        help="Stop after so many steps.",
        show_default="2000 if there is no other limit",
        rich_help_panel=_LIMITS,
        **INT,
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        help="Stop after so many seconds of training; the choice of alpha and all else before the "
        "first step do not count.",
        rich_help_panel=_LIMITS,
        **FLOAT,
    ),
]
Seed = Annotated[
    int, typer.Option(help="Of the weights and of batches.", rich_help_panel=_TRAINING, **INT)
]
Optimizer = Annotated[
    str,
    typer.Option(help="adam, or sgd.", rich_help_panel=_TRAINING, metavar="<name>"),
]
LearningRate = Annotated[
    float, typer.Option(help="Learning rate.", rich_help_panel=_TRAINING, **FLOAT)
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
