"""The comparison as one HTML file that opens offline, with or without JavaScript."""

import base64
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from firstlight.comparison.spec import RunResult
from firstlight.report import notation, verdict
from firstlight.report.command import command
from firstlight.report.forest import forest
from firstlight.report.group import Group
from firstlight.report.interactive import figure
from firstlight.report.palette import Style
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

    The page loads nothing: style, scripts and pictures are inside. Its scripts are named to the
    browser by their hashes, so that no other script can run, whatever a name or a reason holds.

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
    numbers = {scheme: number for number, scheme in enumerate(schemes)}
    scripts = [get_plotlyjs(), _file("report.js")]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=_title(groups),
            style=_file("report.css") + _colours(schemes.values()),
            scripts=scripts,
            hashes=[_hash(script) for script in scripts],
            verdict=verdict.overall(groups),
            sections=[
                _section(group, picture, numbers)
                for group, picture in zip(groups, pictures, strict=True)
            ],
            schemes=schemes,
            numbers=numbers,
            runs=comparison.results,
            tuning=comparison.tuning,
            command=command(sweep, out),
            setup=[(field, _plain(value)) for field, value in sweep.model_dump().items()],
            versions=_versions(comparison.results),
            heads=_HEADS,
            kind=verdict.kind,
            notation=notation,
            nan=math.nan,
            isnan=math.isnan,
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("firstlight.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = lambda picture: (
        f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    )
    environment.filters["unbroken"] = lambda text: text.replace(" %", "\N{NO-BREAK SPACE}%")
    return environment


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


def _colours(styles: Iterable[Style]) -> str:
    """Declare each scheme's colours, light and dark."""
    light: list[str] = []
    dark: list[str] = []
    for number, style in enumerate(styles):
        for found, colour in ((light, style.light), (dark, style.dark)):
            red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
            found.append(f"--scheme-{number}: {colour};")
            found.append(f"--scheme-{number}-band: rgba({red}, {green}, {blue}, 0.14);")
    return (
        f":root {{ {' '.join(light)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {' '.join(dark)} }} }}\n"
    )


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


def _file(name: str) -> str:
    return resources.files("firstlight.report").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
