"""A depth study as a page of Markdown."""

from collections.abc import Iterable
from typing import Any

from firstlight.studies import DepthRow, DepthStudy


def page(name: str, about: dict[str, Any], study: DepthStudy) -> str:
    """Title, how it was made, and a table for each network.

    Intervals end at 0 and 100 %: Student's t knows no bounds, and of three seeds reaches beyond
    what an accuracy can be.
    """
    options = study.options
    lines = [
        f"# {name}",
        "",
        f"`{about['command']}`; {about['seconds']} s in one thread of a shared machine; "
        + ", ".join(f"{key} {value}" for key, value in about["versions"].items())
        + f"; seeds {', '.join(map(str, options['seeds']))}.",
        "",
    ]
    if options["steps"]:
        rates = ", ".join(f"{rate:g}" for rate in options["learning_rates"])
        lines += [
            f"{options['optimizer']}, batch {options['batch_size']}, {options['steps']} steps for "
            f"all; learning rates {rates}. Chance is {100 * study.chance:.1f} %.",
            "",
        ]
    for rows in study.groups():
        lines += [f"## {heading(rows[0])}", "", *_table(study, rows), ""]
    return "\n".join(lines)


def heading(row: DepthRow) -> str:
    shape = row.network
    widths = ", ".join(map(str, shape.widths))
    size = f", {row.train_size} training samples" if row.train_size else ""
    return f"width {widths}; {shape.depth} hidden layers; {shape.activation}{size}"


def _table(study: DepthStudy, rows: Iterable[DepthRow]) -> list[str]:
    trained = bool(study.options["steps"])
    head = ["start", "spread last/first", "gradient first/last", "chi", "chi, theory"]
    if trained:
        head += ["accuracy %", "each seed", "rate", f"rates within {study.within:g} points"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return lines + ["| " + " | ".join(_cells(study, row, trained)) + " |" for row in rows]


def _cells(study: DepthStudy, row: DepthRow, trained: bool) -> list[str]:
    cells = [row.start.label]
    if row.found.failure:
        return [*cells, row.found.failure]
    for what in ("spread_ratio", "gradient_ratio", "chi", "chi_mean_field"):
        value = row.median(what)
        cells.append("" if value is None else f"{value:.3g}")
    if trained:
        mean, (low, high) = row.accuracy.mean, row.interval
        each = " ".join(f"{100 * value:.1f}" for value in row.accuracies(row.best_rate))
        rates = row.trained_rates(study.within, study.chance)
        cells += [f"{100 * mean:.1f} ({100 * low:.1f} to {100 * high:.1f})", each]
        cells += [f"{row.best_rate:g}", ", ".join(f"{rate:g}" for rate in rates)]
    return cells
