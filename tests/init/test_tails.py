"""Truncated normal values whose limits both lie far out on one side, where erf rounds to 1."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from firstlight.errors import OptionError
from firstlight.init import Block, Stream
from firstlight.init._draw import draw
from firstlight.init.distributions import Normal, TruncatedNormal, Uniform

#: tests/init/test_threads.py is about more threads than one.
pytestmark = pytest.mark.usefixtures("one_thread")

SCALE = 0.3
LIMITS = [(2.5, 3.0), (4.0, 5.0), (6.0, 8.0), (-8.0, -6.0), (9.0, math.inf), (-37.5, -37.0)]
#: Words and how many bits they have.
BITS = {np.float32: (np.uint32, 32), np.float64: (np.uint64, 64)}
every_tail = pytest.mark.parametrize(("low", "high"), LIMITS)
either_width = pytest.mark.parametrize("dtype", BITS)


def made(law, dtype, words):
    """Values of one row from hand-made words."""
    row = np.array([words], dtype=BITS[dtype][0])
    out = np.full(row.shape, np.nan, dtype)
    law.fill(lambda *_: row, out)
    return out[0]


def some_words(dtype):
    kind, bits = BITS[dtype]
    top, middle = 2**bits - 1, 2 ** (bits - 1)
    some = np.random.default_rng(0).integers(0, top, 500, dtype=kind).tolist()
    return [*range(50), *some, *range(middle - 9, middle + 9), top - 1, top]


def drawn(low, high, dtype):
    shape = (500, 1024)
    law = TruncatedNormal(SCALE, low, high)
    return draw(torch.empty(shape, dtype=dtype), Block.whole(shape), law, Stream(5))


@every_tail
@either_width
def test_values_are_quantiles_of_the_upper_tail(low, high, dtype):
    words, bits = some_words(dtype), BITS[dtype][1]
    near, far = sorted((abs(low), abs(high)))
    share = np.array([(word + 0.5) / 2**bits for word in words])
    beyond = stats.norm.sf(far) + share * (stats.norm.sf(near) - stats.norm.sf(far))
    expected = math.copysign(SCALE, low) * stats.norm.isf(beyond)
    found = made(TruncatedNormal(SCALE, low, high), dtype, words)
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps)


@every_tail
@either_width
def test_no_word_leaves_the_limits(low, high, dtype):
    values = made(TruncatedNormal(SCALE, low, high), dtype, some_words(dtype))
    ends = dtype(SCALE * low), dtype(SCALE * high)
    assert np.isfinite(values).all()
    assert ends[0] <= values.min() < values.max() <= ends[1]


@every_tail
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_law_is_the_one_of_scipy(low, high, dtype):
    law = stats.truncnorm(low, high, scale=SCALE)
    values = drawn(low, high, dtype).double().flatten().numpy()
    assert stats.kstest(values, law.cdf).pvalue > 1e-3
    assert abs(values.mean() - law.mean()) < 5 * values.std() / math.sqrt(values.size)


def test_one_side_is_the_other_ones_mirror():
    right, left = drawn(6.0, 8.0, torch.float32), drawn(-8.0, -6.0, torch.float32)
    assert torch.equal(right, -left)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_single_precision_rounded(dtype):
    assert torch.equal(drawn(6.0, 8.0, dtype), drawn(6.0, 8.0, torch.float32).to(dtype))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, 2.0, 2.0), "a low limit below the high one, got 2.0 and 2.0"),
        ((1.0, 3.0, -3.0), "a low limit below the high one, got 3.0 and -3.0"),
        ((1.0, math.nan, 2.0), "a low limit below the high one, got nan and 2.0"),
        ((1.0, 37.5, 40.0), "within 37.0 standard deviations .* got limits 37.5 and 40.0"),
        ((1.0, -math.inf, -38.0), "within 37.0 standard deviations .* got limits -inf and -38.0"),
        ((-0.1,), "a law's scale must be 0 or more, got -0.1"),
        ((math.nan,), "a law's scale must be a finite number, got nan"),
        ((math.inf, 6.0, 8.0), "a law's scale must be a finite number, got inf"),
    ],
)
def test_laws_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(OptionError, match=message):
        TruncatedNormal(*arguments)


@pytest.mark.parametrize("law", [Normal, Uniform])
def test_no_law_has_a_negative_scale(law):
    assert law(0.0).scale == 0
    with pytest.raises(OptionError, match="a law's scale must be 0 or more, got -1"):
        law(-1)
