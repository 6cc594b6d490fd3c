"""A plan as overrides in YAML, to be edited and given to ``plan`` again."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from firstlight.model.plan import Assignment, Plan


def to_yaml(plan: "Plan") -> str:
    """Return one line for every tensor: its scheme, its value, or "keep"."""
    import yaml  # here: most plans are not written

    rows = {row.name: _value(row) for row in plan.assignments}
    text = yaml.safe_dump({"overrides": rows}, sort_keys=False, allow_unicode=True, width=1000)
    return f"# scheme {plan.settings['scheme']}, seed {plan.settings['seed']}\n{text}"


def _value(row: "Assignment") -> Any:
    if row.scheme is None:
        return "keep"
    if row.scheme == "constant":
        return row.std
    options = {key: _option(value) for key, value in row.options.items()}
    return {"scheme": row.scheme, **options} if options else row.scheme


def _option(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) else str(value)
