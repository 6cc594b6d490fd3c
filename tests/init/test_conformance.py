"""What every fill promises: in place, any dtype, stride and shape, one seed one result."""

import pytest
import torch
from torch import nn

from firstlight.errors import OptionError
from firstlight.init import (
    blumenfeld_,
    diagonal_plus_noise_,
    edge_of_chaos_,
    gradient_control_,
    harmonic_,
    harmonic_depthwise_,
    isometric_diagonal_,
    looks_linear_,
    orthogonal_,
    sinusoidal_,
    siren_,
    variance_scaling_,
    vi3nr_,
    winner_,
    zero_,
)

#: Name -> (fill, its options); those without a generator are deterministic.
RANDOM = {
    "normal": (variance_scaling_, {}),
    "uniform": (variance_scaling_, {"distribution": "uniform", "mode": "fan_avg"}),
    "truncated_normal": (variance_scaling_, {"distribution": "truncated_normal", "gain": "relu"}),
    "arcsine": (variance_scaling_, {"distribution": "arcsine", "mode": "fan_out"}),
    "orthogonal": (orthogonal_, {"gain": 1.5}),
    "siren": (siren_, {"alpha": 1.5}),
    "siren_first": (siren_, {"first": True}),
    "siren_normal": (siren_, {"distribution": "normal"}),
    "gradient_control": (gradient_control_, {"omega": 20.0}),
    "winner": (winner_, {"noise": 2.0, "first": True}),
    "vi3nr": (vi3nr_, {"activation": "tanh"}),
    "diagonal_plus_noise": (diagonal_plus_noise_, {"depth": 30, "activation": "tanh"}),
    "isometric_diagonal": (isometric_diagonal_, {"depth": 30, "activation": "tanh"}),
    "edge_of_chaos": (edge_of_chaos_, {"activation": "erf", "bias_variance": 0.1}),
    "looks_linear": (looks_linear_, {}),
}
CONSTANT = {
    "sinusoidal": (sinusoidal_, {"gain": 2.0}),
    "harmonic": (harmonic_, {"layer": 4, "mode": "fan_out"}),
    "harmonic_depthwise": (harmonic_depthwise_, {"layer": 4, "gain": "relu"}),
    "zero": (zero_, {}),
    "blumenfeld": (blumenfeld_, {}),
}
FILLS = RANDOM | CONSTANT
SHAPES = [(8, 6), (6, 8), (10, 4, 3), (4, 6, 3, 2), (2, 2, 3, 1, 3)]

every_fill = pytest.mark.parametrize("name", FILLS)
random_fill = pytest.mark.parametrize("name", RANDOM)


def fill(name, tensor, seed=0):
    function, options = FILLS[name]
    if name in RANDOM:
        options = options | {"generator": torch.Generator().manual_seed(seed)}
    return function(tensor, **options)


@every_fill
@pytest.mark.parametrize("shape", SHAPES)
def test_fills_in_place_and_returns_the_tensor(name, shape):
    weight = torch.full(shape, torch.nan)
    assert fill(name, weight) is weight
    assert weight.isfinite().all()
    assert weight.any()


@every_fill
def test_parameters(name):
    weight = nn.Parameter(torch.full((8, 6), torch.nan))
    assert fill(name, weight) is weight
    assert weight.requires_grad
    assert weight.is_leaf
    assert weight.grad_fn is None


@every_fill
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_single_precision(name, dtype):
    half = fill(name, torch.empty(12, 10, dtype=dtype))
    assert half.dtype == dtype
    assert torch.equal(half, fill(name, torch.empty(12, 10)).to(dtype))


@pytest.mark.parametrize("name", CONSTANT)
def test_wide_rows_in_half_precision_are_rounded_double_precision(name):
    """Rounding errors are balanced in float32 alone; 147 has short odd periods."""
    half = fill(name, torch.empty(12, 147, dtype=torch.bfloat16))
    assert torch.equal(half, fill(name, torch.empty(12, 147, dtype=torch.float64)).bfloat16())


@random_fill
def test_double_precision_is_drawn_in_double_precision(name):
    weight = fill(name, torch.empty(12, 10, dtype=torch.float64))
    assert (weight != weight.float().double()).any()


@every_fill
@pytest.mark.parametrize("shape", [(8, 6), (4, 6, 3, 3)])
def test_strides(name, shape):
    expected = fill(name, torch.empty(shape))
    turned = torch.empty(shape[::-1]).permute(*reversed(range(len(shape))))
    assert torch.equal(fill(name, turned), expected)
    room = torch.full([2 * size + 1 for size in shape], 7.0)
    inside = room[tuple(slice(1, None, 2) for _ in shape)]
    assert torch.equal(fill(name, inside), expected)
    inside.fill_(7)
    assert (room == 7).all()  # nothing was written outside the view


@every_fill
def test_channels_last(name):
    expected = fill(name, torch.empty(4, 6, 3, 3))
    weight = torch.empty(4, 6, 3, 3).to(memory_format=torch.channels_last)
    assert torch.equal(fill(name, weight), expected)
    assert weight.is_contiguous(memory_format=torch.channels_last)


