import math

import numpy as np
import pytest
import torch

from firstlight import fields
from firstlight.errors import OptionError
from firstlight.fields.analysis import initial_spectra
from firstlight.fields.analysis import spectrum as module
from firstlight.fields.analysis.spectrum import InitialSpectrum, predicted_spectrum


def image(side=32, every=1):
    return fields.load(np.zeros((side, side), np.uint8), kind="image", every=every)


class Wave(torch.nn.Module):
    """A network whose spectrum is known: a mean of 3, and waves of k cycles along axis 0."""

    def __init__(self, cycles):
        super().__init__()
        self.cycles = cycles

    def forward(self, x):
        waves = 3 + math.sqrt(2) * torch.sin(math.pi * self.cycles * x[:, :1].double())
        return waves.expand(-1, 4)


@pytest.fixture
def built(monkeypatch):
    """Let ``initial_spectra`` look at another network than the one it builds."""

    def use(network):
        monkeypatch.setattr(module, "_OUTPUTS", 4)
        monkeypatch.setattr(fields.Gauss, "build", lambda *_: network)
        return fields.Gauss(width=4, depth=2)

    return use


@pytest.mark.parametrize("cycles", [5, 40])
def test_a_wave_has_its_power_at_its_frequency(built, cycles):
    first, second = initial_spectra(built(Wave(cycles)), image(), lines=3)
    power = np.array(first.measured)
    # mean 9, and a Hann window spreads each line over three frequencies: 1/6, 2/3, 1/6
    assert power[:2].sum() == pytest.approx(9, rel=1e-6)
    assert power[cycles - 1 : cycles + 2] == pytest.approx([1 / 6, 2 / 3, 1 / 6], rel=1e-5)
    assert power.sum() == pytest.approx(10, rel=1e-6)
    assert (first.axis, second.axis, first.nyquist) == (0, 1, 16.0)
    above = 1.0 if cycles > 32 else 0.0
    assert first.above == pytest.approx(above, abs=1e-6)
    assert sum(second.measured[2:]) < 1e-9  # along the other axis it is constant
    assert first.predicted is first.predicted_above is None


@pytest.mark.parametrize("start", ["siren", "gradient_control"])
@pytest.mark.parametrize(("alpha", "omega_0"), [(1.0, None), (2.0, None), (1.5, 60.0)])
def test_the_prediction_is_what_is_measured(start, alpha, omega_0):
    network = fields.Sine(width=256, depth=4, alpha=alpha, omega_0=omega_0, start=start)
    each = [initial_spectra(network, image(), seed=seed, lines=8)[0] for seed in range(3)]
    measured = np.mean([one.measured for one in each], axis=0)[2:]
    predicted = np.array(each[0].predicted)[2:]
    assert measured.sum() == pytest.approx(predicted.sum(), rel=0.2)
    # the shares of bands that hold most of the power
    for low, high in ((0, 6), (6, 20), (20, 60)):
        share = predicted[low:high].sum() / predicted.sum()
        found = measured[low:high].sum() / measured.sum()
        assert found == pytest.approx(share, rel=0.25, abs=0.01)
    above = np.mean([one.above for one in each])
    assert above == pytest.approx(each[0].predicted_above, rel=0.3, abs=0.003)


def test_one_coordinate_without_biases_has_its_own_prediction():
    sound = fields.load(np.zeros(64), kind="volume")
    network = fields.Sine(width=256, depth=3, alpha=1.0, start="gradient_control")
    each = [initial_spectra(network, sound, seed=seed)[0] for seed in range(4)]
    measured = np.mean([one.measured for one in each], axis=0)
    # an odd function: the phases are 0 and not many turns
    assert measured.sum() == pytest.approx(sum(each[0].predicted), rel=0.1)
    assert measured[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "network",
    [
        fields.Gauss(width=16, depth=3),
        fields.Sine(width=16, depth=3, alpha=(1.0, 2.0)),
        fields.Sine(width=16, depth=3, alpha=1.0, start="vi3nr"),
        fields.Sine(width=16, depth=3, alpha=1.0, distribution="normal"),
    ],
)
def test_other_networks_have_no_prediction(network):
    assert predicted_spectrum(network, 2, 64) is None


@pytest.mark.parametrize("family", fields.FAMILIES)
def test_every_family_has_a_spectrum(family):
    network = fields.find_network({"family": family, "width": 16, "depth": 3, "alpha": 1.5})
    first, second = initial_spectra(network, image(every=2), lines=2)
    assert len(first.measured) == len(second.measured) == 257
    assert all(np.isfinite(first.measured))
    assert 0 <= first.above <= 1


@pytest.mark.parametrize(("cycles", "share"), [(5, 0), (9_000, 0), (11_000, 1), (30_000, 1)])
def test_a_limit_beyond_a_line_is_looked_at_in_pieces(built, cycles, share):
    sound = fields.load(np.zeros(20_000), kind="volume")
    (found,) = initial_spectra(built(Wave(cycles)), sound, lines=3)
    assert len(found.measured) == 2049
    assert found.nyquist == pytest.approx(10_000)
    assert found.above == pytest.approx(share, abs=2e-3)


def test_the_share_in_pieces_is_that_of_lines_as_fine(monkeypatch):
    sound = fields.load(np.zeros(4_400), kind="volume")
    network = fields.Sine(width=64, depth=3, alpha=3.0, omega_0=4000.0, distribution="normal")
    (pieces,) = initial_spectra(network, sound)
    assert pieces.beyond is not None
    monkeypatch.setattr(module, "_MOST", 2**15)
    (whole,) = initial_spectra(network, sound)
    assert whole.beyond is None
    assert 0.05 < whole.above < 0.95
    assert pieces.above == pytest.approx(whole.above, rel=0.05)


def test_a_share_is_none_in_a_result_that_lacks_the_power_beyond():
    assert InitialSpectrum(0, (1.0, 0.5, 0.2), None, 2.0).above is None


def test_a_constant_has_no_share_above():
    assert InitialSpectrum(0, (1.0, 0.5, 0.0, 0.0, 0.0, 0.0), None, 2.0).above == 0.0


def test_the_draws_are_those_of_the_seed():
    network = fields.Sine(width=16, depth=3, alpha=1.0)
    one, same, other = (initial_spectra(network, image(), seed=seed, lines=2) for seed in (0, 0, 1))
    assert one == same != other


@pytest.mark.parametrize("lines", [0, 2000, 1.5, True, "many"])
def test_a_wrong_number_of_lines_is_named(lines):
    with pytest.raises(OptionError, match="lines must be a whole number from 1 to 1024"):
        initial_spectra(fields.Gauss(width=4, depth=2), image(), lines=lines)


def test_a_missing_number_is_named():
    with pytest.raises(OptionError, match="alpha='auto' needs a signal"):
        initial_spectra(fields.Sine(width=4, depth=2), image())
