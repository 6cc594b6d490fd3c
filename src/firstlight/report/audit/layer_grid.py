"""The layer table: one row for each weight, with the activation that follows it."""

from typing import NamedTuple

from firstlight.auditing.measures import ActivationMeasures, WeightMeasures
from firstlight.auditing.verdict import Level
from firstlight.report.audit.grid import Cell, Column, Grid, grid, number, shape, share, text
from firstlight.report.audit.subject import Site, Subject
from firstlight.report.audit.verdicts import concerned
from firstlight.report.notation import NONE, listed, significant


class Record(NamedTuple):
    """One weight under one scheme."""

    scheme: str
    weight: WeightMeasures
    site: Site | None
    after: ActivationMeasures | None


def layer_grid(found: Subject) -> Grid:
    """Build the table; with several schemes the rows of one weight are below each other."""
    following = found.following
    records = [
        Record(scheme, one, *following.get((scheme, one.parameter), (None, None)))
        for matrix in found.matrices
        for scheme, one in matrix.found.items()
    ]
    levels = concerned(found)
    scheme: Column[Record] = Column("Scheme", lambda one: text(one.scheme), "scheme", brief=True)
    columns = (_NAME, *((scheme,) if found.several else ()), *_WEIGHT, *_AFTER, _REMARKS)
    caption = "Weights in order, each with the first activation that reads its outputs"
    return grid(caption, columns, records, lambda one: (one.scheme, _level(one, levels)))


def _level(one: Record, levels: dict[tuple[str, str], Level]) -> Level | None:
    own = levels.get((one.scheme, one.weight.name))
    return own or levels.get((one.scheme, one.weight.parameter))


def _norms(one: Record) -> Cell:
    low, high = one.weight.row_norm_smallest, one.weight.row_norm_largest
    return Cell(f"{significant(low)} to {significant(high)}", high)


def _rank(one: Record) -> Cell:
    rank, full = one.weight.rank, one.weight.full_rank
    return Cell(NONE if rank is None else f"{rank} of {full}", rank)


def _site(one: Record) -> Cell:
    return text(one.site.label if one.site else "")


def _after(measure: str) -> Column[Record]:
    def cell(one: Record) -> Cell:
        return number(getattr(one.after, measure, None))

    return Column(_HEADS[measure], cell, brief=measure == "second_moment")


def _skewed(degree: int) -> Column[Record]:
    def cell(one: Record) -> Cell:
        found = (f"skewed_{degree}", f"skewed_{degree}_predicted")
        return share(*(getattr(one.after, measure, None) for measure in found))

    return Column(f"Skewed 0.{degree // 10} %", cell, brief=True)


def _chi(one: Record) -> Cell:
    if one.after is None:
        return number(None)
    predicted = one.after.chi_predicted
    return number(one.after.chi, "" if predicted is None else f"({significant(predicted)})")


def _remarks(one: Record) -> Cell:
    weight = one.weight
    said = ["not finite"] * (not weight.finite) + ["frozen"] * weight.frozen
    said += [weight.role] * (weight.role != "weight") + [weight.note] * bool(weight.note)
    said += [f"same as {listed(weight.same_as, 1)}"] * bool(weight.same_as)
    joined = "; ".join(dict.fromkeys(said))
    return Cell(joined, joined or None)


_HEADS = {"second_moment": "E z²", "oui": "OUI"}
_NAME: Column[Record] = Column("Weight", lambda one: text(one.weight.name), "name", brief=True)
_WEIGHT: tuple[Column[Record], ...] = (
    Column("Kind", lambda one: text(one.weight.kind), "text"),
    Column("Shape", lambda one: shape(one.weight.shape), "text", brief=True),
    Column("rms", lambda one: number(one.weight.rms), brief=True),
    Column("Row norms", _norms),
    Column("S ratio", lambda one: number(one.weight.row_sum_ratio), brief=True),
    Column("Zero rows", lambda one: number(one.weight.zero_rows)),
    Column("Constant rows", lambda one: number(one.weight.constant_rows)),
    Column("Twin rows", lambda one: number(one.weight.twin_rows), brief=True),
    Column("Blind inputs", lambda one: number(one.weight.blind_inputs)),
    Column("Rank", _rank, brief=True),
    Column("Stable rank", lambda one: number(one.weight.stable_rank)),
    Column("Condition", lambda one: number(one.weight.condition)),
    Column("Edge", lambda one: number(one.weight.edge)),
    Column("Gradient norm", lambda one: number(one.weight.gradient_norm), brief=True),
)
_AFTER: tuple[Column[Record], ...] = (
    Column("Activation behind it", _site, "text"),
    _after("second_moment"),
    _skewed(10),
    _skewed(30),
    Column("Dead %", lambda one: share(getattr(one.after, "dead", None)), brief=True),
    _after("oui"),
    Column("χ", _chi),
)
_REMARKS: Column[Record] = Column("Remarks", _remarks, "prose")
