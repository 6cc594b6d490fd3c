"""What tells one version of a user's own code from another."""

import ast
import contextlib
import hashlib
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType


def source_hash(module: ModuleType | None) -> str:
    """Return a hash of a module's file and of those beside it that it imports, and so on.

    Beside it is its folder with all below (of a package: the package), but for what is installed
    there. What its import statements name is seen where it is loaded; what is imported by other
    means is not, and no file of data.

    Args:
        module: an imported one; None, or one without a file that can be read, has the hash "".

    Example:
        >>> import json
        >>> from firstlight.physics.source_hash import source_hash
        >>> len(source_hash(json)), source_hash(None)
        (20, '')
    """
    own = _file(module)
    if module is None or own is None:
        return ""
    top = _file(sys.modules.get(module.__name__.partition(".")[0])) or own
    texts: dict[Path, bytes] = {}
    waiting = [(own, module)]
    try:
        while waiting:
            path, each = waiting.pop()
            texts[path] = path.read_bytes()
            for used in _imported(each, texts[path]):
                file = _file(used)
                if file is not None and file not in texts and _beside(file, top.parent):
                    waiting.append((file, used))
    except OSError:  # as in a zip file
        return ""
    found = hashlib.blake2b(texts.pop(own), digest_size=10)
    for path in sorted(texts):
        found.update(b"\0" + str(path.relative_to(top.parent)).encode() + b"\0" + texts[path])
    return found.hexdigest()


def _file(module: ModuleType | None) -> Path | None:
    path = getattr(module, "__file__", None)
    return Path(path).resolve() if isinstance(path, str) else None


def _beside(path: Path, folder: Path) -> bool:
    if not path.is_relative_to(folder):
        return False
    return not {"site-packages", "dist-packages"} & set(path.relative_to(folder).parts)


def _imported(module: ModuleType, text: bytes) -> list[ModuleType]:
    """The loaded modules that a module's import statements name."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # a compiled module
        return []
    names = [name for node in ast.walk(tree) for name in _names(node, module.__package__ or "")]
    return [sys.modules[name] for name in names if name in sys.modules]


def _names(node: ast.AST, package: str) -> Iterator[str]:
    """Names that one statement imports, each with the packages that it lies in."""
    whole = []
    if isinstance(node, ast.Import):
        whole = [each.name for each in node.names]
    elif isinstance(node, ast.ImportFrom):
        name = "." * node.level + (node.module or "")
        with contextlib.suppress(ImportError):  # beyond the package: it cannot be loaded
            base = resolve_name(name, package)
            whole = [f"{base}.{each.name}" for each in node.names]
    for name in whole:
        parts = name.split(".")
        yield from (".".join(parts[: 1 + place]) for place in range(len(parts)))
