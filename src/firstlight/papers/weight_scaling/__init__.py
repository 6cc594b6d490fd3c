"""Fast Training of Sinusoidal Neural Fields via Scaling Initialization (arXiv 2410.04779)."""

from firstlight.papers.entry import Entry
from firstlight.papers.weight_scaling import (
    activations,
    depth,
    distribution,
    domains,
    frequencies,
    gradients,
    pictures,
    rivals,
    variants,
)

#: In the paper's order: claims, tables, then what it leaves open and suggested checks.
ENTRIES: tuple[Entry, ...] = (
    *distribution.ENTRIES,
    *frequencies.ENTRIES,
    *gradients.ENTRIES,
    *pictures.ENTRIES,
    *domains.ENTRIES,
    *rivals.ENTRIES,
    *depth.ENTRIES,
    *activations.ENTRIES,
    *variants.ENTRIES,
)
