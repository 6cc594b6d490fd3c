"""Pieces of signals: which samples they are, how far apart, and none that is held out."""

import math

import numpy as np
import pytest
import torch
from small_fits import SIGNALS, image, sphere

from firstlight import fields
from firstlight.fields.alpha.patches import _starts, patches

SHAPES = {1: (900,), 2: (70, 90), 3: (30, 24, 26), 4: (12, 14, 12, 13)}


def numbered(shape, **options):
    """A volume whose values are the numbers of its cells, up to a scale."""
    count = math.prod(shape)
    values = np.arange(count, dtype=np.float64).reshape(shape)
    return fields.load(values, kind="volume", **options), count


def cells_of(values, shape, count):
    """Which cells hold these scaled values."""
    numbers = ((values + 1) / 2 * (count - 1)).round().astype(int)
    return np.stack(np.unravel_index(numbers, shape), -1)


@pytest.mark.parametrize("inputs", SHAPES)
@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("level", [1, 2])
def test_lattice_pieces_have_the_signals_own_spacing(inputs, every, level):
    shape = SHAPES[inputs]
    if inputs == 4 and every * level > 1:
        return  # too few samples
    signal, count = numbered(shape, every=every)
    (pieces,) = patches(signal, level)
    stride, spacing = every * 2 ** (level - 1), np.array(signal.spacing)
    known = cells_of(pieces.known_values[..., 0], shape, count)
    asked = cells_of(pieces.asked_values[..., 0], shape, count)
    assert (known % (2 * stride) == 0).all()  # every second of those that are looked at
    assert (asked % stride == 0).all()
    assert ((asked // stride) % 2).any(-1).all()
    for corner, other in zip(known, asked, strict=True):
        # the known ones lie as far apart as all training samples do
        np.testing.assert_allclose(
            pieces.known - pieces.known[0], (corner - corner[0]) / stride / 2 * spacing, atol=1e-9
        )
        np.testing.assert_allclose(
            pieces.asked - pieces.known[0], (other - corner[0]) / stride / 2 * spacing, atol=1e-9
        )
    assert len(np.unique(known[:, 0], axis=0)) == len(known)
    assert 1 <= len(known) <= 64
    sides = [len(np.unique(axis.round(9))) for axis in pieces.known.T]
    for axis, side, step in zip(pieces.known.T, sides, spacing, strict=True):
        np.testing.assert_allclose(np.ptp(axis), (side - 1) * step, atol=1e-9)


def test_what_is_asked_lies_amid_the_known():
    (pieces,) = patches(numbered((70, 90))[0])
    spacing = np.array(numbered((70, 90))[0].spacing)
    low, high = pieces.known.min(0), pieces.known.max(0)
    assert (pieces.asked >= low + 2 * spacing).all()
    assert (pieces.asked <= high - 2 * spacing).all()


@pytest.mark.parametrize("inputs", SHAPES)
def test_pieces_are_all_over(inputs):
    sides = [400] * inputs
    starts = _starts(sides, [20] * inputs)
    assert len(np.unique(starts, axis=0)) == len(starts) == round(64 ** (1 / inputs)) ** inputs or (
        inputs == 4 and len(starts) == 16
    )
    assert (starts % 2 == 0).all()
    assert (starts.min(0) == 0).all()
    assert (starts.max(0) >= 378).all()
    assert (starts.max(0) + 20 <= 400).all()


@pytest.mark.parametrize("options", [{"every": 2}, {"every": 3}, {"held_out": 0.4}])
@pytest.mark.parametrize("kind", ["image", "sphere", "sound", "volume"])
@pytest.mark.parametrize("level", [1, 2])
def test_nothing_that_is_held_out_is_looked_at(kind, options, level):
    rng = np.random.default_rng(0)
    if kind == "image":
        signal = fields.load(rng.integers(0, 99, (80, 80)).astype(np.uint8), kind=kind, **options)
    elif kind == "sphere":
        places = np.linspace(-80, 80, 40), np.linspace(0, 350, 60)
        signal = fields.load((*places, rng.random((40, 60))), kind=kind, **options)
    elif kind == "sound":
        signal = fields.load(
            rng.random(3000).astype(np.float32), kind="audio", rate=8000, **options
        )
    else:
        signal = fields.load(rng.random((30, 30, 30)), kind=kind, **options)
    before = patches(signal, level)
    held = signal.held_out
    held.values[held.chosen.long()] = 77
    assert before
    for one, same in zip(before, patches(signal, level), strict=True):
        np.testing.assert_array_equal(one.known_values, same.known_values)
        np.testing.assert_array_equal(one.asked_values, same.asked_values)


def test_scattered_pieces_are_neighbours_as_dense_as_the_samples():
    signal = fields.load(
        np.random.default_rng(0).integers(0, 99, (100, 100)).astype(np.uint8),
        kind="image",
        held_out=0.5,
    )
    for level in (1, 2):
        for piece in patches(signal, level):
            # half of a piece is known; its area shows how dense they are
            radius = np.sqrt(np.square(piece.known).sum(1)).max()
            inside = (np.abs(piece.known).max(1) < radius / 2).sum()
            density = inside / radius**2  # in a square of side radius
            assert density == pytest.approx(len(signal.train) / 4, rel=0.5)


def test_a_part_of_many_samples_is_drawn_together_further(monkeypatch):
    import firstlight.fields.alpha.patches as module

    signal = sphere(held_out=0.1)
    whole = patches(signal)[0]
    monkeypatch.setattr(module, "_SCATTERED", 20)
    dense = [np.abs(each.known).max() for each in patches(signal)]
    assert np.abs(whole.known).max() > np.mean(dense)


@pytest.mark.parametrize("kind", SIGNALS)
def test_the_same_pieces_every_time(kind):
    signal = SIGNALS[kind]()
    torch.manual_seed(0)
    first = patches(signal)
    torch.manual_seed(1)
    for one, same in zip(first, patches(signal), strict=True):
        np.testing.assert_array_equal(one.known, same.known)
        np.testing.assert_array_equal(one.asked_values, same.asked_values)


def test_values_are_those_of_every_output():
    (pieces,) = patches(image(40, 40, channels=3))
    assert pieces.known_values.shape[2] == pieces.asked_values.shape[2] == 3
    y = image(40, 40, channels=3).train.all().y.reshape(40, 40, 3)
    np.testing.assert_allclose(pieces.known_values[0, 0], y[0, 0], rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 2), (1, 3)])
def test_too_few_samples_have_no_pieces(shape):
    assert patches(fields.load(np.zeros(shape, np.uint8), kind="image")) == []


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (5, 5), (3, 200), (64, 2)])
def test_odd_shapes_have_pieces_within_them(shape):
    signal, count = numbered(shape)
    (pieces,) = patches(signal)
    asked = cells_of(pieces.asked_values[..., 0], shape, count)
    assert (asked < np.array(shape)).all()


def test_a_large_image_takes_little_memory():
    import tracemalloc

    signal = fields.load(np.zeros((4000, 4000), np.uint8), kind="image")
    tracemalloc.start()
    patches(signal)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24
