"""The options of ``firstlight fields study`` that ``firstlight fit`` has not."""

from pathlib import Path
from typing import Annotated

import typer

from firstlight.cli.arguments import FLOAT, FLOATS, INT, file, folder
from firstlight.cli.signal_options import READING

_NETWORKS, _BUDGET = "What is compared", "What each gets"

#: Weight scales of a single network that says none.
ALPHAS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
#: Published for Adam.
RATES = (1e-4,)


SignalFile = Annotated[
    Path,
    typer.Option(
        "--signal",
        help="An image, sound, mesh, map of a sphere, or array.",
        show_default=False,
        parser=file,
        metavar="<file>",
    ),
]
Networks = Annotated[
    str,
    typer.Option(
        help="Separated by commas; options as in sine:start=gradient_control. All are as large as "
        "the first, unless they say their width.",
        rich_help_panel=_NETWORKS,
        metavar="<networks>",
    ),
]
Alphas = Annotated[
    tuple | None,
    typer.Option(
        help="Weight scales that each network is compared at; sine networks also at the automatic "
        "one.",
        show_default="1,1.25,1.5,1.75,2,2.5,3 for one network; several as they are",
        rich_help_panel=_NETWORKS,
        **FLOATS,
    ),
]
Width = Annotated[
    int | None,
    typer.Option(
        help="Neurons of a hidden layer of the first network.",
        show_default="256; hash_grid: 64",
        rich_help_panel=_NETWORKS,
        **INT,
    ),
]
Depth = Annotated[
    int | None,
    typer.Option(
        help="Weight layers of each network that does not say its depth.",
        show_default="5; hash_grid: 3",
        rich_help_panel=_NETWORKS,
        **INT,
    ),
]
TargetPsnr = Annotated[
    float,
    typer.Option(help="A fit ends at this PSNR, in dB.", rich_help_panel=_BUDGET, **FLOAT),
]
AllSteps = Annotated[
    bool,
    typer.Option("--all-steps", help="It ends at no PSNR.", rich_help_panel=_BUDGET),
]
Steps = Annotated[
    int, typer.Option(help="It ends after so many steps.", rich_help_panel=_BUDGET, **INT)
]
Seeds = Annotated[int, typer.Option(help="Fits of each.", rich_help_panel=_BUDGET, **INT)]
LearningRates = Annotated[
    tuple | None,
    typer.Option(
        help="Several: each row takes the one that is best for it on another seed.",
        show_default="1e-4",
        rich_help_panel=_BUDGET,
        **FLOATS,
    ),
]
Every = Annotated[
    int | None,
    typer.Option(
        help="Fit every n-th sample along each axis, and judge by the others.",
        show_default="2; meshes have points of their own",
        rich_help_panel=READING,
        **INT,
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        help="Folder for the figures; finished runs there are not repeated.",
        parser=folder,
        metavar="<folder>",
    ),
]
