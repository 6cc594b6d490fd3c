"""YAML to plain values, with the line on which each of them stands."""

import re
from pathlib import Path
from typing import Any

import yaml

from firstlight.errors import OptionError

#: A place in the values: keys and indices from the outside in.
Place = tuple[str | int, ...]

_MOST_BYTES = 2**20  # a spec is a page of text
_MOST_VALUES = 2**16  # aliases of aliases can make any number of a few lines
_TAG = "tag:yaml.org,2002:"
_BOOL, _INT, _FLOAT = f"{_TAG}bool", f"{_TAG}int", f"{_TAG}float"
#: What YAML 1.2 reads otherwise, or not at all, as dates and 1:30 for ninety.
_OTHER = (_BOOL, _INT, _FLOAT, f"{_TAG}timestamp")


class _Loader(yaml.SafeLoader):
    """Safe YAML with the plain values of YAML 1.2's core schema.

    In YAML 1.1 ``precision: no`` would be False, ``learning_rate: 1e-3`` a text, 010 eight and
    1:30 ninety.
    """


_Loader.yaml_implicit_resolvers = {
    letter: [pair for pair in pairs if pair[0] not in _OTHER]
    for letter, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile("^(true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    _FLOAT,
    re.compile(
        r"^([-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
    ),
    list("-+.0123456789"),
)
_Loader.add_implicit_resolver(
    _INT, re.compile(r"^([-+]?\d+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789")
)
_Loader.add_constructor(
    _INT, lambda _, node: int(node.value, 0 if node.value[:2] in ("0o", "0x") else 10)
)


class Lines:
    r"""The lines of one file's values.

    Example:
        >>> text = "models: mlp\nseeds:\n  - 1\n  - two\n"
        >>> values, lines = read_text(text, "sweep.yaml")
        >>> values["seeds"], lines.of(("seeds", 1)), lines.of(("seeds", "unknown"))
        ([1, 'two'], 4, 2)
    """

    def __init__(self, found: dict[Place, int]) -> None:
        self._found = found

    def of(self, place: Place) -> int:
        """Return the line, counted from 1, of a value, or else of the nearest one around it."""
        while place and place not in self._found:
            place = place[:-1]
        return self._found.get(place, 1)


def read_file(path: Path) -> tuple[Any, Lines]:
    """Read a YAML file.

    Raises:
        OptionError: it is not there, too large, or not YAML.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise OptionError(
                f"{path} is larger than {_MOST_BYTES} bytes; a spec is a page of text"
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise OptionError(f"cannot read {path}: {why}") from error
    return read_text(text, str(path))


def read_text(text: str, name: str) -> tuple[Any, Lines]:
    """Read YAML.

    Args:
        text: of the file.
        name: of the file, for messages.

    Raises:
        OptionError: it is not YAML, or a key stands in it twice, or it refers to itself.
    """
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        found: dict[Place, int] = {}
        if node is not None:
            _note(node, (), found, name, ())
        value = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        what = getattr(error, "problem", None) or "is not YAML"
        raise OptionError(f"{name}: {where}{what}") from error
    except OptionError:
        raise
    except (ValueError, RecursionError) as error:  # 2026-99-99, a thousand brackets
        raise OptionError(f"{name}: is not YAML that can be read: {error}") from error
    finally:
        if loader is not None:
            loader.dispose()
    return value, Lines(found)


def _note(
    node: yaml.Node, place: Place, found: dict[Place, int], name: str, around: tuple[int, ...]
) -> None:
    """Write down the lines of a node and of what is in it."""
    line = node.start_mark.line + 1
    found.setdefault(place, line)
    if len(found) > _MOST_VALUES:
        raise OptionError(f"{name}: more than {_MOST_VALUES} values")
    if id(node) in around:
        raise OptionError(f"{name}: line {line}: a value must not contain itself")
    around = (*around, id(node))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = key.start_mark.line + 1
            word = str(getattr(key, "value", ""))
            if word in seen:
                raise OptionError(f"{name}: line {here}: {word} is given twice")
            seen.add(word)
            inner = (*place, word)
            found[inner] = here
            _note(value, inner, found, name, around)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note(value, (*place, index), found, name, around)
