"""Rank and condition number against NumPy's singular values."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight import init
from firstlight.auditing.rank import rank


def reference(matrix: torch.Tensor) -> tuple[int, float]:
    values = np.linalg.svd(matrix.double().numpy(), compute_uv=False)
    eps = torch.finfo(matrix.dtype).eps
    count = int((values > max(matrix.shape) * eps * values[0]).sum())
    return count, values[0] / values[-1] if count == min(matrix.shape) else math.inf


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_rank_of_a_product_is_numpys(rows, columns, inner, seed):
    generator = torch.Generator().manual_seed(seed)
    left, right = (torch.randn(s, generator=generator) for s in ((rows, inner), (inner, columns)))
    matrix = left @ right
    assert rank(matrix).rank == reference(matrix)[0]


@pytest.mark.parametrize("shape", [(64, 64), (300, 300), (512, 700), (700, 512)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_condition_is_right_to_a_thousandth(shape, dtype):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    found = rank(matrix)
    assert found.condition == pytest.approx(reference(matrix)[1], rel=1e-3)
    assert found.largest == pytest.approx(float(torch.linalg.matrix_norm(matrix, 2)), rel=1e-3)
    assert found.stable == pytest.approx(float(matrix.norm() ** 2) / found.largest**2, rel=1e-3)


@pytest.mark.parametrize("decades", [2, 4, 5, 6])
def test_small_singular_values_are_seen_down_to_the_matrix_own_precision(decades):
    generator = torch.Generator().manual_seed(2)
    u, _ = torch.linalg.qr(torch.randn(300, 300, generator=generator, dtype=torch.float64))
    values = torch.logspace(0, -decades, 300, dtype=torch.float64)
    matrix = (u * values) @ u.T
    found = rank(matrix.float())
    assert (found.rank, found.condition) == (
        reference(matrix.float())[0],
        pytest.approx(reference(matrix.float())[1], rel=0.02),
    )


def test_paper_exact_sinusoidal_lacks_half_of_its_rank():
    assert rank(init.sinusoidal_(torch.empty(768, 768))).rank == 383


def test_large_matrices_are_left_unless_asked_for():
    matrix = torch.zeros(2100, 2050)
    matrix.fill_diagonal_(3.0)
    found = rank(matrix)
    assert found.rank is None
    assert found.condition is None
    assert "2048" in found.note
    assert found.largest == pytest.approx(3)
    assert found.stable == pytest.approx(2050, rel=1e-3)


def test_a_zero_matrix_has_no_rank():
    found = rank(torch.zeros(3, 4))
    assert (found.rank, found.condition, found.stable) == (0, math.inf, 0)
