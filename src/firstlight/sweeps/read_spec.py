"""A sweep from a YAML file; what is wrong in it is told with its line."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from firstlight.errors import OptionError
from firstlight.sweeps.spec import Block, Resources, SweepSpec
from firstlight.sweeps.yaml_lines import Place, read_file

_OF_SWEEP = ("comparisons", "resources", "retries")


def read_spec(path: str | Path) -> SweepSpec:
    r"""Read a sweep.

    Keys of a comparison at the top hold for all ``comparisons`` that do not say otherwise; without
    ``comparisons`` they are the only one::

        data: cifar10
        optimizers: [sgd, adamw]
        schemes: [default, orthogonal, sinusoidal, harmonic]
        forms: [published, matched, tuned]
        seeds: 3
        resources: {cpus: 4, gpus: 1}
        comparisons:
          - {models: "torchvision:resnet50", epochs: 100}
          - {models: "torchvision:mobilenet_v3_small", epochs: 200}

    Raises:
        OptionError: the file cannot be read, or something in it is unknown, of a wrong type or
            impossible: with the line.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "sweep.yaml"
        >>> _ = path.write_text("models: mlp\nepoch: 3\n")
        >>> read_spec(path)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        firstlight.errors.OptionError: ...sweep.yaml: line 2: no key is called epoch; did you ...
    """
    path = Path(path)
    values, lines = read_file(path)
    if not isinstance(values, dict):
        raise OptionError(f"{path}: line 1: expected keys and values as in 'models: mlp'")
    shared = {key: value for key, value in values.items() if key not in _OF_SWEEP}
    for key in shared:
        if key not in Block.model_fields:
            raise OptionError(f"{path}: line {lines.of((str(key),))}: {_unknown(key)}")
    whole = {key: values[key] for key in _OF_SWEEP if key in values}
    given = whole.setdefault("comparisons", [{}])
    if isinstance(given, list):
        whole["comparisons"] = [shared | each if isinstance(each, dict) else each for each in given]
    try:
        return SweepSpec.model_validate(whole)
    except ValidationError as error:
        first = error.errors()[0]
        place = _place(first["loc"], values)
        raise OptionError(f"{path}: line {lines.of(place)}: {_message(first)}") from None


def _place(found: tuple[str | int, ...], values: dict[Any, Any]) -> Place:
    """Where a value stands in the file: what is shared by all comparisons stands at the top."""
    if found[:1] != ("comparisons",) or len(found) < 2:
        return found
    if len(found) == 2:  # what does not go together: a network and its data, first of all
        return _place((*found, "models"), values)
    own = values.get("comparisons")
    if own is None:
        return found[2:]
    index = found[1]
    block = own[index] if isinstance(index, int) and isinstance(own, list) else {}
    if len(found) > 2 and isinstance(block, dict) and found[2] not in block and found[2] in values:
        return found[2:]
    return found


def _message(error: Any) -> str:
    where = [str(part) for part in error["loc"] if not isinstance(part, int)]
    where = where[1:] if where[0] == "comparisons" and len(where) > 1 else where
    if error["type"] == "extra_forbidden":
        return _unknown(where[-1], Resources if "resources" in where[:-1] else Block)
    if error["type"] == "missing":
        return f"{where[-1]} is missing"
    text = str(error["msg"]).removeprefix("Value error, ")
    text = text[0].lower() + text[1:]
    if error["type"] in ("model_type", "model_attributes_type"):
        text = "expected keys and values"
    if error["type"] == "value_error":  # our own: they say what came
        return f"{'.'.join(where)}: {text}" if where not in ([], ["comparisons"]) else text
    return f"{'.'.join(where)}: {text}, got {error['input']!r:.80}"


def _unknown(key: Any, kind: Any = Block) -> str:
    if kind is Block and key in _OF_SWEEP:
        return f"{key} stands at the top of the file, for all comparisons"
    names = [*kind.model_fields, *(_OF_SWEEP if kind is Block else ())]
    near = get_close_matches(str(key), names, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return f"no key is called {key}; {hint}"
