"""The command ``firstlight pinn``: physics-informed networks from different starts."""

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from firstlight.cli import fit_options
from firstlight.cli import pinn_options as options
from firstlight.cli.arguments import find_own_code
from firstlight.cli.device import device as named_device
from firstlight.cli.extras import require
from firstlight.cli.output import put, rendered
from firstlight.cli.pinn_progress import PinnProgressBar
from firstlight.cli.target import check_writable
from firstlight.errors import OptionError

if TYPE_CHECKING:
    from firstlight.physics.study_result import Maps, PinnStudy


def pinn(
    problem: options.ProblemName = None,
    list_them: options.ListThem = False,
    scheme: options.Schemes = None,
    depth: options.Depth = 30,
    width: options.Width = 16,
    activation: options.Activation = "tanh",
    precision: options.Precision = "float32",
    seeds: options.Seeds = 3,
    adam_steps: options.AdamSteps = 300,
    lbfgs_steps: options.LbfgsSteps = 1000,
    learning_rates: options.LearningRates = None,
    seconds: options.Seconds = None,
    points: options.TrainingPoints = "small",
    every: options.Every = 50,
    step_zero: options.StepZeroSeeds = 50,
    device: fit_options.Device = None,
    as_json: options.Json = False,
    out: options.Out = Path("firstlight-pinn"),
) -> None:
    """Solve a differential equation by a network, and measure it against the reference solution.

    The table goes to standard output; study.json, networks and figures into --out: loss beside
    error along training, solutions and errors on maps, the loss before training over seeds. Ctrl-C
    keeps every finished run; the same command goes on from there. Exit code: 1 if no run of any
    start has a finite loss.
    """
    require("pinn", "physics")
    if list_them:
        put(rendered(_listed()), "list")
        return
    if problem is None:
        raise OptionError("expected the name of a problem; firstlight pinn --list shows them")
    asked = {
        "schemes": ["diagonal_plus_noise"] if scheme is None else scheme,
        "depth": depth,
        "width": width,
        "activation": activation,
        "precision": precision,
        "seeds": seeds,
        "adam_steps": adam_steps,
        "lbfgs_steps": lbfgs_steps,
        "learning_rates": (1e-3,) if learning_rates is None else learning_rates,
        "seconds": seconds,
        "points": points,
        "every": every,
        "step_zero": step_zero,
        "device": named_device(device),
        "out": out,
    }
    check_writable(out)
    find_own_code()
    bar = PinnProgressBar(Console(stderr=True), problem)
    try:
        with bar:
            found, maps = _study(problem, bar, asked)
        _show(found, maps, out, as_json=as_json)
    except KeyboardInterrupt:
        kept = f"{bar.done} of {bar.runs} runs are finished and kept in {out / 'runs'}"
        bar.note(f"Stopped. {kept}; the same command goes on from there.")
        sys.exit(130)


def _listed() -> Table:
    from firstlight.physics.problems import PROBLEMS

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for problem in PROBLEMS.values():
        table.add_row(problem.name, problem.equation)
    return table


def _study(problem: str, bar: PinnProgressBar, asked: dict[str, Any]) -> "tuple[PinnStudy, Maps]":
    from firstlight import physics
    from firstlight.model.libraries import quiet

    with contextlib.redirect_stdout(sys.stderr), quiet():  # libraries may talk
        return physics.study(problem, progress=bar, **asked)


def _show(found: "PinnStudy", maps: "Maps", out: Path, *, as_json: bool) -> None:
    """Draw the figures, print the table: what cannot be printed is at least kept."""
    from firstlight.report.physics import pinn_table, write_pinn

    written = write_pinn(found, maps, out)
    if as_json:
        put(json.dumps(found.as_dict(), indent=1, allow_nan=False), "study")
    else:
        put(rendered(pinn_table(found)), "table")
        put("\n".join(["", *(f"Figure: {path}" for path in written)]), "table")
    if all(run.loss == float("inf") for row in found.rows for run in row.runs):
        raise typer.Exit(1)
