"""A plan as text: a row for every tensor, or for every run of alike matrices in one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firstlight.model.plan import Assignment, Plan

#: Settings that are no options of the scheme.
_BESIDES = ("scheme", "seed", "empty", "include", "exclude", "overrides", "forget_bias")
_HEAD = ("tensor", "kind", "shape", "fan in", "before", "feeds", "scheme", "gain", "std", "why")


def table(plan: "Plan") -> str:
    """Return the plan, its headline first.

    Example:
        >>> import firstlight
        >>> from torch import nn
        >>> print(firstlight.plan(nn.Linear(3, 2), "zero"))  # doctest: +NORMALIZE_WHITESPACE
        zero, seed 0; 1 weight matrix to fill, 1 value to set, 0 tensors left alone; torch.fx
        tensor   kind     shape  fan in  before  feeds  scheme   gain   std     why
        weight   linear   2x3    3       data    head   zero     1      0.5774  as asked
        bias     bias     2                             = 0                     bias starts at 0
    """
    rows = [_HEAD, *(_cells(group) for group in _groups(list(plan.assignments)))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([_headline(plan), *lines, *_footer(plan)])


def _headline(plan: "Plan") -> str:
    rows = plan.assignments
    fills = sum(row.scheme not in (None, "constant") for row in rows)
    values = sum(row.scheme == "constant" for row in rows)
    options = {k: v for k, v in plan.settings.items() if k not in _BESIDES}
    asked = ":".join([str(plan.settings["scheme"]), *(f"{k}={v}" for k, v in options.items())])
    return (
        f"{asked}, seed {plan.settings['seed']}; "
        f"{_count(fills, 'weight matrix', 'weight matrices')} to fill, "
        f"{_count(values, 'value', 'values')} to set, "
        f"{_count(len(rows) - fills - values, 'tensor', 'tensors')} left alone; {plan.trace.how}"
    )


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _groups(rows: list["Assignment"]) -> list[list["Assignment"]]:
    """Join matrices of one tensor that get the same, such as the groups of a convolution."""
    groups: list[list[Assignment]] = []
    for row in rows:
        last = groups[-1] if groups else None
        if last and row.names == last[0].names and _alike(row, last[0]):
            last.append(row)
        else:
            groups.append([row])
    return groups


def _alike(one: "Assignment", other: "Assignment") -> bool:
    def key(row: "Assignment") -> tuple[object, ...]:
        return row.shape, row.scheme, str(dict(row.options)), row.std, row.reason

    return key(one) == key(other)


def _cells(group: list["Assignment"]) -> tuple[str, ...]:
    row = group[0]
    name = printable(row.name)
    if len(group) > 1:
        marks = [r.name.removeprefix(row.names[0]) for r in group]
        name = row.names[0] + (marks[0] + "…" + marks[-1] if len(group) > 4 else "".join(marks))
    if len(row.names) > 1 and not row.through:
        name += f" (= {', '.join(row.names[1:])})"
    before = row.before or row.reads
    scheme = row.scheme or "-"
    if row.scheme == "constant":
        scheme = f"= {row.value:g}" + (
            "" if row.rows_value is None else f", forget {row.rows_value:g}"
        )
    elif row.options:
        scheme += "".join(f":{k}={_short(v)}" for k, v in row.options.items())
    feeds = row.feeds if row.feeds != "activation" else row.after
    if row.feeds not in ("activation", "") and row.after:
        feeds += f", {row.after}"
    return (
        name,
        row.kind,
        "x".join(map(str, row.shape)) or "-",
        "" if row.fan_in is None else str(row.fan_in),
        before,
        feeds,
        scheme,
        _number(row.gain),
        "" if row.scheme == "constant" else _number(row.std),
        row.reason + (f", through {row.through}" if row.through and row.scheme else ""),
    )


def printable(name: str) -> str:
    """Return a name with line breaks, escapes and the like spelt out.

    Example:
        >>> printable(chr(10) + "a") == chr(92) + "n" + "a"
        True
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(getattr(value, "__name__", value))


def _footer(plan: "Plan") -> list[str]:
    lines = []
    if plan.blocked:
        name, why = next(iter(plan.blocked.items()))
        others = len(plan.blocked) - 1
        more = f" (and {_count(others, 'other', 'others')})" if others else ""
        lines.append(f"cannot be applied yet: {name}{more} {why}")
    if plan.unfilled:
        lines.append(f"nobody fills after to_empty: {', '.join(plan.unfilled)}")
    return lines
