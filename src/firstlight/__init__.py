"""Give a neural network the best possible start, and see what it is like before it trains."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from firstlight.errors import FirstlightError, OptionError

if TYPE_CHECKING:
    from firstlight import fields, init, nn, physics, theory
    from firstlight.auditing.audit import audit
    from firstlight.auditing.result import Audit, UnhealthyError
    from firstlight.auditing.starts import audit_starts
    from firstlight.auditing.watch import watch
    from firstlight.auditing.watching.watched import WatchWarning
    from firstlight.comparison.compare import compare
    from firstlight.model.initialize import initialize
    from firstlight.model.planning import plan

__version__ = "0.1.0"

__all__ = [
    "Audit",
    "FirstlightError",
    "OptionError",
    "UnhealthyError",
    "WatchWarning",
    "audit",
    "audit_starts",
    "compare",
    "fields",
    "init",
    "initialize",
    "nn",
    "physics",
    "plan",
    "theory",
    "watch",
]

#: Where the names are that load torch, and that are therefore loaded on first use.
_MODULES = {
    "Audit": "firstlight.auditing",
    "UnhealthyError": "firstlight.auditing",
    "WatchWarning": "firstlight.auditing",
    "audit": "firstlight.auditing",
    "audit_starts": "firstlight.auditing",
    "compare": "firstlight.comparison",
    "fields": "firstlight.fields",
    "init": "firstlight.init",
    "initialize": "firstlight.model",
    "nn": "firstlight.nn",
    "physics": "firstlight.physics",
    "plan": "firstlight.model",
    "theory": "firstlight.theory",
    "watch": "firstlight.auditing",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562), so that the command line starts at once."""
    if name not in _MODULES:
        raise AttributeError(f"module 'firstlight' has no attribute {name!r}")
    try:
        module = import_module(_MODULES[name])
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name != "compare" or missing.partition(".")[0] == "firstlight":
            raise
        raise FirstlightError(
            f"compare needs {missing}: pip install 'firstlight[compare]'"
        ) from error
    return globals().setdefault(
        name, module if module.__name__ == f"firstlight.{name}" else getattr(module, name)
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
