"""Fast Training of Sinusoidal Neural Fields via Scaling Initialization (arXiv 2410.04779)."""

from firstlight.papers.entry import Entry

#: In the paper's order.
ENTRIES: tuple[Entry, ...] = ()
