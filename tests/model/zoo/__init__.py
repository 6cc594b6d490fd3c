"""Small models of many kinds, as data: ``ZOO`` by name, ``CASES`` to parametrize a test with."""

import pytest

from . import (
    attention,
    convolutional,
    coordinates,
    odd,
    perceptrons,
    recurrent,
    reparametrized,
    shared,
    timm_models,
    torchvision_models,
    transformers_models,
)
from .entry import Entry, forward

__all__ = ["CASES", "ZOO", "Entry", "forward"]

_FAMILIES = (
    attention,
    convolutional,
    coordinates,
    odd,
    perceptrons,
    recurrent,
    reparametrized,
    shared,
    timm_models,
    torchvision_models,
    transformers_models,
)

ZOO: dict[str, Entry] = {
    name: entry for family in _FAMILIES for name, entry in family.ENTRIES.items()
}

CASES = [
    pytest.param(
        entry,
        id=name,
        marks=pytest.mark.skipif(not entry.available, reason=f"{entry.needs} is not installed"),
    )
    for name, entry in ZOO.items()
]
