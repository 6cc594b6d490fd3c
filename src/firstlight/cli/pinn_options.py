"""The options of ``firstlight pinn``."""

from pathlib import Path
from typing import Annotated

import typer

from firstlight.cli.arguments import FLOAT, INT, folder, several_numbers, word_or_whole

_NETWORK, _BUDGET = "The network", "What each start gets"

ProblemName = Annotated[
    str | None,
    typer.Argument(
        help="One of --list, or module:factory of your own, which returns a "
        "firstlight.physics.Problem.",
        show_default=False,
        metavar="PROBLEM",
    ),
]
ListThem = Annotated[bool, typer.Option("--list", help="List the problems and end.")]
Schemes = Annotated[
    list[str] | None,
    typer.Option(
        "--scheme",
        help="Start, with options as in diagonal_plus_noise:negative_rate=0.1; DeepXDE's own are "
        "'Glorot normal' and the like. Several --scheme are compared.",
        show_default="diagonal_plus_noise",
        metavar="<scheme>",
    ),
]
Depth = Annotated[
    int,
    typer.Option(
        help="Hidden layers, each with its activation; the output layer comes on top.",
        rich_help_panel=_NETWORK,
        **INT,
    ),
]
Width = Annotated[
    int, typer.Option(help="Neurons of a hidden layer.", rich_help_panel=_NETWORK, **INT)
]
Activation = Annotated[
    str,
    typer.Option(
        help="tanh, sin, sigmoid, silu, elu, gelu, selu, relu, or one more of firstlight.theory "
        "(erf, softsign, arctan, ...); with a factor on its input as in 'tanh(2x)'.",
        rich_help_panel=_NETWORK,
        metavar="<name>",
    ),
]
Precision = Annotated[
    str, typer.Option(help="float32 or float64.", rich_help_panel=_NETWORK, metavar="<name>")
]
Seeds = Annotated[int, typer.Option(help="Runs of each start.", rich_help_panel=_BUDGET, **INT)]
AdamSteps = Annotated[
    int, typer.Option(help="Steps of Adam, first.", rich_help_panel=_BUDGET, **INT)
]
LbfgsSteps = Annotated[
    int, typer.Option(help="Iterations of L-BFGS, after it.", rich_help_panel=_BUDGET, **INT)
]
LearningRates = Annotated[
    tuple | None,
    typer.Option(
        help="Of Adam. Several: each start takes the one of least loss on another seed.",
        show_default="1e-3",
        rich_help_panel=_BUDGET,
        parser=several_numbers,
        metavar="<floats>",
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(help="Each run ends after so many.", rich_help_panel=_BUDGET, **FLOAT),
]
TrainingPoints = Annotated[
    str,
    typer.Option(
        help="small, published, or how many in the domain; the others in proportion.",
        rich_help_panel=_BUDGET,
        parser=word_or_whole,
        metavar="<points>",
    ),
]
Every = Annotated[
    int,
    typer.Option(help="Steps between two looks at loss and error.", rich_help_panel=_BUDGET, **INT),
]
StepZeroSeeds = Annotated[
    int, typer.Option(help="Seeds whose loss before training is shown; 0: none.", **INT)
]
Json = Annotated[bool, typer.Option("--json", help="Print the study as JSON, not as a table.")]
Out = Annotated[
    Path,
    typer.Option(
        help="Folder for figures, networks and study.json; finished runs there are not repeated.",
        parser=folder,
        metavar="<folder>",
    ),
]
