"""Small signals and networks that tests of fits share."""

import numpy as np

from firstlight import fields

SMALL = {"width": 16, "depth": 3}

NETWORKS = {
    "sine": fields.Sine(**SMALL, alpha=1.5),
    "tuner": fields.Tuner(**SMALL, band=24),
    "finer": fields.Finer(**SMALL),
    "gauss": fields.Gauss(**SMALL),
    "sinc": fields.Sinc(**SMALL),
    "wire": fields.Wire(**SMALL, sigma=3.0, omega=5.0),
    "fourier_features": fields.FourierFeatures(**SMALL, features=8, sigma=2.0),
    "fourier_filter": fields.MultiplicativeFilter(**SMALL, input_scale=32.0),
    "gabor_filter": fields.MultiplicativeFilter(**SMALL, filter="gabor", input_scale=32.0),
    "hash_grid": fields.HashGrid(**SMALL, levels=3, log2_table=6, finest=16),
}
SINE = NETWORKS["sine"]


def waves(height=12, width=12, channels=1):
    """Pixels of smooth waves, uint8."""
    y, x = np.mgrid[:height, :width]
    planes = [np.sin(0.9 * x + 0.7 * k) * np.sin(0.6 * y + k) for k in range(channels)]
    return np.rint(127.5 + 120 * np.stack(planes, -1)).astype(np.uint8)


def image(height=12, width=12, channels=1, **options):
    return fields.load(waves(height, width, channels), kind="image", **options)


def sphere(**options):
    latitude, longitude = np.linspace(75, -75, 6), np.arange(0, 360, 30.0)
    values = np.cos(np.deg2rad(latitude))[:, None] * np.cos(2 * np.deg2rad(longitude))
    return fields.load((latitude, longitude, values), kind="sphere", **options)


def sound(length=200, channels=1, rate=8000):
    t = np.arange(length)
    wave = np.stack([np.sin(0.3 * t + k) for k in range(channels)], -1)
    return fields.load(wave.astype(np.float32), kind="audio", rate=rate)


def volume():
    return fields.load(np.random.default_rng(0).random((4, 5, 6)).astype(np.float32), kind="volume")


def box(**options):
    import trimesh

    return fields.load(trimesh.creation.box(), kind="occupancy", points=200, **options)


SIGNALS = {"image": image, "sphere": sphere, "sound": sound, "volume": volume, "box": box}


def weights_of(field):
    return {name: each.clone() for name, each in field.network.state_dict().items()}


class Stops:
    """A progress display that presses Ctrl-C before some step."""

    def __init__(self, at=None):
        self.at, self.lines, self.moments = at, [], []

    def note(self, line):
        self.lines.append(line)

    def show(self, moment):
        self.moments.append(moment)
        if moment.step == self.at:
            raise KeyboardInterrupt
