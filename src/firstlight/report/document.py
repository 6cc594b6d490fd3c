"""What every page shares: one file with its style, scripts and pictures inside, safe by default."""

import base64
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from firstlight.report import notation
from firstlight.report.palette import Style


def render(
    template: str,
    *,
    schemes: Mapping[str, Style],
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    **context: Any,
) -> str:
    """Build a page that extends ``base.html.j2``.

    The page loads nothing. Its scripts are named to the browser by their hashes, so that no other
    script can run, whatever a name or a reason holds.

    Args:
        template: its file in this package.
        schemes: the looks of the schemes, in the order in which the page numbers them.
        styles: files with style of its own.
        scripts: files with scripts of its own.
        context: what the template reads.

    Returns:
        The whole HTML document.
    """
    code = [get_plotlyjs(), *map(_file, ("report.js", *scripts))]
    return (
        _environment()
        .get_template(template)
        .render(
            style="".join(map(_file, ("report.css", *styles))) + _colours(schemes.values()),
            scripts=code,
            hashes=[_hash(script) for script in code],
            schemes=schemes,
            numbers=numbered(schemes),
            notation=notation,
            nan=math.nan,
            isnan=math.isnan,
            **context,
        )
    )


def numbered(schemes: Iterable[str]) -> dict[str, int]:
    """Give each scheme the number under which a page knows its colour."""
    return {scheme: number for number, scheme in enumerate(schemes)}


def data_uri(picture: bytes) -> str:
    """Return a PNG as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("firstlight.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = data_uri
    environment.filters["unbroken"] = lambda text: text.replace(" %", "\N{NO-BREAK SPACE}%")
    return environment


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


def _file(name: str) -> str:
    return resources.files("firstlight.report").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
