"""Give a neural network the best possible start, and see what it is like before it trains."""

from typing import TYPE_CHECKING, Any

from firstlight import init, theory
from firstlight.errors import FirstlightError, OptionError
from firstlight.model import initialize

if TYPE_CHECKING:
    from firstlight.comparison import compare

__version__ = "0.1.0"

__all__ = ["FirstlightError", "OptionError", "compare", "init", "initialize", "theory"]


def __getattr__(name: str) -> Any:
    """Load ``compare`` on first use: it needs packages that ``import firstlight`` must not."""
    if name == "compare":
        from firstlight.comparison import compare

        return compare
    raise AttributeError(f"module 'firstlight' has no attribute {name!r}")
