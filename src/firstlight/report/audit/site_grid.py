"""The activation table: the numbers behind the depth profiles."""

from typing import NamedTuple

from firstlight.auditing.measures import ActivationMeasures
from firstlight.report.audit.grid import Cell, Column, Grid, grid, number, share, text
from firstlight.report.audit.subject import Site, Subject
from firstlight.report.audit.verdicts import concerned
from firstlight.report.notation import significant


class Record(NamedTuple):
    """One activation under one scheme."""

    scheme: str
    site: Site
    one: ActivationMeasures


def site_grid(found: Subject) -> Grid:
    """Build the table, in order of execution."""
    records = [
        Record(scheme, site, one) for site in found.sites for scheme, one in site.found.items()
    ]
    levels = concerned(found)
    scheme: Column[Record] = Column("Scheme", lambda record: text(record.scheme), "scheme")
    columns = (_SITE, *((scheme,) if found.several else ()), *_MEASURES)
    return grid(
        "Activations by number, as the profiles count them",
        columns,
        records,
        lambda record: (record.scheme, levels.get((record.scheme, record.one.path))),
    )


def _chi(record: Record) -> Cell:
    predicted = record.one.chi_predicted
    return number(record.one.chi, "" if predicted is None else f"({significant(predicted)})")


def _number(head: str, measure: str) -> Column[Record]:
    return Column(head, lambda record: number(getattr(record.one, measure)))


def _share(head: str, measure: str, predicted: str = "") -> Column[Record]:
    def cell(record: Record) -> Cell:
        guess = getattr(record.one, predicted) if predicted else None
        return share(getattr(record.one, measure), guess)

    return Column(head, cell)


_SITE: Column[Record] = Column("Activation", lambda record: text(record.site.label), "name")
_MEASURES: tuple[Column[Record], ...] = (
    Column("Reads", lambda record: text(record.one.weight), "text"),
    _number("Depth", "depth"),
    _number("Units", "units"),
    _number("Observations", "observations"),
    _number("E z", "mean"),
    _number("E z²", "second_moment"),
    _number("E f(z)²", "output_second_moment"),
    _number("Gradient norm", "gradient_norm"),
    Column("χ", _chi),
    _share("Skewed 0.1 %", "skewed_10", "skewed_10_predicted"),
    _share("Skewed 0.3 %", "skewed_30", "skewed_30_predicted"),
    _share("Dead %", "dead"),
    _share("Saturated %", "saturated"),
    _number("OUI", "oui"),
    _number("Correlation", "correlation"),
    _number("Effective rank", "effective_rank"),
    _number("of samples", "samples"),
)
