"""Skewed neurons: counted by plain loops, and Theorem 1 against simulated layers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import norm

from firstlight.errors import OptionError
from firstlight.theory import (
    MeanField,
    expected_skewed_share,
    on_probability,
    on_probability_of,
    skew,
    skew_threshold,
    skewed_share,
)

signs = arrays(
    "float64",
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12),
    elements=st.sampled_from([-1.0, 0.0, 1.0]),
)
alphas = st.floats(0.01, 0.49)
sizes = st.floats(0.05, 20)


@given(signs, st.sampled_from([0.01, 0.1, 0.3, 0.49]))
def test_skewed_share(values, alpha):
    skewed = 0
    for neuron in values.T:
        skewed += abs(sum(z > 0 for z in neuron) / len(neuron) - 0.5) > alpha
    assert skewed_share(torch.from_numpy(values), alpha) == pytest.approx(skewed / values.shape[1])


def test_accepts_trained_half_precision_outputs():
    z = torch.randn(8, 4, dtype=torch.bfloat16, requires_grad=True)
    assert skewed_share(z, 0.1) == skewed_share(z.detach().double(), 0.1)


@given(alphas, st.integers(1, 10**6), sizes, sizes, sizes, st.sampled_from([1, -1]))
def test_at_the_threshold_a_neuron_is_skewed_by_alpha(alpha, n, mean, std, weight_std, sign):
    known = {"inputs": n, "mean": sign * mean, "std": std, "weight_std": weight_std}
    threshold = skew_threshold(alpha, **known)
    assert threshold == pytest.approx(std * weight_std * n**0.5 / mean * norm.ppf(0.5 + alpha))
    assert on_probability(threshold, **known) == pytest.approx(0.5 + sign * alpha, abs=1e-12)
    assert on_probability(-threshold, **known) == pytest.approx(0.5 - sign * alpha, abs=1e-12)


def test_inputs_of_mean_zero_skew_no_neuron():
    known = {"inputs": 9, "mean": 0.0, "std": 1.0, "weight_std": 1.0}
    assert skew_threshold(0.1, **known) == math.inf
    assert on_probability(1e6, **known) == 0.5
    assert expected_skewed_share(0.1, mean=0.0, std=1.0) == 0.0
    assert expected_skewed_share(0.1, mean=-1.0, std=0.0) == 1.0


def test_row_sums_of_every_kind():
    known = {"inputs": 4, "mean": 1.0, "std": 1.0, "weight_std": 0.5}
    sums = [[-1.0, 0.0], [0.5, 2.0]]
    got = on_probability(torch.tensor(sums, dtype=torch.bfloat16, requires_grad=True), **known)
    assert got.dtype == torch.float64
    np.testing.assert_allclose(got.numpy(), norm.cdf(sums), rtol=1e-14)
    np.testing.assert_allclose(on_probability(np.array(sums), **known), norm.cdf(sums), rtol=1e-14)
    assert type(on_probability(1, **known)) is float


def test_theorem_1_on_a_simulated_layer():
    rng = np.random.default_rng(0)
    n, neurons, samples, alpha = 400, 300, 20_000, 0.2
    weight = rng.uniform(-1, 1, (neurons, n))
    x = rng.exponential(0.5, (samples, n)) - 0.3  # mean 0.2, standard deviation 0.5
    known = {"inputs": n, "mean": 0.2, "std": 0.5, "weight_std": 3**-0.5}
    share = (x @ weight.T > 0).mean(0)
    assert np.abs(on_probability(weight.sum(1), **known) - share).max() < 0.025
    skewed = np.abs(weight.sum(1)) > skew_threshold(alpha, **known)
    assert (skewed != (np.abs(share - 0.5) > alpha)).mean() < 0.03
    assert skewed.mean() == pytest.approx(expected_skewed_share(alpha, mean=0.2, std=0.5), abs=0.08)


@given(signs, st.floats(-2, 2), st.floats(0, 4))
def test_general_form_against_a_loop(values, mean, variance):
    bias = np.linspace(-1, 1, len(values))
    got = on_probability_of(torch.from_numpy(values), mean, variance, torch.from_numpy(bias))
    for row, b, p in zip(values, bias, got.tolist(), strict=True):
        centre, spread = sum(w * mean for w in row) + b, sum(w * w * variance for w in row)
        expected = norm.cdf(centre / math.sqrt(spread)) if spread else float(centre > 0)
        assert p == pytest.approx(expected, abs=1e-9) or abs(centre) < 1e-12


def test_general_form_on_simulated_inputs_that_differ():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(40, 6, generator=generator)
    mean, std = torch.randn(6, generator=generator), torch.rand(6, generator=generator) + 0.2
    bias = torch.randn(40, generator=generator)
    x = mean + std * torch.randn(200_000, 6, generator=generator)
    share = (x @ weight.T + bias > 0).double().mean(0)
    got = on_probability_of(weight.requires_grad_(), mean, std**2, bias)
    assert got.dtype == torch.float64
    assert float((got - share).abs().max()) < 0.005


def test_neurons_that_never_vary():
    weight = torch.tensor([[0.0, 0.0]] * 3 + [[1.0, 0.0]])
    bias = torch.tensor([2.0, -2.0, 0.0, 0.0])
    variance = torch.tensor([0.0, 1.0])
    got = on_probability_of(weight, 3.0, variance, bias)
    assert got.tolist() == [1.0, 0.0, 0.0, 1.0]
    assert on_probability_of(weight, 0.0, 0.0).tolist() == [0.0] * 4


def test_blocks_of_rows_give_the_same(monkeypatch):
    weight = torch.randn(50, 7, generator=torch.Generator().manual_seed(1))
    whole = on_probability_of(weight, 0.3, 2.0)
    monkeypatch.setattr(skew, "_BLOCK", 20)
    assert torch.equal(on_probability_of(weight, 0.3, 2.0), whole)


def test_published_table_1():
    # three times ReLU and Linear; published are 82.7 to 84.3 and 49.6 to 51.9 per cent
    c, layer = 0.0, MeanField("relu", 2.0)
    for _ in range(3):
        c = layer.correlation(c, q=1.0)
    mean, std = math.sqrt(c), math.sqrt(1 - c)
    assert expected_skewed_share(0.1, mean=mean, std=std) == pytest.approx(0.835, abs=0.008)
    assert expected_skewed_share(0.3, mean=mean, std=std) == pytest.approx(0.507, abs=0.012)


@pytest.mark.parametrize("alpha", [0.0, 0.5, -0.1, float("nan"), "0.1", None])
def test_bad_alpha(alpha):
    known = {"mean": 1.0, "std": 1.0}
    for function in (
        lambda: skewed_share(torch.zeros(2, 2), alpha),
        lambda: skew_threshold(alpha, inputs=2, weight_std=1.0, **known),
        lambda: expected_skewed_share(alpha, **known),
    ):
        with pytest.raises(OptionError, match="alpha must lie"):
            function()


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), (0, 4), (4, 0)])
def test_bad_shape(shape):
    with pytest.raises(OptionError, match="samples, neurons"):
        skewed_share(torch.zeros(shape), 0.1)
    with pytest.raises(OptionError, match=r"shape \(m, n\)"):
        on_probability_of(torch.zeros(shape), 0.0, 1.0)


@pytest.mark.parametrize(
    ("option", "value"),
    [("inputs", 0), ("inputs", 2.5), ("mean", math.nan), ("std", 0.0), ("weight_std", -1.0)],
)
def test_bad_options(option, value):
    known = {"inputs": 4, "mean": 1.0, "std": 1.0, "weight_std": 0.5, option: value}
    for function in (on_probability, skew_threshold):
        with pytest.raises(OptionError, match=option):
            function(0.1, **known)


def test_bad_arguments_of_the_general_form():
    weight = torch.ones(2, 3)
    with pytest.raises(OptionError, match=r"mean must have shape \(3,\), got \(2,\)"):
        on_probability_of(weight, torch.ones(2), 1.0)
    with pytest.raises(OptionError, match="variance must be 0 or more"):
        on_probability_of(weight, 0.0, torch.tensor([1.0, -1.0, 1.0]))
    with pytest.raises(OptionError, match="bias must have shape"):
        on_probability_of(weight, 0.0, 1.0, torch.ones(3))
    with pytest.raises(OptionError, match="std must be 0 or more"):
        expected_skewed_share(0.1, mean=1.0, std=-1.0)
    with pytest.raises(OptionError, match="a number, an array or a tensor"):
        on_probability("three", inputs=4, mean=1.0, std=1.0, weight_std=0.5)
