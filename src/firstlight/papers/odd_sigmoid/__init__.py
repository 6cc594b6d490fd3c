"""Beyond Gaussian Initializations: odd-sigmoid activations (arXiv 2509.23085)."""

from firstlight.papers.entry import Entry

#: In the paper's order.
ENTRIES: tuple[Entry, ...] = ()
