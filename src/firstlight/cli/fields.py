"""The commands ``firstlight fields ...``: neural fields compared, and why they differ."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from firstlight.cli import fit_options, signal_options, study_options
from firstlight.cli.device import device as named_device
from firstlight.cli.extras import require
from firstlight.cli.output import put, rendered
from firstlight.cli.study_networks import parse_networks, with_equal_sizes
from firstlight.cli.study_progress import StudyProgressBar
from firstlight.cli.target import check_writable
from firstlight.errors import OptionError

if TYPE_CHECKING:
    from firstlight.fields.networks.network import Network
    from firstlight.fields.signals.signal import Signal
    from firstlight.fields.studying.result import Study

fields_app = typer.Typer(no_args_is_help=True, help="Compare neural fields on one signal.")


@fields_app.callback()
def _fields() -> None:
    """Compare neural fields on one signal."""


@fields_app.command()
def study(
    signal: study_options.SignalFile,
    networks: study_options.Networks = "sine",
    alphas: study_options.Alphas = None,
    width: study_options.Width = None,
    depth: study_options.Depth = None,
    target_psnr: study_options.TargetPsnr = 40.0,
    all_steps: study_options.AllSteps = False,
    steps: study_options.Steps = 2000,
    seeds: study_options.Seeds = 3,
    learning_rates: study_options.LearningRates = None,
    optimizer: fit_options.Optimizer = "adam",
    batch: fit_options.Batch = "auto",
    precision: fit_options.Precision = "float32",
    device: fit_options.Device = None,
    kind: signal_options.Kind = None,
    every: study_options.Every = None,
    held_out: signal_options.HeldOut = None,
    start: signal_options.Start = None,
    length: signal_options.Length = None,
    rate: signal_options.Rate = None,
    variable: signal_options.Variable = None,
    select: signal_options.Select = None,
    missing: signal_options.Missing = None,
    points: signal_options.Points = None,
    lattice: signal_options.Lattice = None,
    clamp: signal_options.Clamp = None,
    out: study_options.Out = Path("firstlight-study"),
) -> None:
    """Fit networks or weight scales to one signal and draw speed against quality between samples.

    The table goes to standard output, study.json and figures into --out: the trade-off, PSNR
    curves, spectra before training, tangent kernels, gradients by layer. Ctrl-C keeps every
    finished run; the same command goes on from there.
    """
    require("fields study", "fields")
    asked = {
        "target_psnr": None if all_steps else target_psnr,
        "steps": steps,
        "seeds": seeds,
        "learning_rates": study_options.RATES if learning_rates is None else learning_rates,
        "optimizer": optimizer,
        "batch": batch,
        "precision": precision,
        "device": named_device(device),
        "out": out,
    }
    about = {
        "kind": kind,
        "every": every,
        "held_out": held_out,
        "start": start,
        "seconds": length,
        "rate": rate,
        "variable": variable,
        "select": select,
        "missing": missing,
        "points": points,
        "lattice": lattice,
        "clamp": clamp,
    }
    check_writable(out)
    made = parse_networks(networks, width, depth)
    scales = _scales(made, alphas)
    bar = StudyProgressBar(Console(stderr=True), str(signal))
    try:
        with bar:
            found = _study(signal, _reading(signal, about), made, bar, alphas=scales, **asked)
        _show(found, out)
    except KeyboardInterrupt:
        kept = f"{bar.done} of {bar.runs} runs are finished and kept in {out / 'runs'}"
        if not bar.runs:
            kept = f"Nothing was fitted; what was finished before is kept in {out / 'runs'}"
        bar.note(f"Stopped. {kept}; the same command goes on from there.")
        sys.exit(130)


def _scales(
    networks: "dict[str, Network]", alphas: tuple[float, ...] | None
) -> tuple[float, ...] | None:
    """Weight scales: those that are asked for, or the usual ones of a network that says none."""
    own = [name for name in networks if "alpha" in name]
    if alphas is not None and own:
        raise OptionError(f"alpha is given twice, in {own[0]!r} and by --alphas; give one")
    if alphas is not None or own or len(networks) > 1:
        return alphas
    return study_options.ALPHAS


def _reading(file: Path, about: dict[str, Any]) -> dict[str, Any]:
    """What the signal's reader is told; a quality between samples needs some held out."""
    from firstlight.fields.signals.load import kind_of_name, known_options

    given = {name: value for name, value in about.items() if value is not None}
    known = known_options(given.get("kind") or kind_of_name(file))
    if "every" in known and "every" not in given and "held_out" not in given:
        given["every"] = 2
    return given


def _study(
    file: Path,
    reading: dict[str, Any],
    networks: "dict[str, Network]",
    bar: StudyProgressBar,
    **asked: Any,
) -> "Study":
    from firstlight import fields
    from firstlight.model.libraries import quiet

    with contextlib.redirect_stdout(sys.stderr), quiet():  # libraries may talk
        signal: Signal = fields.load(file, **reading)
        bar.prepare(f"getting ready for {len(signal.train):,} samples")
        sized = with_equal_sizes(networks, signal, bar.note)
        return fields.study(signal, sized, progress=bar, **asked)


def _show(found: "Study", out: Path) -> None:
    """Draw the figures, print the table: what cannot be printed is at least kept."""
    from firstlight.report.fields import study_table, write_study

    written = write_study(found, out)
    put(rendered(study_table(found)), "table")
    put("\n".join(["", *(f"Figure: {path}" for path in written)]), "table")
    if all(run.stopped == "collapsed" for row in found.rows for run in row.runs):
        raise typer.Exit(1)
