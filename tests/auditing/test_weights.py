"""Measures of weights against the obvious computation, pair by pair."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from firstlight import init
from firstlight.auditing.weights import measure_weights
from firstlight.model import views


def measured(model: nn.Module):
    return measure_weights(views(model, tables=True), {})


def layer(weight: torch.Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    made.weight = nn.Parameter(weight.clone())
    return made


def twins(rows: torch.Tensor) -> int:
    """Compare every pair."""
    count = 0
    for i, row in enumerate(rows):
        others = [other for j, other in enumerate(rows) if j != i]
        count += any(torch.allclose(row, s * o, rtol=1e-4) for o in others for s in (1, -1))
    return count


@given(st.integers(2, 30), st.integers(2, 9), st.integers(0, 6), st.integers(0, 99))
def test_twins_are_those_of_all_pairs(rows, columns, copies, seed):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=generator)
    for _ in range(copies):
        pair = torch.randint(rows, (2,), generator=generator)
        weight[pair[0]] = weight[pair[1]] * (1 if pair[0] % 2 else -1)
    (found,) = measured(layer(weight))
    assert found.twin_rows == twins(weight)


def test_sinusoidal_on_an_expansion_has_the_published_defects():
    (found,) = measured(layer(init.sinusoidal_(torch.empty(256, 64))))
    assert (found.zero_rows, found.constant_rows, found.twin_rows) == (2, 2, 254)
    (square,) = measured(layer(init.sinusoidal_(torch.empty(768, 768))))
    assert (square.rank, square.twin_rows, square.zero_rows) == (383, 766, 2)


def test_sums_norms_and_blind_inputs():
    weight = torch.tensor([[1.0, -1.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    (found,) = measured(layer(weight))
    assert found.row_sum_rms == pytest.approx((16 / 3) ** 0.5)
    assert (found.row_norm_smallest, found.row_norm_largest) == (0, pytest.approx(8**0.5))
    assert (found.zero_rows, found.blind_inputs, found.rank) == (1, 1, 2)


def test_a_convolution_is_blind_to_a_channel_only_if_every_tap_is():
    conv = nn.Conv2d(3, 8, 3, bias=False)
    with torch.no_grad():
        conv.weight[:, 1] = 0
        conv.weight[:, 2, 0] = 0
    (found,) = measured(conv)
    assert found.blind_inputs == 1


def test_row_sums_of_independent_entries_have_ratio_one_and_of_harmonic_ones_none():
    torch.manual_seed(0)
    (independent,) = measured(layer(torch.randn(2000, 300)))
    assert independent.row_sum_ratio == pytest.approx(1, abs=0.06)
    (harmonic,) = measured(layer(init.harmonic_(torch.empty(300, 200))))
    assert harmonic.row_sum_ratio < 1e-5


def test_copies_are_found_up_to_sign_and_not_between_others():
    torch.manual_seed(0)
    net = nn.Sequential(*(nn.Linear(6, 6, bias=False) for _ in range(4)))
    with torch.no_grad():
        net[2].weight.copy_(-net[0].weight)
    found = {one.name: one.same_as for one in measured(net)}
    assert found == {
        "0.weight": ("2.weight",),
        "1.weight": (),
        "2.weight": ("0.weight",),
        "3.weight": (),
    }


def test_a_table_has_no_rank_and_says_so():
    (found,) = measured(nn.Embedding(10, 4))
    assert (found.rank, found.role) == (None, "table")
    assert "embedding" in found.note


def test_bad_entries_are_seen_and_nothing_is_made_of_them():
    weight = torch.ones(3, 3)
    weight[1, 1] = float("nan")
    (found,) = measured(layer(weight))
    assert (found.finite, found.rank, found.sketch) == (False, None, None)


def test_fused_projections_are_measured_one_by_one():
    found = measured(nn.MultiheadAttention(8, 2))
    assert [one.name for one in found][:3] == [f"in_proj_weight[{x}]" for x in "qkv"]
    assert all(one.shape == (8, 8) for one in found)


def test_the_sketch_counts_every_entry_of_a_small_matrix():
    (found,) = measured(layer(torch.randn(30, 40)))
    assert found.sketch is not None
    assert sum(found.sketch.counts) == 1200
    assert len(found.sketch.heat) == 30
    assert len(found.sketch.heat[0]) == 40
