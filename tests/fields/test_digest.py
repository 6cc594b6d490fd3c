"""Names of samples: every place, value, weight and choice counts, and where they lie does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_fits import SIGNALS, image, sphere, waves

from firstlight import fields
from firstlight.fields.signals.places import Globe, Lattice, Scattered
from firstlight.fields.signals.samples import Samples, Span
from firstlight.fields.unfinished import digest


def samples(**changed):
    values = torch.arange(12, dtype=torch.float32).reshape(6, 2)
    return replace(Samples(Lattice.cells((2, 3)), values, Span(0.0, 11.0)), **changed)


OTHERS = {
    "values": {"values": torch.arange(12, dtype=torch.float32).reshape(6, 2).flip(0)},
    "type": {"values": torch.arange(12, dtype=torch.float64).reshape(6, 2)},
    "places": {"places": Lattice.cells((3, 2))},
    "scattered": {"places": Scattered(Lattice.cells((2, 3)).at(torch.arange(6)))},
    "span": {"span": Span(0.0, 12.0)},
    "weights": {"weights": torch.ones(6)},
    "chosen": {"chosen": torch.arange(6)},
    "fewer": {"chosen": torch.arange(5)},
}


def test_every_part_counts():
    names = [digest(samples()), *(digest(samples(**changed)) for changed in OTHERS.values())]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("kind", SIGNALS)
def test_the_same_signal_read_twice_has_one_name(kind):
    assert digest(SIGNALS[kind]().train) == digest(SIGNALS[kind]().train)


def test_one_value_is_enough():
    pixels = waves()
    changed = pixels.copy()
    changed[5, 7] ^= 1
    assert digest(image().train) != digest(fields.load(changed, kind="image").train)


def test_held_out_samples_do_not_change_who_is_fitted_but_which_do():
    assert digest(image(every=2).train) != digest(image(every=3).train)
    assert digest(sphere(held_out=0.2).train) != digest(sphere(held_out=0.2, seed=1).train)


def test_the_device_and_the_strides_do_not_count():
    globe = Globe(torch.arange(3.0), torch.arange(4.0))
    assert digest(globe) == digest(replace(globe, device=torch.device("cpu")))
    table = torch.arange(12.0).reshape(3, 4)
    assert digest(table.t()) == digest(table.t().contiguous()) != digest(table)


def test_numbers_do_not_run_together():
    assert digest((1, 12)) != digest((11, 2))
    assert digest(("a", ("b",))) != digest((("a",), "b"))
    assert digest((torch.zeros(2), torch.zeros(1))) != digest((torch.zeros(1), torch.zeros(2)))


@pytest.mark.parametrize(
    "tensor",
    [torch.ones(3, dtype=torch.bool), torch.tensor(2.0), torch.zeros(0), torch.zeros(2, 0)],
)
def test_any_tensor_has_a_name(tensor):
    assert len(digest(tensor)) == 32
    assert digest(tensor) == digest(tensor.clone())


def test_a_large_signal_has_a_name_soon():
    many = np.zeros((2000, 2000, 3), np.uint8)
    assert len(digest(fields.load(many, kind="image").train)) == 32
