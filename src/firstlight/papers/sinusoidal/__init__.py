"""Sinusoidal Initialization, Time for a New Start (arXiv 2505.12909)."""

from firstlight.papers.entry import Entry
from firstlight.papers.sinusoidal.arcsine import FIGURE8
from firstlight.papers.sinusoidal.balance import FIGURE5, FIGURE7
from firstlight.papers.sinusoidal.benchmark import FIGURE1, FIGURE9, TABLE3
from firstlight.papers.sinusoidal.cost import COST
from firstlight.papers.sinusoidal.defaults import TABLE2
from firstlight.papers.sinusoidal.definition import FIGURE3
from firstlight.papers.sinusoidal.mobilenet import MOBILENET
from firstlight.papers.sinusoidal.rank import RANK
from firstlight.papers.sinusoidal.rivals import RIVALS
from firstlight.papers.sinusoidal.settings import TABLE4, TABLE5
from firstlight.papers.sinusoidal.skew import OUI, TABLE1
from firstlight.papers.sinusoidal.skew_everywhere import SKEW_EVERYWHERE
from firstlight.papers.sinusoidal.small_data import SMALL_DATA
from firstlight.papers.sinusoidal.structure import COLLAPSE, EQUAL_LAYERS, WAVES
from firstlight.papers.sinusoidal.vit_states import FIGURE4

#: In the paper's order.
ENTRIES: tuple[Entry, ...] = (
    FIGURE1,
    FIGURE3,
    RANK,
    FIGURE4,
    TABLE1,
    FIGURE5,
    OUI,
    TABLE2,
    TABLE3,
    SKEW_EVERYWHERE,
    FIGURE7,
    TABLE4,
    TABLE5,
    FIGURE8,
    FIGURE9,
    RIVALS,
    MOBILENET,
    COLLAPSE,
    EQUAL_LAYERS,
    WAVES,
    SMALL_DATA,
    COST,
)
