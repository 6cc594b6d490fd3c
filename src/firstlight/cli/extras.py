"""What a command needs that a plain installation lacks."""

import importlib.util

from firstlight.errors import FirstlightError

#: What the extra ``compare`` installs, by the names that are imported.
_COMPARE = (
    "accelerate",
    "jinja2",
    "matplotlib",
    "pandas",
    "PIL",
    "plotly",
    "pyarrow",
    "pydantic",
    "sklearn",
    "torchmetrics",
)


def require(what: str) -> None:
    """Raise ``FirstlightError`` unless all of the extra ``compare`` is there, for ``what``.

    Example:
        >>> from firstlight.cli.extras import require
        >>> require("compare")
    """
    missing = [name for name in _COMPARE if importlib.util.find_spec(name) is None]
    if missing:
        names = ", ".join(missing)
        raise FirstlightError(f"{what} needs {names}: pip install 'firstlight[compare]'")
