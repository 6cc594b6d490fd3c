"""One audit, or several side by side, as one HTML file that opens offline."""

from typing import Any

from firstlight.report.audit import pictures, verdicts
from firstlight.report.audit.facts import facts, title
from firstlight.report.audit.histogram import FLOOR, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from firstlight.report.audit.layer_grid import layer_grid
from firstlight.report.audit.panel import Panel
from firstlight.report.audit.picture import picture
from firstlight.report.audit.plots import plot
from firstlight.report.audit.profiles import profiles
from firstlight.report.audit.raster import stops
from firstlight.report.audit.reading import READING
from firstlight.report.audit.row_sums import PARTS
from firstlight.report.audit.site_grid import site_grid
from firstlight.report.audit.small_grids import small_grids
from firstlight.report.audit.spectra import spectra
from firstlight.report.audit.subject import Subject
from firstlight.report.document import numbered, render

#: Names of layers that a verdict lists before it folds the rest away.
NAMED = 4
SPECTRA = "Spectra and attention"


def page(found: Subject, drawn: bytes, command: str) -> str:
    """Build the report.

    Args:
        found: the audits, laid out.
        drawn: the profiles as PNG, for print and for browsers without JavaScript.
        command: how the audits were asked for, or "".

    Returns:
        The whole HTML document.
    """
    return render(
        "audit/page.html.j2",
        schemes=found.looks,
        styles=["audit/audit.css", "audit/pictures.css"],
        scripts=["audit/audit.js"],
        title=title(found),
        subject="audit before training",
        found=found,
        facts=facts(found),
        verdicts=verdicts,
        checks=verdicts.checks(found),
        named=NAMED,
        **_curves(found, drawn),
        **_pictures(found),
        layers=layer_grid(found),
        activations=site_grid(found),
        sections=small_grids(found),
        reading=READING,
        command=command,
        versions=list(dict.fromkeys(pair for a in found.audits.values() for pair in a.versions)),
    )


def _curves(found: Subject, drawn: bytes) -> dict[str, Any]:
    panels, missing = profiles(found)
    further = spectra(found)
    return {
        "profiles": _plots(found, panels, [site.label for site in found.sites]),
        "missing": missing,
        "drawn": drawn,
        "spectra": _plots(found, further),
        "spectra_title": SPECTRA,
        "further": picture(SPECTRA, further, found.looks) if further else b"",
    }


def _pictures(found: Subject) -> dict[str, Any]:
    return {
        "patterns": pictures.patterns(found),
        "histograms": pictures.histograms(found),
        "weights": pictures.weights(found),
        "frame": {"w": WIDTH, "h": HEIGHT, "l": LEFT, "r": RIGHT, "t": TOP, "f": FLOOR},
        "parts": PARTS,
        "stops": stops(),
    }


def _plots(
    found: Subject, panels: tuple[Panel, ...], names: list[str] | None = None
) -> list[tuple[Panel, dict[str, Any]]]:
    numbers = numbered(found.looks)
    return [(shown, plot(shown, found.looks, numbers, names or ())) for shown in panels]
