"""Fast Training of Sinusoidal Neural Fields via Scaling Initialization (arXiv 2410.04779)."""

from firstlight.papers.entry import Entry
from firstlight.papers.weight_scaling import (
    activations,
    convergence,
    depth,
    distribution,
    domains,
    frequencies,
    gradients,
    kernels,
    nerf,
    pde,
    pictures,
    rival_starts,
    rivals,
    script,
    starts,
    variants,
)

#: In the paper's order: claims, tables, then what it leaves open and suggested checks.
ENTRIES: tuple[Entry, ...] = (
    *distribution.ENTRIES,
    *frequencies.ENTRIES,
    *gradients.ENTRIES,
    *kernels.ENTRIES,
    *pictures.ENTRIES,
    *domains.ENTRIES,
    *rivals.ENTRIES,
    *rival_starts.ENTRIES,
    *starts.ENTRIES,
    *script.ENTRIES,
    *depth.ENTRIES,
    *activations.ENTRIES,
    *convergence.ENTRIES,
    *variants.ENTRIES,
    *pde.ENTRIES,
    *nerf.ENTRIES,
)
