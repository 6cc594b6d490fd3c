"""The isometric diagonal against Gram and Schmidt, and what it is for."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.init import Stream, diagonal_plus_noise_, isometric_diagonal_, orthogonal_
from firstlight.theory import noise_for_spread, noise_scale, odd_sigmoid_gain

STREAM = Stream.named(0, "weight")


def gram_schmidt(matrix):
    """The rows, or columns if fewer, orthonormal one after the other; twice, for roundings."""
    by_rows, columns = matrix.shape[0] <= matrix.shape[1], []
    for column in matrix if by_rows else matrix.T:
        for _ in range(2):
            for other in columns:
                column = column - (other @ column) * other
        columns.append(column / column.norm())
    return torch.stack(columns, 0 if by_rows else 1)


def filled(shape, position="hidden", activation="tanh", **options):
    return isometric_diagonal_(
        torch.empty(shape, dtype=torch.float64),
        activation=activation,
        position=position,
        generator=STREAM,
        **options,
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.floats(0.02, 0.5), st.sampled_from(["tanh", "erf"]))
def test_against_gram_and_schmidt(m, n, sigma, activation):
    omega = odd_sigmoid_gain(activation)
    base = torch.zeros(m, n, dtype=torch.float64)
    for i in range(m):
        for j in range(n):
            if i % min(m, n) == j % min(m, n):
                copies = sum(
                    other % min(m, n) == i % min(m, n) for other in range(max(m, n))
                )  # of the input, or inputs that are averaged
                base[i, j] = 1 / math.sqrt(copies)
    length = base.square().sum(1 if m <= n else 0, keepdim=True)
    torch.testing.assert_close(length, torch.ones_like(length))
    drawn = diagonal_plus_noise_(  # the same stream: its noise is N(0, sigma^2 / n)
        torch.empty(m, n, dtype=torch.float64), activation=activation, sigma=sigma, generator=STREAM
    )
    drawn -= diagonal_plus_noise_(
        torch.empty(m, n, dtype=torch.float64), activation=activation, sigma=0, generator=STREAM
    )
    noise = drawn / omega * math.sqrt(n / max(m, n))
    scale = base.abs().amax(1, keepdim=True) if m <= n else 1 / base.abs().amax(0, keepdim=True)
    wanted = math.hypot(omega, sigma) * scale * gram_schmidt(base + noise)
    torch.testing.assert_close(filled((m, n), activation=activation, sigma=sigma), wanted)


@pytest.mark.parametrize("shape", [(16, 16), (5, 12), (12, 5), (4, 3, 3, 3), (8, 2, 3), (30, 2, 3)])
def test_no_direction_outgrows_another(shape):
    """Rows or columns are orthogonal; equal in length where every input has as many copies."""
    weight = filled(shape, depth=30).flatten(1)
    small = weight @ weight.T if shape[0] <= weight.shape[1] else weight.T @ weight
    off = small - small.diagonal().diag()
    assert float(off.abs().max()) < 1e-12
    if shape[0] % shape[1] == 0 or shape[0] == shape[1]:
        values = torch.linalg.svdvals(weight)
        torch.testing.assert_close(values, torch.full_like(values, float(values[0])))


def test_widening_and_narrowing_again_is_the_identity():
    for wide in (8, 10):
        up, down = filled((wide, 4), sigma=0.0), filled((4, wide), sigma=0.0)
        torch.testing.assert_close(down @ up, torch.eye(4, dtype=torch.float64))


@pytest.mark.parametrize("position", ["first", "last"])
def test_ends_that_narrow_hear_every_input(position):
    weight = filled((16, 784), position, depth=30)
    gain = math.hypot(1, noise_scale(30, 1.0))
    values = torch.linalg.svdvals(weight)
    torch.testing.assert_close(values, torch.full_like(values, gain))
    heard = weight.square().sum(0)
    assert float(heard.min()) > 0.05 * float(heard.mean())
    assert torch.equal(weight, orthogonal_(torch.empty_like(weight), gain=gain, generator=STREAM))
    assert torch.equal(filled((16, 8), position, depth=30), filled((16, 8), depth=30))


def test_noise_is_the_published_one_or_what_keeps_the_spread():
    def gain(depth, activation, **options):
        options = {} if "sigma" in options else {"depth": depth} | options
        return float(torch.linalg.matrix_norm(filled((8, 8), "hidden", activation, **options), 2))

    assert gain(1000, "tanh") == pytest.approx(math.hypot(1, noise_scale(1000, 1.0)))
    more = noise_for_spread(1000, "softsign")
    assert more > 2 * noise_scale(1000, 1.0)
    assert gain(1000, "softsign") == pytest.approx(math.hypot(1, more))
    rate = noise_scale(1000, 1.0, 1e-9)
    assert gain(1000, "softsign", negative_rate=1e-9) == pytest.approx(math.hypot(1, rate))


def test_the_name_without_an_activation_is_refused_outside_of_a_plan():
    from firstlight.init import SCHEMES
    from firstlight.init.schemes import Place

    place = Place("hidden", 7, 3, STREAM)
    for name in ("isometric_diagonal", "diagonal_plus_noise"):
        with pytest.raises(OptionError, match=f"{name}' needs the option 'activation', as in"):
            SCHEMES[name](torch.empty(3, 3), place, {})
