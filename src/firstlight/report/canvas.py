"""How every PNG looks: ink, axes without a box, a scheme's marker, letters as they are."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from firstlight.report.palette import Style

DPI = 160
SOFT, QUIET = "#444444", "#767676"


def png(figure: Figure) -> bytes:
    """Draw ``figure``, without Matplotlib's global state."""
    buffer = BytesIO()
    with any_letters():
        FigureCanvasAgg(figure).print_png(buffer)
    return buffer.getvalue()


@contextmanager
def any_letters() -> Iterator[None]:
    """Let letters that the font lacks become boxes without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def plain_axes(axes: Axes, title: str, *, size: float = 9.5) -> None:
    """Give ``axes`` a title on the left, faint lines across, and no box."""
    axes.set_title(title, loc="left", size=size, color=SOFT, pad=6)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#999999")
    axes.tick_params(labelsize=size - 1, length=0, colors=SOFT)


def marker(style: Style, size: float = 6) -> dict[str, Any]:
    """Return the marker of a scheme; a star covers less of its box than the other shapes."""
    return {
        "marker": style.marker.matplotlib,
        "markersize": 1.58 * size if style.marker.matplotlib == "*" else size,
    }


def dashes(style: Style) -> Any:
    """Return the dashes of a scheme."""
    return (0, style.dash) if style.dash else "-"


def short(name: str, length: int = 26) -> str:
    """Cut a long name.

    Example:
        >>> short("default"), short("a" * 40, 5)
        ('default', 'aaaa…')
    """
    return name if len(name) <= length else f"{name[: length - 1]}…"


def plain(name: str) -> str:
    """Keep Matplotlib from reading mathematics between dollars, and from bytes of no letter."""
    return name.encode(errors="replace").decode().replace("$", r"\$")
