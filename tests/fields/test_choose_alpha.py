"""The automatic alpha: what it must be by construction, and that it always comes out."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_fits import SIGNALS, image

from firstlight import fields
from firstlight.errors import OptionError
from firstlight.fields.alpha.choose_alpha import choose_alpha, with_choice
from firstlight.fields.alpha.interpolation import interpolation_errors
from firstlight.fields.alpha.patches import Patches
from firstlight.theory import SineKernel

SINE = fields.Sine(width=64, depth=4)
DATA = Path(__file__).parents[3] / "shared/data"


def waves(period, side=64):
    y, x = np.mgrid[:side, :side]
    value = np.sin(2 * np.pi * x / period) * np.sin(2 * np.pi * y / period)
    return fields.load(np.rint(127.5 + 127 * value).astype(np.uint8), kind="image")


def usable(choice):
    assert 1.0 <= choice.alpha <= 4.0
    assert math.isfinite(choice.omega_0)
    assert choice.line.startswith("alpha ")
    assert "\n" not in choice.line
    assert all(math.isfinite(level) for _, level in choice.expected)


def interpolated(kernel, piece, goal):
    """The same in plain linear algebra, the ridge found by a fine search."""

    def gram(function, one, other):
        return np.array([[float(function(a - b)) for b in other] for a in one])

    known = gram(kernel.tangent, piece.known, piece.known)
    across = gram(kernel.tangent, piece.asked, piece.known)
    middle = piece.known_values.mean()
    y = piece.known_values[0] - middle
    ridges = 10 ** np.linspace(-6, 3, 4001)
    errors = []
    for ridge in ridges:
        fitted = known @ np.linalg.solve(known + ridge * np.eye(len(known)), y)
        errors.append(np.square(fitted - y).mean())
    ridge = ridges[max(0, np.searchsorted(errors, goal) - 1)]
    weights = across @ np.linalg.inv(known + ridge * np.eye(len(known)))
    signal = np.square(weights @ y - (piece.asked_values[0] - middle)).mean()
    drawn = gram(kernel.covariance, piece.known, piece.known)
    beside = gram(kernel.covariance, piece.asked, piece.known)
    own = float(kernel.covariance(np.zeros(piece.known.shape[1])))
    rest = [own + w @ drawn @ w - 2 * w @ b for w, b in zip(weights, beside, strict=True)]
    return signal, np.mean(rest)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 3.5])
def test_errors_are_those_of_kernel_regression(alpha):
    rng = np.random.default_rng(0)
    known, asked = rng.uniform(-0.3, 0.3, (9, 2)), rng.uniform(-0.2, 0.2, (5, 2))
    values = [np.sin(9 * each.sum(1, keepdims=True))[None] for each in (known, asked)]
    piece = Patches(known, asked, *values)
    kernel = SineKernel(layers=3, inputs=2, alpha=alpha)
    found = interpolation_errors(kernel, piece, 1e-3)
    expected = interpolated(kernel, piece, 1e-3)
    assert found == pytest.approx(expected, rel=0.03, abs=1e-9)


def test_several_pieces_and_outputs_are_averaged():
    rng = np.random.default_rng(0)
    known, asked = rng.uniform(-0.3, 0.3, (9, 2)), rng.uniform(-0.2, 0.2, (5, 2))
    y, other = rng.random((9, 1)), rng.random((5, 1))
    kernel = SineKernel(layers=3, inputs=2, alpha=2.0)
    one = interpolation_errors(kernel, Patches(known, asked, y[None], other[None]), 1e-3)
    same = Patches(known, asked, np.tile(y, (4, 1, 3)), np.tile(other, (4, 1, 3)))
    assert interpolation_errors(kernel, same, 1e-3) == pytest.approx(one)


@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("start", ["siren", "gradient_control"])
@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_every_kind_of_signal_has_a_choice(kind, start, distribution):
    network = replace(SINE, start=start, distribution=distribution, omega_0=30.0)
    usable(choose_alpha(SIGNALS[kind](), network))


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((40, 40), 77, np.uint8),
        np.zeros((40, 40, 3), np.uint8),
        np.indices((40, 40)).sum(0).astype(np.uint8) % 2 * 255,
        np.eye(40, dtype=np.uint8) * 255,
        np.random.default_rng(0).integers(0, 255, (40, 40)).astype(np.uint8),
        np.zeros((1, 40), np.uint8),
        np.zeros((40, 1), np.uint8),
    ],
    ids=["constant", "black", "checkerboard", "diagonal", "noise", "row", "column"],
)
@pytest.mark.parametrize("depth", [2, 6])
def test_every_image_has_a_choice(pixels, depth):
    network = replace(SINE, depth=depth, omega_0=30.0)
    choice = choose_alpha(fields.load(pixels, kind="image"), network)
    usable(choice)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 2)])
def test_too_few_samples_are_said(shape):
    choice = choose_alpha(fields.load(np.zeros(shape, np.uint8), kind="image"), SINE)
    assert (choice.alpha, choice.omega_0, choice.expected) == (1.0, 30.0, ())
    assert choice.line == "alpha 1: too few samples to choose another"


@pytest.mark.parametrize("target", [-10.0, 0.0, 20.0, 60.0, 500.0])
def test_any_target(target):
    usable(choose_alpha(waves(8), SINE, target_psnr=target))


def test_faster_signals_have_larger_alphas():
    smooth, fast = (choose_alpha(waves(period), replace(SINE, omega_0=30.0)) for period in (32, 5))
    assert fast.alpha > smooth.alpha


def test_deeper_networks_have_smaller_alphas():
    shallow, deep = (
        choose_alpha(waves(6), replace(SINE, depth=depth, omega_0=30.0)) for depth in (3, 8)
    )
    assert shallow.alpha > deep.alpha


def test_omega_0_is_raised_where_it_is_open_and_alpha_is_not_enough():
    tone = np.sin(2 * np.pi * 0.1 * np.arange(20_000)).astype(np.float32)
    signal = fields.load(tone, kind="audio", rate=8000)  # 2000 cycles on [-1, 1]
    choice = choose_alpha(signal, SINE)
    assert choice.omega_0 > 60
    assert f"omega_0 {choice.omega_0:g}" in choice.line
    fixed = choose_alpha(signal, replace(SINE, omega_0=30.0))
    assert fixed.omega_0 == 30.0
    assert "omega_0" not in fixed.line


def test_nyquist_is_kept():
    network = replace(SINE, omega_0="nyquist")
    signal = waves(6)
    assert choose_alpha(signal, network).omega_0 == pytest.approx(math.pi / min(signal.spacing))


def test_held_out_samples_do_not_count():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (64, 64)).astype(np.uint8)
    poisoned = np.full_like(pixels, 255)
    poisoned[::2, ::2] = pixels[::2, ::2]
    choices = [
        choose_alpha(fields.load(each, kind="image", every=2), replace(SINE, omega_0=30.0))
        for each in (pixels, poisoned)
    ]
    assert choices[0] == choices[1]


def test_held_out_at_random_do_not_count_either():
    signal = fields.load(
        np.random.default_rng(0).integers(0, 99, (64, 64)).astype(np.uint8),
        kind="image",
        held_out=0.3,
    )
    network = replace(SINE, omega_0=30.0)
    before = choose_alpha(signal, network)
    signal.held_out.values[signal.held_out.chosen.long()] = 255
    assert choose_alpha(signal, network) == before


def test_it_is_the_same_every_time_whatever_the_threads():
    threads = torch.get_num_threads()
    choices = []
    for count in (1, 2):
        torch.set_num_threads(count)
        torch.manual_seed(count)
        choices.append(choose_alpha(waves(9), SINE))
    torch.set_num_threads(threads)
    assert choices[0] == choices[1]


def test_the_choice_goes_into_the_network():
    choice = choose_alpha(image(40, 40), SINE)
    network = with_choice(SINE, choice)
    assert (network.alpha, network.omega_0) == (choice.alpha, choice.omega_0)
    assert fields.fit(image(40, 40), SINE, steps=0).network == network


@pytest.mark.parametrize("start", ["winner", "vi3nr", "xavier_uniform"])
def test_other_starts_are_told(start):
    network = replace(SINE, start=start)
    with pytest.raises(OptionError, match="knows the starts siren and gradient_control; give"):
        choose_alpha(image(), network)
    assert fields.fit(image(), network, steps=1).network.alpha == 1.0


@pytest.mark.skipif(not DATA.exists(), reason="no shared data")
@pytest.mark.parametrize("every", [1, 2])
def test_a_photograph(every):
    signal = fields.load(DATA / "kodak/kodim05.png", every=every)
    choice = choose_alpha(signal, fields.Sine(width=64))
    usable(choice)
    assert max(level for _, level in choice.expected) > 15
