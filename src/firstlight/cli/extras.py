"""What a command needs that a plain installation lacks."""

import importlib.util

from firstlight.errors import FirstlightError

#: What the extra ``compare`` installs, by the names that are imported.
_COMPARE = (
    "accelerate",
    "filelock",
    "jinja2",
    "matplotlib",
    "pandas",
    "pebble",
    "PIL",
    "plotly",
    "pyarrow",
    "pydantic",
    "sklearn",
    "tabulate",
    "torchmetrics",
)


def require(what: str, extra: str = "compare") -> None:
    """Raise ``FirstlightError`` unless all of an extra is there, for ``what``.

    Example:
        >>> from firstlight.cli.extras import require
        >>> require("compare")
        >>> require("fit", "fields")
    """
    missing = [called for name, called in _names(extra).items() if _absent(name)]
    if missing:
        names = ", ".join(missing)
        raise FirstlightError(f"{what} needs {names}: pip install 'firstlight[{extra}]'")


def _names(extra: str) -> dict[str, str]:
    """What is imported, and what it is called in a message."""
    if extra == "compare":
        return {name: name for name in _COMPARE}
    if extra == "physics":
        from firstlight.physics.packages import PACKAGES  # here: it loads torch
    else:
        from firstlight.fields.packages import PACKAGES

    return PACKAGES


def _absent(name: str) -> bool:
    return importlib.util.find_spec(name) is None
