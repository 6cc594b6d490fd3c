"""How a scheme looks: colour, dash and marker, the same in the terminal, the PNG and the HTML.

Colours are those of Okabe and Ito, which the colour-blind can tell apart, without the yellow,
which vanishes on white paper. Dashes and markers repeat at other periods than the colours, so
that two schemes never share all three and every line can be told from the others in grey.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Marker:
    """One shape in the four languages that draw it."""

    glyph: str  # terminal
    ascii: str  # terminal without Unicode
    matplotlib: str
    plotly: str
    path: str  # SVG, about 10 units across, centred on 0, 0


@dataclass(frozen=True)
class Style:
    """Colour, dash and marker of one scheme."""

    light: str  # on white
    dark: str  # on black
    dash: tuple[float, ...]  # lengths on, off, ... in line widths; () is a solid line
    marker: Marker


INK = ("#1a1a1a", "#f2f2f2")

_COLOURS = (
    INK,
    ("#E69F00", "#E69F00"),  # orange
    ("#009E73", "#1FBF92"),  # bluish green
    ("#CC79A7", "#DA8FB8"),  # reddish purple
    ("#0072B2", "#4BA3DB"),  # blue
    ("#D55E00", "#F07A22"),  # vermillion
    ("#56B4E9", "#86CCF5"),  # sky blue
)

_MARKERS = (
    Marker("●", "o", "o", "circle", "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z"),
    Marker("■", "#", "s", "square", "M-3.6,-3.6h7.2v7.2h-7.2z"),
    Marker("▲", "^", "^", "triangle-up", "M0,-4.6L4.5,3.4H-4.5z"),
    Marker("▼", "v", "v", "triangle-down", "M0,4.6L4.5,-3.4H-4.5z"),
    Marker("◆", "d", "D", "diamond", "M0,-4.9L4.9,0 0,4.9 -4.9,0z"),
    Marker(
        "★",
        "*",
        "*",
        "star",
        "M0,-5.4L1.3,-1.7 5.1,-1.7 2,.7 3.2,4.4 0,2.1 -3.2,4.4 -2,.7 -5.1,-1.7 -1.3,-1.7z",
    ),
    Marker("+", "+", "P", "cross", "M-1.5,-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z"),
    Marker(
        "\N{MULTIPLICATION SIGN}",
        "x",
        "X",
        "x",
        "M-4.2,-2.1L-2.1,-4.2 0,-2.1 2.1,-4.2 4.2,-2.1 2.1,0 4.2,2.1 2.1,4.2 0,2.1 "
        "-2.1,4.2 -4.2,2.1 -2.1,0z",
    ),
)

_DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (5, 1.5),
    (1.2, 1.2),
    (5, 1.5, 1.2, 1.5),
    (3, 1.2),
    (9, 1.8),
)

#: These always look the same, so that two reports can be laid side by side.
_FIXED = {
    "default": 0,
    "he_normal": 1,
    "orthogonal": 2,
    "lsuv": 3,
    "sinusoidal": 4,
    "harmonic": 5,
}


def styles(schemes: Iterable[str]) -> dict[str, Style]:
    """Give every scheme its look; no two schemes look the same.

    The usual schemes keep theirs in every report. The others take the free ones in the order
    of their names, a scheme with options that of its bare name where it is free.

    Example:
        >>> looks = styles(["harmonic", "default", "siren"])
        >>> looks["default"].marker.glyph, looks["harmonic"].light
        ('●', '#D55E00')
    """
    names = sorted(set(schemes))
    taken: dict[int, str] = {}
    for bare in (False, True):
        for name in names:
            slot = _FIXED.get(name.partition(":")[0] if bare else name)
            if slot is not None and name not in taken.values():
                taken.setdefault(slot, name)
    free = (slot for slot in range(2 * len(names) + len(_COLOURS)) if slot not in taken)
    for name in names:
        if name not in taken.values():
            taken[next(free)] = name
    return {name: _style(slot) for slot, name in taken.items()}


def _style(slot: int) -> Style:
    light, dark = _COLOURS[slot % len(_COLOURS)]
    return Style(light, dark, _DASHES[slot % len(_DASHES)], _MARKERS[slot % len(_MARKERS)])
