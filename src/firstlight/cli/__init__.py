"""The command ``firstlight``; every subcommand loads what it needs when it is called."""

import sys
from typing import Annotated

import typer

from firstlight.cli.compare import compare
from firstlight.errors import FirstlightError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(compare)


def _version(wanted: bool) -> None:
    if wanted:
        from firstlight import __version__

        typer.echo(f"firstlight {__version__}")
        raise typer.Exit


@app.callback()
def _firstlight(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Give a neural network the best possible start, and see which start that is."""


def main() -> None:
    """Run the command line; what firstlight refuses is one line and exit code 2."""
    try:
        app()
    except FirstlightError as error:
        typer.echo(f"firstlight: {error}", err=True)
        sys.exit(2)
