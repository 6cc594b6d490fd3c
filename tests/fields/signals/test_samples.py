"""Samples: spans, subsets, and what is held out."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.fields.signals.places import Lattice, Scattered
from firstlight.fields.signals.samples import Samples, Span, held_out_of

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)


def samples(**options):
    values = torch.arange(12, dtype=torch.int16).reshape(6, 2)
    return Samples(Lattice.cells((2, 3)), values, Span(0, 11), **options)


@given(NUMBERS, NUMBERS, st.floats(0, 1))
def test_a_span_and_its_ends(one, other, share):
    low, high = sorted((one, other))
    span, value = Span(low, high), torch.tensor([low, high, low + share * (high - low)])
    scaled = span.scaled(value)
    far = 1e-6 * max(abs(low), abs(high), 1)
    assert torch.allclose(span.restored(scaled), value.float(), rtol=0, atol=far)
    if high - low > 1e-3 * max(abs(low), abs(high), 1e-30):
        assert torch.allclose(scaled[:2], torch.tensor([-1.0, 1.0]), atol=1e-3)


def test_a_constant_becomes_0_and_itself_again():
    span = Span(280.0, 280.0)
    assert span.scaled(torch.full((3,), 280.0)).tolist() == [0, 0, 0]
    assert span.restored(torch.zeros(3)).tolist() == [280, 280, 280]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float64])
def test_scaled_values_are_new_and_float32(dtype):
    values = torch.tensor([0, 100], dtype=dtype)
    assert Span(0, 100).scaled(values).tolist() == [-1, 1]
    assert values.tolist() == [0, 100]
    own = torch.tensor([0.0, 100.0])
    Span(0, 100).scaled(own)
    Span(0, 100).restored(own)
    assert own.tolist() == [0, 100]


def test_a_batch_has_the_coordinates_values_and_weights_of_its_rows():
    weights = torch.tensor([0.5, 1, 1.5, 0.5, 1, 1.5])
    batch = samples(weights=weights).at(torch.tensor([5, 0]))
    np.testing.assert_allclose(batch.x, [[0.5, 2 / 3], [-0.5, -2 / 3]], rtol=1e-6)
    np.testing.assert_allclose(batch.y, np.array([[10, 11], [0, 1]]) / 5.5 - 1, rtol=1e-6)
    assert batch.weight.tolist() == [[1.5], [0.5]]


def test_rows_of_a_subset_count_within_it():
    part = samples(weights=torch.arange(6)).subset(torch.tensor([1, 4], dtype=torch.int32))
    assert (len(part), part.inputs, part.outputs) == (2, 2, 2)
    batch, whole = part.all(), samples(weights=torch.arange(6)).all()
    for one, all_of_them in zip(batch, whole, strict=True):
        assert torch.equal(one, all_of_them[[1, 4]])


def test_between_ends_with_the_samples():
    assert len(samples().between(4, 99).x) == 2
    assert torch.equal(samples().between(1, 3).y, samples().all().y[1:3])


def test_random_draws_come_from_the_subset_and_from_the_generator():
    part = samples().subset(torch.tensor([1, 4]))
    first, again = (part.random(50, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.y, again.y)
    assert {tuple(row) for row in first.y.tolist()} == {tuple(row) for row in part.all().y.tolist()}


def test_samples_move_as_a_whole():
    weights, chosen = torch.ones(6), torch.tensor([0, 1])
    moved = samples(weights=weights, chosen=chosen).to("meta")
    tensors = [moved.values, moved.weights, moved.chosen, *moved.places.ticks]
    assert {each.device.type for each in tensors} == {"meta"}
    assert (len(moved), moved.device.type) == (2, "meta")


@given(st.sets(st.integers(0, 5), min_size=1))
def test_what_is_held_out_is_what_was_not_chosen(chosen):
    numbers = torch.tensor(sorted(chosen))
    train, others = held_out_of(samples(), numbers)
    rest = set() if others is None else set(others.chosen.tolist())
    assert set(train.chosen.tolist()) == chosen
    assert rest == set(range(6)) - chosen


def test_nothing_is_held_out_where_all_are_chosen():
    assert held_out_of(samples(), None)[1] is None
    assert len(held_out_of(samples(), None)[0]) == 6


def test_something_must_be_chosen():
    with pytest.raises(OptionError, match="no sample is left to train on"):
        held_out_of(samples(), torch.zeros(0, dtype=torch.long))


@pytest.mark.parametrize("shape", [(5, 2), (6,), (6, 2, 1)])
def test_there_is_a_row_of_values_for_each_place(shape):
    with pytest.raises(OptionError, match=r"values must have the shape \(6, outputs\), got"):
        Samples(Lattice.cells((2, 3)), torch.zeros(shape), Span(0, 1))


@pytest.mark.parametrize("shape", [(5,), (6, 1)])
def test_there_is_a_weight_for_each_place(shape):
    with pytest.raises(OptionError, match=r"weights must have the shape \(6,\), got"):
        samples(weights=torch.ones(shape))


def test_scattered_places_have_samples_too():
    points = torch.rand(4, 3, generator=torch.Generator().manual_seed(0))
    batch = Samples(Scattered(points), torch.ones(4, 1), Span(0, 1)).between(2, 4)
    assert torch.equal(batch.x, points[2:])
    assert batch.weight is None
