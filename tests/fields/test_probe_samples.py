"""Pieces of a signal for short fits: as dense as the signal, and nothing held out is looked at."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from firstlight import fields
from firstlight.fields.alpha.probe_samples import probe_samples

SHAPES = Path("../shared/data/shapes")


def nearest(samples):
    """Distance of each sample to the nearest other."""
    places = samples.places.coordinates.double()
    apart = torch.cdist(places, places) + 9 * torch.eye(len(places))
    return apart.min(1).values


def noise(*shape):
    return np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)


def tone(count):
    return np.sin(np.arange(count) / 7).astype(np.float32)


@pytest.mark.parametrize("every", [1, 2, 3])
@pytest.mark.parametrize(
    ("shape", "kind"), [((96, 96), "image"), ((40, 40, 40), "volume"), ((150, 150), "image")]
)
def test_lattices_are_as_dense_as_before(shape, kind, every):
    signal = fields.load(noise(*shape), kind=kind, every=every)
    found = probe_samples(signal)
    assert found.lattice
    # every second sample of a square lattice is a square lattice again; of a cube it is denser
    # packed: neighbours are farther apart at the same density
    packed = 2 ** (1 / 2 - 1 / len(shape))
    least = min(signal.spacing)
    assert nearest(found.fitted).min() == pytest.approx(packed * least, rel=1e-3)


def test_a_sound_is_as_dense_as_before():
    signal = fields.load(tone(4000), kind="audio", rate=8000)
    found = probe_samples(signal)
    assert nearest(found.fitted).median() == pytest.approx(signal.spacing[0], rel=1e-2)


def test_values_are_those_of_the_places():
    signal = fields.load(noise(50, 50), kind="image", every=2)
    found = probe_samples(signal)
    trained = signal.train.span.scaled(signal.train.values.reshape(50, 50)[::2, ::2])
    window = trained[:24, :24]  # the only one that fits
    odd = (torch.arange(24)[:, None] + torch.arange(24)) % 2 == 1
    inner = torch.zeros(24, 24, dtype=torch.bool)
    inner[3:-3, 3:-3] = True
    assert found.fitted.all().y.flatten().tolist() == window[~odd].tolist()
    assert found.held_out.all().y.flatten().tolist() == window[odd & inner].tolist()


def test_windows_are_spread_over_the_signal():
    signal = fields.load(noise(400, 400), kind="image")
    found = probe_samples(signal)
    places = found.fitted.places.coordinates
    quadrants = {(bool(x > 0), bool(y > 0)) for x, y in places.tolist()}
    assert len(quadrants) == 4
    assert 900 < len(found.fitted) < 1300


@pytest.mark.parametrize("options", [{"every": 2}, {"held_out": 0.4}])
def test_held_out_samples_do_not_count(options):
    pixels = noise(64, 64)
    signal = fields.load(pixels, kind="image", **options)
    before = probe_samples(signal)
    signal.held_out.values[signal.held_out.chosen.long()] = 0
    after = probe_samples(signal)
    for one, other in zip(before[:2], after[:2], strict=True):
        assert torch.equal(one.values, other.values)


def test_scattered_samples_are_as_dense_as_before():
    signal = fields.load(noise(300, 300), kind="image", held_out=0.95)
    found = probe_samples(signal)
    assert not found.lattice
    trained = signal.train.all().x.double()
    apart = torch.cdist(trained[:1000], trained)
    apart[apart == 0] = 9
    assert nearest(found.fitted).mean() == pytest.approx(float(apart.min(1).values.mean()), rel=0.1)


def test_a_part_of_the_candidates_is_drawn_together_the_more(monkeypatch):
    signal = fields.load(noise(300, 300), kind="image", held_out=0.9)
    whole = nearest(probe_samples(signal).fitted).mean()
    monkeypatch.setattr("firstlight.fields.alpha.probe_samples._CANDIDATES", 3000)
    assert nearest(probe_samples(signal).fitted).mean() == pytest.approx(float(whole), rel=0.1)


def test_a_map_without_values_in_places():
    values = np.random.default_rng(0).normal(size=(60, 120))
    values[10:30, 20:70] = math.nan
    latitude, longitude = np.linspace(-88, 88, 60), np.arange(120) * 3.0
    sphere = fields.load((latitude, longitude, values), kind="sphere", every=2, missing="drop")
    found = probe_samples(sphere)
    assert found.lattice
    assert found.fitted.weights is not None
    assert torch.isfinite(found.fitted.values).all()
    # what has no value is stored as 0
    assert (found.fitted.values != 0).all()


@pytest.mark.skipif(not SHAPES.exists(), reason="no shared data")
def test_a_shape():
    signal = fields.load(SHAPES / "stanford-bunny.obj", points=4000)
    found = probe_samples(signal)
    assert not found.lattice
    assert 900 < len(found.fitted) < 1200
    assert len(found.held_out) > 100
    assert set(found.fitted.values.flatten().tolist()) <= {-1.0, 1.0}


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (1, 60)])
def test_too_few_samples_have_none(shape):
    assert probe_samples(fields.load(noise(*shape), kind="image")) is None


def test_seeds_choose_other_pieces():
    signal = fields.load(noise(90, 90), kind="image", held_out=0.5)
    one, same, other = (probe_samples(signal, seed) for seed in (0, 0, 1))
    assert torch.equal(one.fitted.values, same.fitted.values)
    assert not torch.equal(one.fitted.values[:64], other.fitted.values[:64])
