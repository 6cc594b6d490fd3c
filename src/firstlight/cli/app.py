"""The commands of ``firstlight``, and what is said where one of them cannot be done."""

from typing import Annotated

import typer

from firstlight.cli.audit import audit
from firstlight.cli.compare import compare
from firstlight.cli.fields import fields_app
from firstlight.cli.fit import fit
from firstlight.cli.pinn import pinn
from firstlight.cli.plan import plan
from firstlight.cli.render import render
from firstlight.cli.reproduce import reproduce
from firstlight.cli.results import results
from firstlight.cli.study import study_app
from firstlight.cli.sweep import sweep
from firstlight.errors import FirstlightError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(audit)
app.command()(compare)
app.command()(plan)
app.command()(fit)
app.command()(pinn)
app.command()(render)
app.command()(sweep)
app.command()(results)
app.command()(reproduce)
app.add_typer(fields_app, name="fields")
app.add_typer(study_app, name="study")

#: What Click raises for a wrong command line. Some versions of Typer carry their own Click.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


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


def run() -> int:
    """Run the command line and return its exit code; what is refused is one line and code 2."""
    try:
        code = app(prog_name="firstlight", standalone_mode=False) or 0
    except (FirstlightError, _UsageError) as error:
        message = _message(error)
        if message:  # the call without a command has already shown its help
            typer.echo(f"firstlight: {message}", err=True)
        return 2
    if code == 130:  # what Typer makes of Ctrl-C; the command itself ends by sys.exit
        raise KeyboardInterrupt
    return code


def _message(error: Exception) -> str:
    """Return one line, for a usage error with the place where the options are listed."""
    if isinstance(error, FirstlightError):
        return " ".join(str(error).split())
    text = " ".join(error.format_message().split())  # type: ignore[attr-defined]
    if not text:
        return ""
    context = getattr(error, "ctx", None)
    called = context.command_path if context else "firstlight"
    return f"{text[0].lower()}{text[1:].rstrip('.')} (see {called} --help)"
