"""Sinusoidal Initialization, Time for a New Start (arXiv 2505.12909)."""

from firstlight.papers.entry import Entry

#: In the paper's order.
ENTRIES: tuple[Entry, ...] = ()
