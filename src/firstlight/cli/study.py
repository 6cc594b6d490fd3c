"""The commands ``firstlight study ...``: what a start does, measured over many networks."""

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from firstlight.cli import study_depth_options as depth_options
from firstlight.cli.arguments import several
from firstlight.cli.extras import require
from firstlight.cli.output import put, rendered
from firstlight.cli.study_depth_progress import DepthBar
from firstlight.cli.target import check_writable

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthStudy

study_app = typer.Typer(no_args_is_help=True, help="Measure what a start does to a network.")


@study_app.callback()
def _study() -> None:
    """Measure what a start does to a network."""


@study_app.command()
def depth(
    widths: depth_options.Widths = None,
    depths: depth_options.Depths = None,
    activations: depth_options.Activations = "tanh",
    schemes: depth_options.Schemes = None,
    noise_factors: depth_options.NoiseFactors = None,
    negative_rates: depth_options.NegativeRates = None,
    omega_errors: depth_options.OmegaErrors = None,
    data: depth_options.Data = "digits",
    train_sizes: depth_options.TrainSizes = None,
    seeds: depth_options.Seeds = 3,
    learning_rates: depth_options.LearningRates = None,
    steps: depth_options.Steps = 400,
    batch_size: depth_options.BatchSize = 64,
    optimizer: depth_options.Optimizer = "adam",
    within: depth_options.Within = 5.0,
    data_root: depth_options.DataRoot = None,
    out: depth_options.Out = Path("firstlight-depth"),
    as_json: depth_options.AsJson = False,
) -> None:
    """Ask how deep and how narrow a network can be under which start.

    Signals, gradients and chi before training beside mean-field theory; then accuracy and the
    learning rates that train, all seeds and rates at once. The table goes to standard output,
    study.json and figures into --out. Ctrl-C keeps what is finished; the same command goes on.
    """
    require("study depth", "compare")
    asked = {
        "widths": widths,
        "depths": depths,
        "activations": several(activations),
        "schemes": None if schemes is None else [name for name in several(schemes) if name],
        "noise_factors": noise_factors,
        "negative_rates": negative_rates,
        "omega_errors": omega_errors,
        "data": data,
        "train_sizes": train_sizes,
        "seeds": seeds,
        "learning_rates": learning_rates,
        "steps": steps,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "within": within,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    bar = DepthBar(Console(stderr=True))
    try:
        with bar:
            found = _measured(given, data_root, out, bar)
        _show(found, out, as_json)
    except KeyboardInterrupt:
        kept = f"{bar.done} of {bar.runs} starts are finished and kept in {out / 'runs'}"
        if not bar.runs:
            kept = f"Nothing was measured; what was finished before is kept in {out / 'runs'}"
        bar.note(f"Stopped. {kept}; the same command goes on from there.")
        sys.exit(130)


def _measured(
    given: dict[str, Any], data_root: Path | None, out: Path, bar: DepthBar
) -> "DepthStudy":
    from firstlight.model.libraries import quiet
    from firstlight.studies import DepthOptions, depth_study

    DepthOptions.of(**given)  # before a folder is made
    check_writable(out)
    with contextlib.redirect_stdout(sys.stderr), quiet():  # libraries may talk
        return depth_study(**given, data_root=data_root, out=out, progress=bar)


def _show(found: "DepthStudy", out: Path, as_json: bool) -> None:
    """Draw the figures, print the table: what cannot be printed is at least kept."""
    from firstlight.report.depth import depth_table, write_depth
    from firstlight.studies.depth_result import summary

    written = write_depth(found, out)
    if as_json:
        put(json.dumps(_without_nan(summary(found)), indent=1, allow_nan=False), "table")
    else:
        put(rendered(depth_table(found)), "table")
        put("\n".join(["", *(f"Figure: {path}" for path in written)]), "table")
    if all(row.found.failure for row in found.rows):
        raise typer.Exit(1)


def _without_nan(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One seed has no interval: null in JSON."""
    return [
        {key: None if value != value else value for key, value in record.items()}
        for record in records
    ]
