"""The options of ``firstlight study depth``."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from firstlight.cli.arguments import FLOATS, INT, folder, real, several, whole

_NETWORKS, _SWEEPS, _BUDGET = "Networks and starts", "Starts that are off", "What each gets"


def widths_list(text: str) -> tuple[tuple[int, ...], ...]:
    """Read widths; a dash joins those that take turns in one network.

    Example:
        >>> widths_list("16,64,16-4")
        ((16,), (64,), (16, 4))
    """
    found = []
    for part in several(text):
        if not re.fullmatch(r"\d{1,9}(-\d{1,9})*", part):
            raise typer.BadParameter(f"expected widths as in 16,64 or 16-4, got {part!r}")
        found.append(tuple(int(width) for width in part.split("-")))
    return tuple(found)


def whole_list(text: str) -> tuple[int, ...]:
    """Read whole numbers separated by commas.

    Example:
        >>> whole_list("10,50")
        (10, 50)
    """
    return tuple(whole(part) for part in several(text))


def size_list(text: str) -> tuple[int, ...]:
    """Read numbers of samples; all is 0.

    Example:
        >>> size_list("100,500,all")
        (100, 500, 0)
    """
    return tuple(0 if part == "all" else whole(part) for part in several(text))


_INTS: dict[str, Any] = {"parser": whole_list, "metavar": "<ints>"}

Widths = Annotated[
    tuple | None,
    typer.Option(
        help="Neurons of the hidden layers; 16-4 takes turns in one network.",
        show_default="16",
        rich_help_panel=_NETWORKS,
        parser=widths_list,
        metavar="<ints>",
    ),
]
Depths = Annotated[
    tuple | None,
    typer.Option(help="Hidden layers.", show_default="10,50", rich_help_panel=_NETWORKS, **_INTS),
]
Activations = Annotated[
    str,
    typer.Option(
        help="tanh, erf, softsign, arctan, ...; tanh(2x) or tanh:scale=2 is tanh of 2 x.",
        rich_help_panel=_NETWORKS,
        metavar="<names>",
    ),
]
Schemes = Annotated[
    str | None,
    typer.Option(
        help="Starts, options as in diagonal_plus_noise:negative_rate=0.1; batch_norm, layer_norm "
        "and residual are structures with Xavier weights.",
        show_default="diagonal_plus_noise, isometric_diagonal, Xavier, He, orthogonal, edge of "
        "chaos, LSUV, and the three structures",
        rich_help_panel=_NETWORKS,
        metavar="<names>",
    ),
]
NoiseFactors = Annotated[
    tuple | None,
    typer.Option(
        help="Also diagonal_plus_noise at so many times its noise, and Gaussian weights at so many "
        "times the critical scale.",
        show_default=False,
        rich_help_panel=_SWEEPS,
        **FLOATS,
    ),
]
NegativeRates = Annotated[
    tuple | None,
    typer.Option(
        help="Also diagonal_plus_noise with these shares p of flipped signs.",
        show_default=False,
        rich_help_panel=_SWEEPS,
        **FLOATS,
    ),
]
OmegaErrors = Annotated[
    tuple | None,
    typer.Option(
        help="Also diagonal_plus_noise with omega (1 + error) on the diagonal.",
        show_default=False,
        rich_help_panel=_SWEEPS,
        **FLOATS,
    ),
]
Data = Annotated[
    str,
    typer.Option(
        help="digits, cifar10, cifar100, mnist, fashion_mnist, or parquet:PATH.",
        rich_help_panel=_BUDGET,
        metavar="<name>",
    ),
]
TrainSizes = Annotated[
    tuple | None,
    typer.Option(
        help="Training samples, as in 100,500,all.",
        show_default="all",
        rich_help_panel=_BUDGET,
        parser=size_list,
        metavar="<ints>",
    ),
]
Seeds = Annotated[int, typer.Option(help="Trainings of each.", rich_help_panel=_BUDGET, **INT)]
LearningRates = Annotated[
    tuple | None,
    typer.Option(
        help="All are tried; held-out training samples choose one for each start.",
        show_default="1e-4,3e-4,1e-3,3e-3",
        rich_help_panel=_BUDGET,
        **FLOATS,
    ),
]
Steps = Annotated[
    int,
    typer.Option(
        help="Updates of a training; 0 looks at the start alone.", rich_help_panel=_BUDGET, **INT
    ),
]
BatchSize = Annotated[
    int, typer.Option(help="Samples of an update.", rich_help_panel=_BUDGET, **INT)
]
Optimizer = Annotated[
    str,
    typer.Option(
        help="adam or sgd; options as in sgd:momentum=0.9.",
        rich_help_panel=_BUDGET,
        metavar="<name>",
    ),
]
Within = Annotated[
    float,
    typer.Option(
        help="Points of accuracy below its best at which a learning rate still trains.",
        rich_help_panel=_BUDGET,
        parser=real,
        metavar="<float>",
    ),
]
DataRoot = Annotated[
    Path | None,
    typer.Option(help="Folder for downloaded data.", show_default="~/.cache/firstlight"),
]
Out = Annotated[
    Path,
    typer.Option(
        help="Folder for figures and study.json; finished parts there are not repeated.",
        parser=folder,
        metavar="<folder>",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the table as JSON.")]
