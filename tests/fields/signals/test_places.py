"""Places against coordinates that are computed one by one."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.fields.signals.places import Globe, Lattice, Scattered

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


def middles(n):
    return [(2 * i + 1) / n - 1 for i in range(n)]


@given(SHAPES)
def test_cells_lie_in_the_middles_with_the_last_axis_fastest(shape):
    box = Lattice.cells(shape)
    expected = list(itertools.product(*(middles(n) for n in shape)))
    assert (box.shape, box.inputs, len(box)) == (shape, len(shape), len(expected))
    found = box.at(torch.arange(len(box)))
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), np.array(expected, np.float32), rtol=0, atol=0)


@given(SHAPES, st.data())
def test_any_numbers_in_any_order_give_their_own_points(shape, data):
    box = Lattice.cells(shape)
    some = data.draw(st.lists(st.integers(0, len(box) - 1), max_size=6))
    numbers = torch.tensor(some, dtype=torch.int32)
    every = box.at(torch.arange(len(box)))
    assert torch.equal(box.at(numbers), every[torch.tensor(some, dtype=torch.long)])


@given(SHAPES, st.integers(1, 6))
def test_every_takes_multiples_on_all_axes(shape, step):
    points = enumerate(itertools.product(*(range(n) for n in shape)))
    expected = [number for number, point in points if all(i % step == 0 for i in point)]
    assert Lattice.cells(shape).every(step).tolist() == expected
    if len(shape) == 2:
        globe = Globe(torch.linspace(-90, 90, shape[0]), torch.arange(shape[1]))
        assert globe.every(step).tolist() == expected


def test_cells_are_told_apart_where_float32_still_can():
    ticks = Lattice.cells((2**22,)).ticks[0]
    assert (ticks.diff() > 0).all()
    assert ticks[0] == -ticks[-1]


@pytest.mark.parametrize("ticks", [[0.0, 0.5, 1.0], [1.0, 0.5, 0.0], [0.0, 0.1, 1.0]])
def test_spacing_is_the_mean_step_in_either_direction(ticks):
    assert Lattice((torch.tensor(ticks), torch.zeros(1))).spacing == (0.5, 2.0)


LATITUDES = st.lists(st.floats(-90, 90), min_size=1, max_size=4)
LONGITUDES = st.lists(st.floats(-360, 360), min_size=1, max_size=4)


@given(LATITUDES, LONGITUDES)
def test_points_of_a_globe_are_unit_vectors(latitudes, longitudes):
    globe = Globe(*(torch.tensor(each, dtype=torch.float64) for each in (latitudes, longitudes)))
    expected = [
        (
            math.cos(math.radians(lat)) * math.cos(math.radians(lon)),
            math.cos(math.radians(lat)) * math.sin(math.radians(lon)),
            math.sin(math.radians(lat)),
        )
        for lat, lon in itertools.product(latitudes, longitudes)
    ]
    found = globe.at(torch.arange(len(globe)))
    assert (globe.inputs, found.dtype) == (3, torch.float32)
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=2e-7)


def test_the_seam_of_a_globe_is_one_point():
    globe = Globe(torch.tensor([10.0]), torch.tensor([-180.0, 180.0, 0.0, 360.0]))
    west, east, start, turn = globe.at(torch.arange(4))
    assert torch.allclose(west, east, atol=1e-7)
    assert torch.allclose(start, turn, atol=1e-7)


def test_spacing_of_a_globe_is_its_larger_step_in_radians():
    globe = Globe(torch.tensor([90.0, 89.0, 88.0]), torch.tensor([0.0, 2.0, 4.0]))
    assert globe.spacing == (math.radians(2),) * 3
    assert globe.shape == (3, 3)


def test_scattered_points_are_as_given():
    coordinates = torch.rand(7, 3, generator=torch.Generator().manual_seed(0))
    places = Scattered(coordinates)
    assert (len(places), places.inputs) == (7, 3)
    assert torch.equal(places.at(torch.tensor([6, 0])), coordinates[[6, 0]])


def test_scattered_points_are_as_far_apart_as_a_lattice_of_as_many():
    box = Lattice.cells((20, 20))
    points = box.at(torch.arange(400))
    assert Scattered(points).spacing[0] == pytest.approx(box.spacing[0], rel=0.06)
    assert len(Scattered(points).spacing) == 2


@pytest.mark.parametrize("shape", [(3,), (3, 2, 1)])
def test_scattered_points_need_two_axes(shape):
    with pytest.raises(OptionError, match=r"points must have the shape \(n, d\), got"):
        Scattered(torch.zeros(shape))


@pytest.mark.parametrize(
    "places",
    [
        Lattice.cells((2, 3)),
        Globe(torch.tensor([90.0, 0.0]), torch.tensor([0.0, 9.0, 99.0])),
        Scattered(torch.zeros(6, 2)),
    ],
    ids=["lattice", "globe", "scattered"],
)
def test_places_on_another_device_make_points_there(places):
    moved = places.to("meta")
    points = moved.at(torch.zeros(4, dtype=torch.long, device="meta"))
    assert points.device.type == "meta"
    assert (len(moved), points.shape) == (6, (4, places.inputs))
