"""Further curves: spectra of the tangent kernel and of the Jacobian, and attention entropies."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from firstlight.report.audit.panel import Panel, panel
from firstlight.report.audit.subject import Subject

#: Points of a spectrum that are drawn: more cannot be told apart.
_MOST = 120


def spectra(found: Subject) -> tuple[Panel, ...]:
    """Lay out what some scheme has of spectra and attention."""
    audits = found.audits.items()
    kernels = {scheme: audit.kernel.eigenvalues for scheme, audit in audits if audit.kernel}
    slopes = {s: a.jacobian.singular_values for s, a in audits if a.jacobian}
    entropies = {s: tuple(one.entropy for one in a.attentions) for s, a in audits}
    panels = (
        _spectrum("kernel", "Eigenvalues of the tangent kernel", kernels),
        _spectrum("jacobian", "Singular values of the Jacobian", slopes),
        panel(
            "attention",
            "Attention entropy over the uniform one",
            {scheme: values for scheme, values in entropies.items() if len(values) > 1},
            x="attention number",
            scale="unit",
        ),
    )
    return tuple(shown for shown in panels if shown is not None)


def _spectrum(key: str, title: str, values: dict[str, tuple[float, ...]]) -> Panel | None:
    """Thin out long spectra, and keep their ends."""
    places = {scheme: falling(len(own), _MOST) for scheme, own in values.items()}
    kept = {scheme: [own[i] for i in places[scheme]] for scheme, own in values.items()}
    made = panel(key, title, kept, x="number, the largest first", scale="log")
    if made is None:
        return None
    lines = tuple(
        dataclasses.replace(line, positions=tuple(i + 1 for i in places[line.scheme]))
        for line in made.lines
    )
    return dataclasses.replace(made, lines=lines, count=max(map(len, values.values())))


def falling(count: int, most: int) -> Sequence[int]:
    """Choose at most ``most`` of 0, 1, ... ``count`` - 1, ever farther apart, the ends among them.

    Example:
        >>> falling(3, 5), falling(1000, 5)
        ([0, 1, 2], [0, 5, 31, 177, 999])
    """
    if count <= most:
        return list(range(count))
    places = np.geomspace(1, count, most).round().astype(int) - 1
    return sorted({int(place) for place in places})


def thinned(count: int, most: int) -> Sequence[int]:
    """Choose at most ``most`` of 0, 1, ... ``count`` - 1, evenly, the ends among them.

    Example:
        >>> thinned(3, 5), thinned(100, 4)
        ([0, 1, 2], [0, 33, 66, 99])
    """
    places = np.linspace(0, count - 1, min(count, most)).round().astype(int)
    return sorted({int(place) for place in places})
