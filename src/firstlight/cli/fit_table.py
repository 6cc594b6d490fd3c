"""What a fit has come to, as a table."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from firstlight.cli.fit_progress import clock, level
from firstlight.cli.target import file_size

if TYPE_CHECKING:
    from firstlight.fields.networks.network import Network
    from firstlight.fields.result import Fit

#: What each measure is called.
_CALLED = {
    "psnr": "PSNR",
    "held_out_psnr": "held-out PSNR",
    "snr": "SNR",
    "held_out_snr": "held-out SNR",
    "ssim": "SSIM",
    "iou": "IoU",
    "mae": "mean absolute error",
    "rmse": "RMSE",
    "held_out_rmse": "held-out RMSE",
}
#: Why a fit ended.
_STOPPED = {
    "target": "the target PSNR is reached",
    "steps": "all steps are done",
    "seconds": "the time is over",
    "stalled": "no progress any more",
    "collapsed": "the loss is not a number any more",
    "interrupted": "Ctrl-C",
}
#: Options of a network that say how it starts.
_STARTS = ("alpha", "omega_0", "omega", "sigma")


def fit_table(result: "Fit", out: Path) -> Table:
    """Two columns: what, and how much, with its unit."""
    table = Table.grid(padding=(0, 3))
    for name, value in result.measured.items():
        table.add_row(_CALLED.get(name, name), _amount(name, value, result))
    last = result.curve[-1].step
    best = f" (the best of {last})" if result.steps < last else ""
    table.add_row("steps", f"{result.steps}{best}")
    table.add_row("time", clock(result.seconds))
    table.add_row("network", _network(result))
    for name in _STARTS:
        number = getattr(result.network, name, None)
        if number is not None:
            table.add_row(name, _number(number))
    table.add_row("stopped", _STOPPED.get(result.stopped, result.stopped))
    table.add_row("file", f"{out} ({file_size(out)})")
    return table


def try_next(result: "Fit", out: Path) -> str:
    """The command that shows what was fitted, finer than it was where that is of use."""
    finer = "--resolution 256" if "iou" in result.measured else "--scale 2"
    if result.field.form.kind == "audio":
        finer = ""
    return f"Try: firstlight render {shlex.quote(str(out))} {finer}".rstrip()


def _amount(name: str, value: float, result: "Fit") -> str:
    if name.endswith(("psnr", "snr")):
        return level(value)
    if name.endswith("rmse"):
        return f"{value:.4g} {getattr(result.field.form, 'units', '')}".rstrip()
    if name == "mae":
        return f"{value:.4g} in the file's units"
    return f"{value:.4f}"


def _network(result: "Fit") -> str:
    network: Network = result.network
    numbers = network.parameters(result.field.inputs, result.field.outputs)
    return (
        f"{network.family}, {network.depth} layers of width {network.width}, {numbers:,} parameters"
    )


def _number(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_number(each) for each in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
