"""The comparison as one HTML file that opens offline, with or without JavaScript."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from firstlight.comparison.flips import smallest_p
from firstlight.comparison.spec import RunResult
from firstlight.report import verdict
from firstlight.report.command import command
from firstlight.report.document import numbered, render
from firstlight.report.forest import forest
from firstlight.report.group import Group
from firstlight.report.interactive import figure
from firstlight.report.panel import panels

if TYPE_CHECKING:
    from firstlight.comparison import Comparison

_HEADS = {
    "accuracy_epoch_1": "Epoch 1, %",
    "accuracy_epoch_10": "Epoch 10, %",
    "accuracy_max": "Maximum, %",
    "auc": "AUC",
}


def page(
    comparison: "Comparison", groups: Sequence[Group], pictures: Sequence[bytes], out: str
) -> str:
    """Build the report.

    Args:
        comparison: what ``firstlight.compare`` returned.
        groups: its runs, laid out.
        pictures: the curves of each group as PNG, for print and for browsers without JavaScript.
        out: the directory of the results, as the command is to name it.

    Returns:
        The whole HTML document.
    """
    looks = {row.scheme: row.style for group in groups for row in group.rows}
    sweep = comparison.sweep
    schemes = {scheme: looks[scheme] for scheme in sweep.schemes if scheme in looks}
    numbers = numbered(schemes)
    return render(
        "report.html.j2",
        title=_title(groups),
        subject="comparison of initializations",
        schemes=schemes,
        verdict=verdict.overall(groups),
        sections=[
            _section(group, picture, numbers)
            for group, picture in zip(groups, pictures, strict=True)
        ],
        runs=comparison.results,
        tuning=comparison.tuning,
        command=command(sweep, out),
        setup=[(field, _plain(value)) for field, value in sweep.model_dump().items()],
        versions=_versions(comparison.results),
        heads=_HEADS,
        kind=verdict.kind,
        smallest_p=smallest_p,
    )


def _section(group: Group, picture: bytes, numbers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "group": group,
        "headline": verdict.headline(group),
        # The headline of a single seed already says that it decides nothing.
        "sentences": verdict.sentences(group) if group.seeds > 1 else [],
        "failures": verdict.failures(group.runs),
        "setting": verdict.setting(group),
        "forest": forest(group),
        "figures": [(shown.title, figure(shown, numbers)) for shown in panels(group)],
        "picture": picture,
    }


def _title(groups: Sequence[Group]) -> str:
    def listed(names: Sequence[str]) -> str:
        return ", ".join(dict.fromkeys(names))

    models, data = [group.model for group in groups], [group.data for group in groups]
    return f"{listed(models)} on {listed(data)}"


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if value is None:
        return "all"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _versions(runs: Sequence[RunResult]) -> list[tuple[str, str]]:
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        for name, version in run.versions.items():
            found.setdefault(name, {})[version] = None
        if run.device:
            found.setdefault("device", {})[run.device] = None
    return [(name, ", ".join(versions)) for name, versions in sorted(found.items())]
