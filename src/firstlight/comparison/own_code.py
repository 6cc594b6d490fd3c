"""What a user's own module is made of: its file, and those beside it that it imports."""

import ast
import hashlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


def fingerprint(module: str) -> str:
    """Return a hash of a module's file and of all that it imports from the same folder tree.

    Installed packages are not looked at: their versions are kept with every result. "" where there
    is no file to read, as in a zip archive.

    Args:
        module: name of one that is imported.

    Example:
        >>> len(fingerprint("firstlight.comparison.own_code"))
        20
        >>> fingerprint("sys")
        ''
    """
    first = _file(module)
    if first is None:
        return ""
    root = first.parents[module.count(".") + (first.stem == "__init__")]
    seen: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if name in seen or path is None or not (name == module or _beside(path, root)):
            continue
        seen[name] = path
        waiting += _imported(name, path)
    found = hashlib.blake2b(digest_size=10)
    for name, path in sorted(seen.items()):
        found.update(name.encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def _beside(path: Path, root: Path) -> bool:
    """Whether a file is the user's, and not that of a package installed below the same folder."""
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    # firstlight itself is known by its own hash, but for the papers' networks
    own = Path(__file__).parents[1]
    papers = own / "papers"
    within = own in path.parents and papers not in path.parents
    return root in path.parents and not installed and not within


def _imported(module: str, path: Path) -> Iterator[str]:
    """Names that a file imports, anywhere in it; some are of no module."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # it was edited since
        return
    package = module.split(".") if path.stem == "__init__" else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def _file(module: str) -> Path | None:
    loaded: ModuleType | None = sys.modules.get(module)
    package = module.rpartition(".")[0]
    try:
        # a module of a package that is not imported would be looked for by importing the package
        spec = None if loaded or (package and package not in sys.modules) else find_spec(module)
        origin = getattr(loaded, "__file__", None) or (spec.origin if spec else None)
        path = Path(origin or "").resolve()
        return path if path.suffix == ".py" and path.is_file() else None
    except (ImportError, ValueError, AttributeError):  # a name that is of no module
        return None
