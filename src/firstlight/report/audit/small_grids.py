"""Small tables: inputs, output and loss, norms, attention, tangent kernel, Jacobian."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from firstlight.auditing.result import Audit
from firstlight.report.audit.grid import Cell, Column, Grid, grid, number, shape, share, text
from firstlight.report.audit.subject import Subject


class Record(NamedTuple):
    """Something measured under one scheme."""

    scheme: str
    one: Any


def _number(head: str, measure: str) -> Column[Record]:
    return Column(head, lambda record: number(getattr(record.one, measure)), brief=True)


def _text(head: str, measure: str) -> Column[Record]:
    return Column(head, lambda record: text(getattr(record.one, measure)), "text", brief=True)


def _prose(head: str, measure: str) -> Column[Record]:
    return Column(head, lambda record: text(getattr(record.one, measure)), "prose", brief=True)


def _ratio(record: Record) -> Cell:
    loss, uninformed = record.one.loss, record.one.uninformed
    return number(loss / uninformed if loss is not None and uninformed else None)


def _finite(record: Record) -> Cell:
    return text("yes" if record.one.finite else "no")


_SHAPE: Column[Record] = Column("Shape", lambda record: shape(record.one.shape), "text", brief=True)
_FINITE: Column[Record] = Column("Finite", _finite, "text", brief=True)
_OUTPUT: tuple[Column[Record], ...] = (
    _number("Loss at step 0", "loss"),
    _number("Uninformed", "uninformed"),
    Column("Ratio", _ratio, brief=True),
    _prose("Which loss", "loss_name"),
    _SHAPE,
    _FINITE,
    _number("Mean", "mean"),
    _number("Second moment", "second_moment"),
    _number("Spread", "spread"),
)
_INPUTS = (_text("Input", "name"), _SHAPE, _FINITE, _number("Mean", "mean"), _number("std", "std"))
_NORMS = (
    _text("Norm", "path"),
    _text("Kind", "kind"),
    _number("Shift, in running std", "shift"),
    _number("Batch over running variance", "spread"),
)
_ATTENTIONS = (
    _text("Attention", "path"),
    _number("Entropy over the uniform one", "entropy"),
    _number("Places to look at", "keys"),
)
_KERNEL = (
    _number("Points", "points"),
    _number("Outputs", "outputs"),
    _number("Trace", "trace"),
    _number("Largest", "largest"),
    _number("Smallest", "smallest"),
    _number("Condition", "condition"),
    _number("Effective rank", "effective_rank"),
    _prose("How", "how"),
    _prose("Error", "error"),
)
_JACOBIAN = (
    _number("Samples", "samples"),
    _number("Inputs", "inputs"),
    _number("Outputs", "outputs"),
    _number("Largest", "largest"),
    _number("Smallest", "smallest"),
    _number("Mean square", "mean_square"),
    _number("Condition", "condition"),
    _text("By", "by"),
    _prose("How", "how"),
    _prose("Error", "error"),
)


def small_grids(found: Subject) -> tuple[tuple[str, tuple[Grid, ...]], ...]:
    """Build all small tables that have rows, by section."""
    sections = (
        ("Output and loss", [_grid(found, "What the network returns", _OUTPUT, _one("output"))]),
        ("Inputs", [_inputs(found)]),
        (
            "Norms with running statistics",
            [_grid(found, "Running statistics against this batch", _NORMS, _many("norms"))],
        ),
        (
            "Attention",
            [_grid(found, "How evenly attention looks", _ATTENTIONS, _many("attentions"))],
        ),
        (
            "Neural tangent kernel",
            [
                _grid(found, "Spectrum of the empirical kernel", _KERNEL, _one("kernel")),
                _shares(found),
            ],
        ),
        (
            "Input-output Jacobian",
            [_grid(found, "Singular values", _JACOBIAN, _one("jacobian"))],
        ),
    )
    kept = ((title, tuple(one for one in grids if one.lines)) for title, grids in sections)
    return tuple((title, grids) for title, grids in kept if grids)


def _one(name: str) -> Callable[[Audit], Iterable[Any]]:
    return lambda audit: [one for one in [getattr(audit, name)] if one is not None]


def _many(name: str) -> Callable[[Audit], Iterable[Any]]:
    return lambda audit: getattr(audit, name)


def _grid(
    found: Subject,
    caption: str,
    columns: Sequence[Column[Record]],
    take: Callable[[Audit], Iterable[Any]],
) -> Grid:
    """Build a table over all schemes, which it names where there are several."""
    scheme: Column[Record] = Column("Scheme", lambda one: text(one.scheme), "scheme", brief=True)
    records = [Record(s, one) for s, audit in found.audits.items() for one in take(audit)]
    columns = (*((scheme,) if found.several else ()), *columns)
    return grid(caption, columns, records, lambda record: (record.scheme, None))


def _inputs(found: Subject) -> Grid:
    """All schemes see one batch, as a rule: then it is shown once."""
    if len({audit.inputs for audit in found.audits.values()}) > 1:
        return _grid(found, "What the network was given", _INPUTS, _many("inputs"))
    records = [Record("", one) for one in found.first.inputs]
    return grid("What the network was given", _INPUTS, records)


def _shares(found: Subject) -> Grid:
    """Which parameters the kernel comes from: a column for each scheme."""
    shares = {s: dict(audit.kernel.shares) for s, audit in found.audits.items() if audit.kernel}
    names = list(dict.fromkeys(name for own in shares.values() for name in own))

    def column(scheme: str) -> Column[str]:
        head = scheme if found.several else "Share of the trace"
        return Column(f"{head} %", lambda name: share(shares[scheme].get(name)))

    named: Column[str] = Column("Parameter", text, "name")
    return grid("Share of the kernel's trace", (named, *map(column, shares)), names)
