"""One table, figure, claim or question of a paper: how it is measured, judged and drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from firstlight.errors import FirstlightError
from firstlight.papers.finding import Finding

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from firstlight.papers.work import Work

#: quick: seconds, the same code on small real data; standard: minutes to hours on two cores;
#: full: the paper's own setting.
PRESETS = ("quick", "standard", "full")

Kind = Literal["table", "figure", "claim", "question", "check"]
Settings = Mapping[str, Any]

#: What a user may give a measurement: files of data by folder, or what an entry needs is named.
Measure = Callable[["Work"], "pd.DataFrame"]
Judge = Callable[["pd.DataFrame"], Sequence[Finding]]
Draw = Callable[["pd.DataFrame"], Mapping[str, "Figure"]]


def _no_figures(frame: "pd.DataFrame") -> Mapping[str, "Figure"]:
    del frame
    return {}


@dataclass(frozen=True)
class Entry:
    """One entry of the registry.

    ``measure`` is slow and resumes; ``judge`` and ``draw`` are quick and read its table alone, so
    that what is on disk can be judged and drawn anew.

    Attributes:
        name: paper/entry, as in sinusoidal/table1.
        kind: table, figure, claim, question (the paper leaves it open) or check (a suggested one).
        where: in the paper, as in "Table 1".
        asks: what it asks, in one line.
        published: what the paper says, in a few words.
        presets: settings of quick, standard and full: plain values, kept with the results.
        measure: takes a ``Work`` with its settings, returns one row per measured thing.
        judge: the claims, each beside what was measured; reads columns of the table alone.
        draw: figures by file name without ending.
        needs: what its full preset needs that a laptop lacks; "" for nothing.
    """

    name: str
    kind: Kind
    where: str
    asks: str
    published: str
    presets: Mapping[str, Settings]
    measure: Measure
    judge: Judge
    draw: Draw = field(default=_no_figures)
    needs: str = ""

    def __post_init__(self) -> None:
        missing = [preset for preset in PRESETS if preset not in self.presets]
        if missing:
            raise FirstlightError(f"{self.name} lacks the presets {', '.join(missing)}")

    @property
    def paper(self) -> str:
        """The paper's part of the name."""
        return self.name.partition("/")[0]
