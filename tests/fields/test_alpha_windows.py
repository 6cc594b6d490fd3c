"""Windows stand for the whole: as rich in detail, apart from each other, and of what is trained."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight import fields
from firstlight.fields.alpha.probe_samples import probe_samples
from firstlight.fields.alpha.windows import windows


def detail(values):
    """Second differences inside, of every window by itself, in plain loops."""
    total = 0.0
    for axis in range(values.ndim):
        lines = np.moveaxis(values, axis, 0)
        squares = [
            (lines[i] - (lines[i - 1] + lines[i + 1]) / 2) ** 2 for i in range(1, len(lines) - 1)
        ]
        total += np.mean(squares)
    return total


def half_smooth(side):
    """A ramp whose lower right quarter is noise."""
    pixels = np.tile(np.linspace(0, 200, side), (side, 1))
    half = side // 2
    pixels[half:, half:] = np.random.default_rng(0).uniform(0, 255, (side - half, side - half))
    return pixels.astype(np.uint8)


def test_together_they_are_as_rich_as_the_whole():
    signal = fields.load(half_smooth(256), kind="image")
    pixels = signal.train.span.scaled(signal.train.values).numpy().reshape(256, 256).astype(float)
    corners = windows(signal, [256, 256], [24, 24], 4)
    found = np.mean([detail(pixels[y : y + 24, x : x + 24]) for y, x in corners])
    assert found == pytest.approx(detail(pixels), rel=0.25)
    # not by being all alike
    each = [detail(pixels[y : y + 24, x : x + 24]) for y, x in corners]
    assert max(each) > 2 * min(each)


@given(
    sides=st.lists(st.integers(1, 70), min_size=2, max_size=2),
    every=st.integers(1, 3),
    count=st.integers(1, 6),
)
def test_they_lie_inside_and_apart(sides, every, count):
    pixels = np.random.default_rng(0).integers(0, 255, sides).astype(np.uint8)
    signal = fields.load(pixels, kind="image", every=every)
    trained = [len(range(0, side, every)) for side in sides]
    window = [min(24, side) for side in trained]
    corners = windows(signal, trained, window, count)
    assert 1 <= len(corners) <= count
    assert (corners >= 0).all()
    assert (corners + window <= trained).all()
    for number, one in enumerate(corners):
        for other in corners[:number]:
            assert (np.abs(one - other) >= window).any()


def test_equal_seeds_choose_alike():
    signal = fields.load(half_smooth(200), kind="image")
    one, same, other = (windows(signal, [200, 200], [24, 24], 4, seed) for seed in (0, 0, 1))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()


def test_what_has_no_value_is_no_detail():
    values = np.random.default_rng(0).normal(size=(60, 120))
    values[:, 60:] = math.nan
    latitude, longitude = np.linspace(-88, 88, 60), np.arange(120) * 3.0
    sphere = fields.load((latitude, longitude, values), kind="sphere", missing="drop")
    corners = windows(sphere, [60, 120], [24, 24], 2)
    assert (corners[:, 1] < 60).all()


def test_without_a_value_there_is_no_window():
    values = np.full((120, 240), math.nan)
    values[::6, ::6] = 1.0  # no three neighbours among the trained
    latitude, longitude = np.linspace(-89, 89, 120), np.arange(240) * 1.5
    sphere = fields.load((latitude, longitude, values), kind="sphere", every=2, missing="drop")
    assert len(windows(sphere, [60, 120], [24, 24], 2)) == 0
    assert probe_samples(sphere) is None
