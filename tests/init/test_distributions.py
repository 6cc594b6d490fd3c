"""The laws of random fills: each against a slow scalar form, their moments, their extremes."""

import math

import numpy as np
import pytest
import torch
from scipy import special, stats

from firstlight.init import Stream, variance_scaling_
from firstlight.init.distributions import (
    TRUNCATED_STD,
    Arcsine,
    Normal,
    TruncatedNormal,
    Uniform,
)

LAWS = [
    Normal(0.5),
    Uniform(0.5),
    Arcsine(0.5),
    TruncatedNormal(0.5),
    TruncatedNormal(0.5, -1.0, 3.0),
]
every_law = pytest.mark.parametrize("law", LAWS, ids=repr)
every_dtype = pytest.mark.parametrize("bits", [32, 64])


def given(words):
    """Return words in the form in which a law asks for them."""
    return lambda lane, columns: words[lane][:, :columns]


def some_words(bits, rows=40, columns=64):
    drawn = Stream(3).words(0, 0, 2 * rows * columns * bits // 64)
    return drawn.view(np.uint64 if bits == 64 else np.uint32).reshape(2, rows, columns)


def filled(law, words, bits):
    out = np.full(words[0].shape, np.nan, np.float64 if bits == 64 else np.float32)
    law.fill(given(words), out)
    return out


def scalar(law, words, bits, row, column):
    """The formula of one value, as one would write it down."""
    half = words[0].shape[1] // 2

    def symmetric(lane, at):
        word = int(words[lane][row, at])
        return (word - 2**bits if word >= 2 ** (bits - 1) else word) / 2 ** (bits - 1)

    if isinstance(law, Normal):
        unit = (int(words[0][row, column % half]) + 0.5) / 2**bits
        turn = math.sin if column >= half else math.cos
        angle = math.pi * symmetric(1, column % half)
        return law.scale * math.sqrt(-2 * math.log(unit)) * turn(angle)
    if isinstance(law, Uniform):
        return law.scale * symmetric(0, column)
    if isinstance(law, Arcsine):
        return law.scale * math.sin(math.pi * symmetric(0, column))
    low, high = (math.erf(limit / math.sqrt(2)) for limit in (law.low, law.high))
    at = (low + high) / 2 + (high - low) / 2 * symmetric(0, column)
    return law.scale * math.sqrt(2) * float(special.erfinv(at))


@every_dtype
@every_law
def test_every_value_is_the_formulas(law, bits):
    words = some_words(bits)
    made = filled(law, words, bits)
    expected = [
        [scalar(law, words, bits, i, j) for j in range(made.shape[1])] for i in range(len(made))
    ]
    tolerance = {"rtol": 1e-5, "atol": 3e-7} if bits == 32 else {"rtol": 1e-9, "atol": 1e-13}
    np.testing.assert_allclose(made, expected, **tolerance)


@every_dtype
@every_law
@pytest.mark.parametrize("word", [0, 1, -1, -2])
def test_no_word_gives_infinity_or_none(law, bits, word):
    kind = np.uint64 if bits == 64 else np.uint32
    words = np.full((2, 1, 8), np.array(word).astype(kind), kind)
    made = filled(law, words, bits)
    assert np.isfinite(made).all()
    assert np.abs(made).max() < 10 * law.scale


@pytest.mark.parametrize(
    ("distribution", "law"),
    [
        ("normal", stats.norm()),
        ("uniform", stats.uniform(-math.sqrt(3), 2 * math.sqrt(3))),
        ("truncated_normal", stats.truncnorm(-2, 2, scale=1 / TRUNCATED_STD)),
        ("arcsine", stats.arcsine(-math.sqrt(2), 2 * math.sqrt(2))),
    ],
)
def test_a_million_values_follow_the_law(distribution, law):
    weight = variance_scaling_(
        torch.empty(1000, 1024), distribution=distribution, generator=Stream(11)
    )
    values = weight.double().flatten().numpy() * 32  # gain 1: the variance is 1 / 1024
    count = len(values)
    assert abs(values.mean()) < 4 / math.sqrt(count)
    kurtosis = float(law.stats("k"))
    assert abs(values.var() - 1) < 4 * math.sqrt((kurtosis + 2) / count)
    assert stats.kstest(values, law.cdf).pvalue > 1e-3


def test_the_normals_tails_are_there():
    weight = variance_scaling_(torch.empty(4096, 4096), generator=Stream(2)) * 64
    beyond = int((weight.abs() > 4.5).sum())
    expected = 2**24 * 2 * stats.norm.sf(4.5)
    assert abs(beyond - expected) < 4 * math.sqrt(expected)
    assert 4.9 < float(weight.abs().max()) < 6.7


@pytest.mark.parametrize("distribution", ["normal", "uniform", "truncated_normal", "arcsine"])
@pytest.mark.parametrize(("rows", "columns"), [(0, 1), (1, 0), (0, 256), (0, 512), (7, 300)])
def test_neighbours_know_nothing_of_each_other(distribution, rows, columns):
    """In a row, in a column, in the halves of a strip (which share lengths), in strips."""
    weight = variance_scaling_(
        torch.empty(1000, 2048), distribution=distribution, generator=Stream(5)
    )
    values = weight.double() * math.sqrt(2048)
    first = values[: len(values) - rows, : 2048 - columns]
    second = values[rows:, columns:]
    for a, b in ((first, second), (first**2, second**2)):
        a, b = a - a.mean(), b - b.mean()
        correlation = float((a * b).mean() / (a.std() * b.std()))
        assert abs(correlation) < 4 / math.sqrt(a.numel())


def test_double_precision_has_words_of_its_own():
    single, double = (
        variance_scaling_(torch.empty(8, 8, dtype=kind), generator=Stream(1))
        for kind in (torch.float32, torch.float64)
    )
    assert not torch.allclose(single.double(), double, atol=1e-3)
    assert not torch.equal(double, double.float().double())
