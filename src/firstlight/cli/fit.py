"""The command ``firstlight fit``: a file becomes a neural field."""

import contextlib
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from firstlight.cli import fit_options as options
from firstlight.cli import signal_options
from firstlight.cli.device import device as named_device
from firstlight.cli.extras import require
from firstlight.cli.fit_progress import FitProgress, level
from firstlight.cli.output import put, rendered
from firstlight.cli.target import check_file
from firstlight.errors import FirstlightError, OptionError

if TYPE_CHECKING:
    import torch

    from firstlight.fields.networks.network import Network
    from firstlight.fields.result import Fit
    from firstlight.fields.specification import FitSpec

_SUFFIX = ".safetensors"
#: What options of the signal's reader are called here; --seconds is how long the fit may take.
_HERE = {"seconds": "--length"}
#: Options of readers that this command has.
_OFFERED = (
    *("every", "held_out", "start", "seconds", "rate", "variable", "select", "missing"),
    *("points", "lattice", "clamp"),
)


def fit(
    file: options.File,
    network: options.NetworkText = "sine",
    width: options.Width = None,
    depth: options.Depth = None,
    alpha: options.Alpha = None,
    target_psnr: options.TargetPsnr = None,
    steps: options.Steps = None,
    seconds: options.Seconds = None,
    seed: options.Seed = 0,
    optimizer: options.Optimizer = "adam",
    learning_rate: options.LearningRate = 1e-4,
    layer_rates: options.LayerRates = None,
    batch: options.Batch = "auto",
    precision: options.Precision = "float32",
    compile_: options.Compile = None,
    device: options.Device = None,
    kind: signal_options.Kind = None,
    every: signal_options.Every = None,
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
    out: options.Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Fit a neural field to an image, a sound, a mesh, a map of a sphere, or an array.

    The field goes into a checkpoint, which firstlight render shows at any resolution.

    The checkpoint is written every half minute, too. Ctrl-C keeps the best so far; whatever stopped
    the fit, the same command goes on from there. Exit code: 1 if the loss is not a number any more;
    the best so far is written all the same.
    """
    require("fit", "fields")
    more = {"width": width, "depth": depth, "alpha": alpha}
    asked = {
        "target_psnr": target_psnr,
        "steps": steps,
        "seconds": seconds,
        "seed": seed,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "layer_rates": layer_rates,
        "batch": batch,
        "precision": precision,
        "compile": "auto" if compile_ is None else compile_,
    }
    about = {
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
    plan = _Plan(
        file,
        _signal_options(file, kind, _given(about)),
        _network(network, _given(more)),
        _spec(asked),
        named_device(device),
        _target(file, out, overwrite=overwrite),
        overwrite,
    )
    progress = FitProgress(Console(stderr=True), str(file))
    before, result = _changed(plan.target), None
    try:
        result = _fit(plan, progress)
        if result.stopped != "interrupted":
            _finish(result, plan.target)
            return
    except KeyboardInterrupt:
        pass
    _say_stopped(progress, plan.target, before, result)
    sys.exit(130)


@dataclass(frozen=True)
class _Plan:
    """What was typed, checked before a file is read, which may take long."""

    file: Path
    signal: dict[str, Any]
    network: "Network"
    spec: "FitSpec"
    device: "torch.device"
    target: Path
    overwrite: bool

    def __post_init__(self) -> None:
        self.network.check_rates(self.spec.layer_rates)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _target(file: Path, out: Path | None, *, overwrite: bool) -> Path:
    """The checkpoint's name; refuse what is there, unless a fit can go on from it."""
    target = Path(file.stem + _SUFFIX) if out is None else out
    if target.suffix != _SUFFIX:
        raise OptionError(f"--out must end in {_SUFFIX}, got {target.name!r}")
    check_file(target, overwrite=True)
    if not overwrite and target.exists():
        _check_unfinished(target)
    return target


def _check_unfinished(target: Path) -> None:
    from firstlight.fields.checkpoint import read_checkpoint

    ways = "--overwrite replaces it, --out names another file"
    try:
        found = read_checkpoint(target)
    except FirstlightError as error:
        raise FirstlightError(f"{error}; {ways}") from error
    if not found.progress:
        raise OptionError(f"{target} holds a finished field: {ways}")


def _network(text: str, more: dict[str, Any]) -> "Network":
    from firstlight.fields.network_text import parse_network

    return parse_network(text, {name: str(value) for name, value in more.items()})


def _spec(asked: dict[str, Any]) -> "FitSpec":
    from firstlight.fields import FitSpec

    return FitSpec(**asked)


def _signal_options(file: Path, kind: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """What the reader is told; refuse what a signal of this kind does not have."""
    from firstlight.fields.signals.load import kind_of_name, known_options

    chosen = kind or kind_of_name(file)
    known = known_options(chosen)
    for name in given:
        if name not in known:
            offered = [_here(each) for each in known if each in _OFFERED]
            raise OptionError(
                f"{chosen} is read with {', '.join(offered)}; it has no {_here(name)}"
            )
    return given if kind is None else {"kind": kind, **given}


def _here(name: str) -> str:
    """What an option of a reader is called on the command line."""
    return _HERE.get(name, "--" + name.replace("_", "-"))


def _fit(plan: _Plan, progress: FitProgress) -> "Fit":
    from firstlight import fields
    from firstlight.model.libraries import quiet

    with progress, contextlib.redirect_stdout(sys.stderr), quiet():  # libraries may talk
        loaded = fields.load(plan.file, **plan.signal)
        progress.begin(f"getting ready for {len(loaded.train):,} samples")
        return fields.fit(
            loaded,
            plan.network,
            device=plan.device,
            checkpoint=plan.target,
            overwrite=plan.overwrite,
            progress=progress,
            **plan.spec.as_dict(),
        )


def _finish(result: "Fit", target: Path) -> None:
    """Write the field, and say what it is; a fit without any finite loss leaves nothing."""
    from firstlight.cli.fit_table import fit_table, try_next

    if not math.isfinite(result.psnr) and result.stopped == "collapsed":
        raise typer.Exit(1)  # the reason has been told
    result.save(target)
    table = rendered(fit_table(result, target)).rstrip("\n")
    put("\n".join([table, try_next(result, target)]), "table")
    if result.stopped == "collapsed":
        raise typer.Exit(1)


def _changed(target: Path) -> int | None:
    """When a file was written last; None where there is none."""
    return target.stat().st_mtime_ns if target.exists() else None


def _say_stopped(
    progress: FitProgress, target: Path, before: int | None, result: "Fit | None"
) -> None:
    """Say where the fit is, and how it goes on."""
    moment = progress.moment
    if moment is None or not math.isfinite(moment.best):
        kept = "nothing is written" if before is None else f"{target} is as it was"
        progress.note(f"Stopped before the first step was done; {kept}.")
        return
    how = "the same command goes on from there"
    if _changed(target) is None and result is not None:  # a step was cut short
        result.save(target)
        how = "it is a finished field"
    kept = f"is kept in {target}; {how}"
    if _changed(target) == before:
        kept = f"is lost; {target} is as it was" if before else "is lost"
    best = level(moment.best)
    progress.note(f"Stopped after step {moment.step}. The best so far, {best}, {kept}.")
