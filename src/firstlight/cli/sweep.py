"""The command ``firstlight sweep``: all runs of a spec, here, on workers or on a cluster."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from firstlight.cli.arguments import file, folder, several, whole
from firstlight.cli.extras import require
from firstlight.cli.output import put
from firstlight.cli.sweep_progress import SweepBar

if TYPE_CHECKING:
    from firstlight.sweeps.outcome import SweepOutcome


def sweep(
    spec: Annotated[Path, typer.Argument(help="YAML file.", parser=file, metavar="SPEC.yaml")],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the results; finished runs there are not repeated.",
            parser=folder,
            metavar="<folder>",
        ),
    ] = Path("firstlight-sweep"),
    workers: Annotated[
        int | None,
        typer.Option(
            help="Runs at once, each in a process of its own.",
            show_default="one run after the other, here",
            parser=whole,
            metavar="<int>",
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Ray cluster: auto, local (starts one here; --workers says how large), or "
            "ray://HOST:PORT."
        ),
    ] = None,
    track: Annotated[
        str | None, typer.Option(help="Report every run to tensorboard, wandb, mlflow or trackio.")
    ] = None,
    data_root: Annotated[
        Path | None,
        typer.Option(help="Folder for downloaded data.", show_default="~/.cache/firstlight"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which runs there are; run nothing.")
    ] = False,
) -> None:
    """Run every run of a spec, on one machine or on many, and keep each when it is finished.

    The same command goes on where it stopped, whatever stopped it. `firstlight results` shows what
    came out.
    """
    require("sweep")
    if dry_run:
        _show_plan(spec, out)
        return
    bar = SweepBar(Console(stderr=True))
    options = {
        "workers": workers,
        "ray": ray,
        "data_root": data_root,
        "track": several(track) if track else (),
    }
    try:
        with bar:
            found = _swept(spec, out, bar, **options)
    except KeyboardInterrupt:
        kept = f"{bar.done} of {bar.runs} runs are finished and kept in {out / 'runs'}"
        if not bar.runs:
            kept = "Nothing was run"
        bar.note(f"Stopped. {kept}; the same command goes on from there.")
        sys.exit(130)
    _show(found)


def _swept(spec: Path, out: Path, bar: SweepBar, **options: Any) -> "SweepOutcome":
    from firstlight.sweeps import sweep

    here = str(Path.cwd())  # where a user's own code usually is
    sys.path.append(here)
    return sweep(spec, out, paths=(here,), progress=bar, **options)


def _show(found: "SweepOutcome") -> None:
    done = found.before + found.finished
    lines = [f"{done} of {found.runs} runs are finished, {found.finished} of them now."]
    lines += [f"  no result: {each.label}: {each.reason}" for each in found.unfinished]
    if found.waiting:
        lines.append(
            f"  {found.waiting} comparisons wait for tuning runs that were lost; the same command "
            "tries them again."
        )
    lines.append(f"Results: firstlight results {found.out} --rows form,model,optimizer")
    put("\n".join(lines), "outcome")
    if found.unfinished or found.waiting:
        raise typer.Exit(1)


def _show_plan(spec: Path, out: Path) -> None:
    from firstlight.sweeps import read_spec
    from firstlight.sweeps.plan import Plan
    from firstlight.sweeps.store import RunStore

    sys.path.append(str(Path.cwd()))
    plan = Plan(read_spec(spec))
    first = {each.job.key: each for each in plan.first()}
    later = sum(
        len(sweep.schemes) * len(sweep.seeds) * len(list(sweep.groups()))
        for form, sweep in plan.comparisons
        if form == "tuned"
    )
    done = len(first.keys() & RunStore(out).finished())
    epochs = sum(each.job.spec.epochs for each in first.values())
    put(
        f"{len(first)} runs of {epochs} epochs in all, {done} of them finished in {out}"
        + (f"; then at most {later} more at the rates that tuning chooses" if later else ""),
        "plan",
    )
