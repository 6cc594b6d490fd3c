"""A plan as overrides in YAML, to be edited and given to ``plan`` again."""

from typing import TYPE_CHECKING, Any

import yaml

from firstlight.errors import FirstlightError

if TYPE_CHECKING:
    from firstlight.model.plan import Assignment, Plan


def to_yaml(plan: "Plan") -> str:
    """Return one line for every tensor: its scheme, its value, or "keep".

    What a parametrization holds has no line: the weight that it makes has.
    """
    rows = {row.name: _value(row) for row in plan.assignments if row.kind != "parametrization"}
    text = yaml.safe_dump({"overrides": rows}, sort_keys=False, allow_unicode=True, width=1000)
    return f"# scheme {plan.settings['scheme']}, seed {plan.settings['seed']}\n{text}"


def _value(row: "Assignment") -> Any:
    if row.scheme is None:
        return "keep"
    if row.scheme == "constant":
        gates = {"value": row.value, "forget": row.rows_value}
        return row.value if row.rows_value is None else gates
    if row.scheme == "lsuv":
        raise FirstlightError("a plan fitted to a batch cannot be written as overrides")
    options = {key: _option(row, key, value) for key, value in row.options.items()}
    return {"scheme": row.scheme, **options} if options else row.scheme


def _option(row: "Assignment", key: str, value: Any) -> Any:
    if isinstance(value, (str, int, float, bool)):
        return value
    raise FirstlightError(
        f"{row.name}: the option {key!r} is a function, and YAML holds data alone; give it a name"
    )
