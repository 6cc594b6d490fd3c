"""The command ``firstlight results``: what the runs of a sweep came to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from firstlight.cli.arguments import file, several
from firstlight.cli.extras import require
from firstlight.cli.output import put, rendered
from firstlight.errors import FirstlightError, OptionError, check_choice
from firstlight.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd

_FORMS = ("table", "csv", "latex", "markdown")
#: What is shown of a run where nothing is said.
_SHOWN = (
    "form,model,data,optimizer,scheme,seed,learning_rate,status,accuracy_epoch_1,accuracy_max,auc"
)


def results(
    out: Annotated[Path, typer.Argument(help="Folder of a sweep.", metavar="FOLDER")],
    where: Annotated[
        list[str] | None,
        typer.Option(help="As in 'seed<3' or 'scheme=lsuv,zero'; several must all hold."),
    ] = None,
    rows: Annotated[
        str | None, typer.Option(help="Make a pivot: what stands at the side, as in model,form.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="What stands at the top of the pivot; without one, the columns shown.",
            show_default="scheme, or those of interest",
        ),
    ] = None,
    value: Annotated[str, typer.Option(help="What a pivot averages.")] = "accuracy_max",
    form: Annotated[str, typer.Option("--format", help="table, csv, latex or markdown.")] = "table",
    to: Annotated[
        Path | None,
        typer.Option(help="File to write to instead of the terminal.", parser=file, metavar="FILE"),
    ] = None,
    tuning: Annotated[
        bool, typer.Option("--tuning", help="Also the runs that chose learning rates.")
    ] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="Also the runs that crashed or were lost.")
    ] = False,
) -> None:
    """Show, filter, pivot and export the results of a sweep; accuracies are parts of one in CSV.

    A pivot's cells are means over runs, with half of their 95 % interval in all but CSV.
    """
    require("results")
    check_choice(form, _FORMS, "--format")
    from firstlight.sweeps import read_results
    from firstlight.sweeps.query import select

    frame = select(read_results(out, tuning=tuning, failed=failed), where or [])
    if not len(frame):
        raise FirstlightError(f"no run in {out} is asked for; loosen --where")
    if rows is None:
        text = _listed(frame, columns, form)
    else:
        text = _pivoted(frame, several(rows), columns or "scheme", value, form)
    if to is None:
        put(text, "results")
        return
    write_atomically(to, lambda path: path.write_text(text.rstrip("\n") + "\n", encoding="utf-8"))


def _listed(frame: "pd.DataFrame", asked: str | None, form: str) -> str:
    from firstlight.report.export import rows_text
    from firstlight.sweeps.query import column, is_curve

    columns = several(asked or _SHOWN)
    for name in columns:
        if is_curve(column(frame, name)):
            raise OptionError(f"{name} is a curve, of which a table has no room; see read_results")
    if form != "table":
        return rows_text(frame[columns], form)
    words = frame[columns].astype(object).map(_shown)
    # a terminal is narrow: what all runs have in common is said once
    common = [] if asked else [name for name in columns if words[name].nunique() == 1]
    if len(common) == len(columns):
        common = []
    shared = ", ".join(f"{name} {words[name].iloc[0]}" for name in common)
    runs = frame["key"].nunique()
    text = rendered(_table(words.drop(columns=common))).rstrip()
    return f"{text}\n\n{runs} run{'s' * (runs != 1)}" + (f"; {shared}" if shared else "")


def _pivoted(frame: "pd.DataFrame", rows: list[str], columns: str, value: str, form: str) -> str:
    from firstlight.report.export import pivot_text, pivot_words
    from firstlight.sweeps.query import Cell, pivot

    table = pivot(frame, rows, columns, value)
    if form != "table":
        return pivot_text(table, value, form)
    unit = " in %" if value.startswith("accuracy") else ""
    counts = [cell.n for cell in table.to_numpy().ravel() if isinstance(cell, Cell)]
    seeds = "-".join(str(n) for n in dict.fromkeys((min(counts), max(counts))))
    note = f"{value}{unit}: mean of {seeds} run(s) ± half of its 95 % interval"
    return f"{rendered(_table(pivot_words(table, value))).rstrip()}\n\n{note}"


def _table(frame: "pd.DataFrame") -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in frame.columns:
        number = name in ("seed",) or "±" in "".join(map(str, frame[name]))
        table.add_column(str(name), justify="right" if number else "left", no_wrap=True)
    for row in frame.itertuples(index=False):
        table.add_row(*(str(value) for value in row))
    return table


def _shown(value: Any) -> str:
    if value is None or str(value) in ("<NA>", "nan"):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
