"""The command ``firstlight reproduce``: every table, figure and claim of the three papers."""

import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from firstlight.cli.arguments import file, folder, whole
from firstlight.cli.extras import require
from firstlight.cli.output import put, rendered
from firstlight.errors import FirstlightError, OptionError
from firstlight.files import write_atomically

if TYPE_CHECKING:
    from firstlight.papers.entry import Entry
    from firstlight.papers.reproduce import Reproduced

_OUT = Path("results/reproduction")


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Entries as in sinusoidal/table3, or papers: sinusoidal, weight-scaling, "
            "odd-sigmoid; `all` is every one.",
            metavar="[ENTRY]...",
        ),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="quick: seconds, on small data. standard: minutes to hours on two cores. full: "
            "the paper's own setting."
        ),
    ] = "quick",
    listed: Annotated[
        bool, typer.Option("--list", help="Show the entries with the paper's value and ours.")
    ] = False,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the results; finished parts there are not repeated.",
            parser=folder,
            metavar="<folder>",
        ),
    ] = _OUT,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with data files that no package brings.", parser=folder),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Trainings at once.", show_default="one", parser=whole, metavar="<int>"),
    ] = None,
    ray: Annotated[
        str | None, typer.Option(help="Ray cluster for trainings: auto, local or ray://HOST:PORT.")
    ] = None,
    to_page: Annotated[
        Path | None,
        typer.Option(
            "--page", help="Write all claims and results as Markdown.", parser=file, metavar="FILE"
        ),
    ] = None,
) -> None:
    """Measure what a paper's table, figure or claim says, and say whether it came out the same.

    Ctrl-C keeps finished parts; the same command goes on from there.
    """
    require("reproduce")
    from firstlight.papers.registry import find

    wanted = find([] if names in (None, ["all"]) else list(names or ()))
    if listed or to_page is not None:
        _show_known(wanted, out, to_page)
        return
    if not names:
        raise OptionError("name an entry, a paper or all; firstlight reproduce --list shows them")
    if data is not None and not data.is_dir():
        raise OptionError(f"--data must be a folder, got {data}")
    sweep = {key: value for key, value in (("workers", workers), ("ray", ray)) if value is not None}
    try:
        _measure(wanted, preset, out, data, sweep)
    except KeyboardInterrupt:
        typer.echo(
            f"Stopped. What is finished is kept in {out}; the same command goes on.", err=True
        )
        sys.exit(130)


def _measure(
    wanted: "list[Entry]", preset: str, out: Path, data: Path | None, sweep: Mapping[str, Any]
) -> None:
    from firstlight.papers.reproduce import kept_preset, reproduce

    console = Console(stderr=True)
    failed = []
    for entry in wanted:
        with console.status(f"{entry.name} ...") as status:

            def tell(line: str, entry: "Entry" = entry, status: Any = status) -> None:
                if console.is_terminal:
                    status.update(f"{entry.name}: {line}")
                else:
                    console.print(f"{entry.name}: {line}", markup=False, highlight=False)

            try:
                found = reproduce(entry, preset, out=out, data=data, tell=tell, sweep=sweep)
            except FirstlightError as error:
                if len(wanted) == 1:
                    raise
                failed.append(f"{entry.name}: {error}")
                continue
        put(_text(found), "findings")
        kept = kept_preset(out / entry.name)
        if kept != preset:
            typer.echo(
                f"{out / entry.name} keeps its {kept} results; for those of {preset}, give another "
                "--out",
                err=True,
            )
    if failed:
        raise FirstlightError(f"{len(failed)} entries could not be measured: " + "; ".join(failed))


def _text(found: "Reproduced") -> str:
    """One entry's findings for the terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("claim", "paper", "here", ""):
        table.add_column(name, overflow="fold")
    for each in found.findings:
        table.add_row(each.claim, each.published or "-", each.ours, each.verdict)
    title = f"{found.entry.name} ({found.about['preset']}, {found.about['seconds']:g} s)"
    width = min(int(os.environ.get("COLUMNS") or 120), 160)
    console = Console(width=width, file=None)
    with console.capture() as captured:
        console.print(table)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    return "\n".join([title, found.entry.asks, *lines, ""])


def _show_known(wanted: "list[Entry]", out: Path, to_page: Path | None) -> None:
    from firstlight.papers.page import page
    from firstlight.papers.registry import ENTRIES
    from firstlight.papers.reproduce import read

    if to_page is None:
        found = {entry.name: read(entry, out) for entry in wanted}
        put(rendered(_list(wanted, {k: v for k, v in found.items() if v})), "list")
        return
    entries = list(ENTRIES.values())
    kept = {entry.name: read(entry, out) for entry in entries}
    figures = Path(os.path.relpath(out.absolute(), to_page.absolute().parent))
    text = page(entries, {name: each for name, each in kept.items() if each}, figures)
    write_atomically(to_page, lambda path: path.write_text(text, encoding="utf-8"))
    put(f"{to_page}: {len(entries)} entries", "page")


def _list(wanted: "list[Entry]", found: "Mapping[str, Reproduced]") -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("entry", no_wrap=True)
    table.add_column("where")
    table.add_column("paper")
    table.add_column("here")
    table.add_column("status", no_wrap=True)
    for entry in wanted:
        one = found.get(entry.name)
        table.add_row(entry.name, entry.where, entry.published or "-", _ours(one), _status(one))
    return table


def _ours(found: "Reproduced | None") -> str:
    """The first finding, which every entry makes its main one."""
    return found.findings[0].ours if found and found.findings else "-"


def _status(found: "Reproduced | None") -> str:
    if found is None:
        return "not run"
    count = Counter(str(each.verdict) for each in found.findings)
    words = {"same": "same", "differs": "differ", "open": "open", "answer": "answered"}
    counted = ", ".join(f"{count[key]} {word}" for key, word in words.items() if count[key])
    return f"{found.about['preset']}: {counted}"