@every_fill
def test_blocks(name, monkeypatch):
    """A tensor of many blocks is filled to its end, and alike every time."""
    monkeypatch.setattr("firstlight.init._tensor._BLOCK", 100)
    monkeypatch.setattr("firstlight.init._tensor._PER_THREAD", 100 // torch.get_num_threads())
    monkeypatch.setattr("firstlight.init._draw._TILE", 100)
    weight = fill(name, torch.full((50, 46), torch.nan))
    assert weight.isfinite().all()
    assert torch.equal(weight, fill(name, torch.empty(50, 46)))
    if name in CONSTANT:
        monkeypatch.undo()
        assert torch.equal(weight, fill(name, torch.empty(50, 46)))


@random_fill
def test_seeds(name):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first, other = fill(name, torch.empty(8, 6)), fill(name, torch.empty(8, 6), seed=1)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)  # the generator alone was used
    function, options = RANDOM[name]
    draws = [function(torch.empty(8, 6), **options) for _ in range(2)]
    assert not torch.equal(*draws)
    torch.manual_seed(5)
    assert torch.equal(function(torch.empty(8, 6), **options), draws[0])


@every_fill
def test_default_device_and_dtype_do_not_matter(name):
    expected = fill(name, torch.empty(10, 4))
    weight = torch.empty(10, 4)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            fill(name, weight)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(weight, expected)


@every_fill
def test_no_outputs(name):
    assert fill(name, torch.empty(0, 4)).shape == (0, 4)


@every_fill
@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.empty(4), "2 or more dimensions"),
        (torch.empty(()), "2 or more dimensions"),
        (torch.empty(4, 4, dtype=torch.int64), "floating-point"),
        (torch.empty(4, 4, dtype=torch.complex64), "floating-point"),
        (torch.empty(4, 4, device="meta"), "meta device"),
        (torch.empty(4, 0), r"at least \d inputs"),
    ],
)
def test_refused_tensors(name, tensor, message):
    with pytest.raises(OptionError, match=message) as caught:
        fill(name, tensor)
    assert str(caught.value).startswith(FILLS[name][0].__name__)


@random_fill
@pytest.mark.parametrize("generator", [0, 5, "seed"])
def test_a_seed_is_no_generator(name, generator):
    function, options = RANDOM[name]
    weight = torch.full((8, 6), 7.0)
    with pytest.raises(OptionError, match=r"generator must be .* got .* Stream\.named"):
        function(weight, **options, generator=generator)
    assert (weight == 7).all()


@every_fill
@pytest.mark.parametrize("block", [(range(8), range(6)), [], 0, (8, 6)])
def test_what_is_no_block_is_refused(name, block):
    function, options = FILLS[name]
    weight = torch.full((8, 6), 7.0)
    with pytest.raises(OptionError, match="expected a Block as block=, got") as caught:
        function(weight, **options, block=block)
    assert str(caught.value).startswith(function.__name__)
    assert (weight == 7).all()


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (variance_scaling_, {"mode": "fan"}, "mode must be one of fan_in, fan_out, fan_avg"),
        (variance_scaling_, {"distribution": "cauchy"}, "distribution must be one of normal"),
        (variance_scaling_, {"gain": 0}, "gain must be"),
        (variance_scaling_, {"gain": "rleu"}, "activation must be one of"),
        (orthogonal_, {"gain": float("nan")}, "gain must be"),
        (looks_linear_, {"gain": -1.0}, "gain must be"),
        (looks_linear_, {"position": "middle"}, "position must be one of"),
        (siren_, {"alpha": 0.0}, "alpha"),
        (siren_, {"omega": -30.0}, "omega"),
        (siren_, {"omega": float("inf")}, "omega"),
        (diagonal_plus_noise_, {"depth": 0, "activation": "tanh"}, "depth"),
        (diagonal_plus_noise_, {"depth": 5, "activation": "relu"}, "not odd"),
        (
            diagonal_plus_noise_,
            {"depth": 5, "activation": "sin"},
            "'sin' is not increasing, f' = -1",
        ),
        (diagonal_plus_noise_, {"depth": 5, "activation": "identity"}, "not bounded"),
        (diagonal_plus_noise_, {"activation": "tanh"}, "expected depth.*or sigma"),
        (diagonal_plus_noise_, {"activation": "tanh", "sigma": -0.1}, "sigma must be 0 or more"),
        (
            diagonal_plus_noise_,
            {"depth": 5, "activation": "tanh", "sigma": 0.1, "negative_rate": 0.1},
            "give sigma, the noise itself, or negative_rate",
        ),
        (
            isometric_diagonal_,
            {"depth": 5, "activation": "tanh", "position": "middle"},
            "position must be one of",
        ),
        (isometric_diagonal_, {"depth": 5, "activation": "hardtanh"}, "bound at x = 1"),
        (
            diagonal_plus_noise_,
            {"depth": 5, "activation": "tanh", "negative_rate": 0.5},
            "negative_rate",
        ),
        (edge_of_chaos_, {"activation": "relu", "bias_variance": 1.0}, "no edge of chaos"),
    ],
)
def test_bad_options_change_nothing(function, options, message):
    weight = torch.full((4, 4), 7.0)
    with pytest.raises(OptionError, match=message):
        function(weight, **options)
    assert (weight == 7).all()
