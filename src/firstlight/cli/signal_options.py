"""The options of commands that read a signal: its kind, and what is read of its file."""

from typing import Annotated

import typer

from firstlight.cli.arguments import FLOAT, INT, pairs, share_or_count

#: The panel of the help that lists them.
READING = "What is read of the file"

Kind = Annotated[
    str | None,
    typer.Option(
        help="image, audio, occupancy or signed_distance (of a mesh), sphere, volume.",
        show_default="by the ending of FILE; meshes: occupancy",
        rich_help_panel=READING,
        metavar="<kind>",
    ),
]
Every = Annotated[
    int | None,
    typer.Option(
        help="Fit every n-th sample along each axis, and judge by the others.",
        rich_help_panel=READING,
        **INT,
    ),
]
HeldOut = Annotated[
    float | None,
    typer.Option(
        help="Or judge by this share, drawn at random; meshes: by so many points.",
        show_default="nothing; meshes: a quarter of --points",
        rich_help_panel=READING,
        parser=share_or_count,
        metavar="<float>",
    ),
]
Start = Annotated[
    float | None,
    typer.Option(help="Sound: seconds to skip.", rich_help_panel=READING, **FLOAT),
]
Length = Annotated[
    float | None,
    typer.Option(help="Sound: seconds to read.", rich_help_panel=READING, **FLOAT),
]
Rate = Annotated[
    int | None,
    typer.Option(
        help="Sound: frames a second to fit.",
        show_default="the file's",
        rich_help_panel=READING,
        **INT,
    ),
]
Variable = Annotated[
    str | None,
    typer.Option(
        help="Sphere: which variable.",
        show_default="the only one",
        rich_help_panel=READING,
        metavar="<name>",
    ),
]
Select = Annotated[
    dict | None,
    typer.Option(
        help="Sphere: a value of each other dimension, as in level=500,month=1.",
        rich_help_panel=READING,
        parser=pairs,
        metavar="<pairs>",
    ),
]
Missing = Annotated[
    str | None,
    typer.Option(
        help="Sphere: refuse places without a value, or drop them.",
        show_default="refuse",
        rich_help_panel=READING,
        metavar="<name>",
    ),
]
Points = Annotated[
    int | None,
    typer.Option(
        help="Mesh: how many points are fitted.",
        show_default="262144",
        rich_help_panel=READING,
        **INT,
    ),
]
Lattice = Annotated[
    int | None,
    typer.Option(
        help="Mesh: fit a lattice of so many points a side instead.",
        rich_help_panel=READING,
        **INT,
    ),
]
Clamp = Annotated[
    float | None,
    typer.Option(
        help="Mesh: largest distance that signed_distance tells apart; half the box is 1.",
        rich_help_panel=READING,
        **FLOAT,
    ),
]
