import math

import numpy as np
import pytest
import reference
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from firstlight import OptionError
from firstlight.init import harmonic_
from firstlight.init.harmonic import harmonic_rows

rows_, columns, layers = st.integers(1, 90), st.integers(3, 70), st.integers(0, 2**32 - 1)


def build(m, n, layer=0):
    return harmonic_(torch.empty(m, n, dtype=torch.float64), layer=layer).numpy()


@given(m=rows_, n=columns, layer=layers)
@example(m=1, n=3, layer=0)
@example(m=8, n=4, layer=1)  # n even: the Nyquist frequency is left out
@example(m=17, n=64, layer=0)  # an odd row at the least m with a promise on columns
def test_every_promise_holds_at_every_shape(m, n, layer):
    w = build(m, n, layer)
    full = 2 * ((n - 1) // 2)

    assert np.abs(w.sum(1)).max() < 1e-13 * n
    np.testing.assert_allclose(np.linalg.norm(w, axis=1), 1.0, rtol=1e-12)  # gain^2 = n var

    singular = np.linalg.svd(w, compute_uv=False)
    kept = singular[singular > 1e-9 * singular[0]]
    assert len(kept) == min(m, full)
    if m <= full or m % full == 0:
        assert kept[0] / kept[-1] == pytest.approx(1, abs=1e-9)
    assert kept[0] / kept[-1] <= math.sqrt(1.5) + 1e-9

    twins = np.abs(w @ w.T)
    np.fill_diagonal(twins, 0)
    assert twins.max(initial=0) < 1 - 1e-7

    norms = np.linalg.norm(w, axis=0)
    assert norms.min() > 1e-4 * norms.max()
    if m >= 16:
        assert norms.max() / norms.min() <= 1.1


@given(m=rows_, n=columns, layer=layers, other=layers)
def test_another_layer_gives_another_matrix(m, n, layer, other):
    same = np.array_equal(build(m, n, layer), build(m, n, other))
    assert same == (layer == other)


@given(m=rows_, n=columns, layer=layers)
def test_fill_is_the_formula(m, n, layer):
    frequency, phase = harmonic_rows(torch.arange(m), m, n, layer)
    angle = (frequency[:, None] * torch.arange(n) % n).double() / n + phase[:, None]
    slow = math.sqrt(2 / n) * torch.sin(2 * math.pi * angle)
    np.testing.assert_allclose(build(m, n, layer), slow.numpy(), atol=1e-12)
    assert int(frequency.min()) >= 1
    assert int(frequency.max()) <= (n - 1) // 2


def test_phases_are_exact_integers():
    frequency, phase = harmonic_rows(torch.arange(0, 8192, 2), 8192, 20000, 2**32 - 1)
    assert phase.tolist() == reference.harmonic_phases(frequency.tolist(), 2**32 - 1)


@pytest.mark.parametrize(
    "shape", [(64, 147), (8190, 8190), (1000, 4095), (8192, 8192), (8192, 6561)]
)
def test_float32_is_exact_at_any_size(shape):
    m, n = shape
    w = harmonic_(torch.empty(shape), layer=5)
    chosen = torch.linspace(0, m - 1, 40).long()
    frequency, phase = harmonic_rows(chosen, m, n, 5)
    angle = (frequency[:, None] * torch.arange(n) % n).double() / n + phase[:, None]
    amplitude = math.sqrt(2 / n)
    error = (w[chosen].double() - amplitude * torch.sin(2 * math.pi * angle)).abs()
    assert float(error.max()) <= 3e-7 * amplitude
    sums, norms = w.sum(1, dtype=torch.float64).abs(), w.double().norm(dim=1)
    assert float((sums / norms).max()) <= 1e-6


def test_modes_count_fans_as_torch_does():
    shape = (8, 6, 3, 3)
    for mode, fan in [("fan_in", 54), ("fan_out", 72), ("fan_avg", 63)]:
        w = harmonic_(torch.empty(shape), mode=mode, gain=3.0)
        assert float(w.double().pow(2).mean() * fan) == pytest.approx(9, rel=1e-6)


def test_gain_by_name_is_the_one_for_zero_sum_rows():
    w = harmonic_(torch.empty(10, 100), gain="relu")
    assert float(w[0].norm()) == pytest.approx(1 / math.sqrt(0.5 - 1 / (2 * math.pi)), rel=1e-5)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4, 2), {}, "at least 3 inputs"),
        ((4, 2, 1), {}, "at least 3 inputs"),
        ((4, 8), {"mode": "fan"}, "mode must be one of fan_in, fan_out, fan_avg; got 'fan'"),
        ((4, 8), {"layer": -1}, "layer must be a whole number"),
        ((4, 8), {"layer": 1.5}, "layer must be a whole number"),
        ((4, 8), {"layer": 2**32}, "layer must be a whole number"),
        ((4, 8), {"layer": True}, "layer must be a whole number"),
        ((4, 8), {"mode": ["fan_in"]}, "mode must be one of"),
        ((4, 8), {"gain": None}, "gain must be"),
        ((4, 8), {"gain": 1e200}, "gain must be"),
        ((4, 8), {"gain": 10**400}, "gain must be"),
        ((4, 8), {"gain": 0}, "gain must be"),
        ((4, 8), {"gain": "rely"}, "rely"),
    ],
)
def test_bad_options_leave_the_tensor_alone(shape, options, message):
    w = torch.full(shape, 7.0)
    with pytest.raises(OptionError, match=message):
        harmonic_(w, **options)
    assert bool((w == 7).all())
