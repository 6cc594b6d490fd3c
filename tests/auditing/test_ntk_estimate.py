"""Lanczos steps and random vectors against the exact kernel."""

import math

import pytest
import torch
from tangent_models import MODELS, build, noise, perceptron
from torch import nn

from firstlight.auditing.derivatives import kernel_estimate
from firstlight.auditing.derivatives.kernel import tangent_kernel
from firstlight.auditing.derivatives.lanczos import lanczos
from firstlight.auditing.derivatives.products import Products
from firstlight.auditing.derivatives.spectrum import effective_rank
from firstlight.errors import FirstlightError


def wide():
    """270 rows: more than the Lanczos steps."""
    torch.manual_seed(0)
    return perceptron().double(), noise(90, 5)


@pytest.mark.parametrize("name", MODELS)
def test_few_rows_are_exact(name):
    model, batch = build(name)
    exact, found = (tangent_kernel(model, batch, method=m) for m in ("exact", "lanczos"))
    assert found.how.startswith("Lanczos")
    assert found.largest == pytest.approx(exact.largest)
    assert found.trace == pytest.approx(exact.trace, rel=1e-6)
    assert found.effective_rank == pytest.approx(exact.effective_rank, rel=1e-4)
    assert dict(found.shares) == pytest.approx(dict(exact.shares), abs=1e-5)
    if exact.smallest > 1e-6 * exact.largest:
        assert found.condition == pytest.approx(exact.condition, rel=1e-3)


def test_many_rows_are_estimated():
    model, batch = wide()
    exact, found = (tangent_kernel(model, batch, method=m) for m in ("exact", "lanczos"))
    assert found.largest == pytest.approx(exact.largest, rel=1e-6)
    assert found.smallest >= exact.smallest
    assert found.condition <= exact.condition * (1 + 1e-6)
    assert 0 < found.trace_error < 0.02 * exact.trace
    assert abs(found.trace - exact.trace) < 4 * found.trace_error
    assert found.effective_rank == pytest.approx(exact.effective_rank, rel=0.05)
    assert dict(found.shares) == pytest.approx(dict(exact.shares), abs=0.01)
    assert sum(share for _, share in found.shares) == pytest.approx(1)
    assert found.eigenvalues[:5] == pytest.approx(exact.eigenvalues[:5], rel=1e-6)
    assert "upper bound" in found.error
    assert found == tangent_kernel(model, batch, method="lanczos")


def test_flat_spectrum_has_an_estimated_trace():
    """No eigenvector converges, so that all rests on random vectors."""
    torch.manual_seed(0)
    model = nn.Linear(400, 1, bias=False)
    batch = torch.randn(300, 400)
    exact, found = (tangent_kernel(model, batch, method=m) for m in ("exact", "lanczos"))
    assert 0 < abs(found.trace - exact.trace) < 4 * found.trace_error
    assert found.trace == pytest.approx(exact.trace, rel=0.03)
    assert found.effective_rank == pytest.approx(exact.effective_rank, rel=0.03)


def test_more_rows_than_parameters_are_singular(monkeypatch):
    monkeypatch.setattr(kernel_estimate, "STEPS", 2)  # too few to see it
    found = tangent_kernel(nn.Linear(200, 1), noise(300, 200).float(), method="lanczos")
    assert min(found.eigenvalues) > 1
    assert found.condition == math.inf
    assert found.smallest == 0


def test_what_cannot_be_differentiated_twice():
    model = nn.Sequential(nn.Linear(2, 2), nn.Hardsigmoid())
    with pytest.raises(FirstlightError, match=r"cannot be differentiated twice.*exact"):
        tangent_kernel(model, noise(3, 2).float(), method="lanczos")
    assert tangent_kernel(model, noise(3, 2).float(), method="exact").trace > 0


@pytest.mark.parametrize("steps", [4, 30])
def test_ritz_values_are_within_their_residuals(steps):
    q, _ = torch.linalg.qr(noise(30, 30))
    values = torch.logspace(0, -3, 30, dtype=torch.float64)
    matrix = q @ torch.diag(values) @ q.T
    ritz = lanczos(lambda v: matrix @ v, noise(30), steps)
    assert len(ritz.values) == steps
    distance = (ritz.values[:, None] - values).abs().min(1).values
    assert (distance <= ritz.residuals + 1e-12).all()
    assert float(ritz.weights.sum()) == pytest.approx(1)
    torch.testing.assert_close(ritz.vectors.T @ ritz.vectors, torch.eye(steps).double())
    residuals = (matrix @ ritz.vectors - ritz.vectors * ritz.values).norm(dim=0)
    torch.testing.assert_close(residuals, ritz.residuals, atol=1e-10, rtol=1e-6)


def test_quadrature_is_exact_for_polynomials():
    """m steps give v^T A^k v for k up to 2 m - 1."""
    q, _ = torch.linalg.qr(noise(30, 30))
    matrix, v = q @ torch.diag(torch.linspace(0, 1, 30).double()) @ q.T, noise(30)
    ritz = lanczos(lambda x: matrix @ x, v, 4)
    expected = v @ torch.linalg.matrix_power(matrix, 7) @ v
    torch.testing.assert_close(v @ v * (ritz.weights @ ritz.values**7), expected)


def test_steps_end_where_nothing_is_left():
    q, _ = torch.linalg.qr(noise(4, 4))
    matrix = q @ torch.diag(torch.tensor([3.0, 3.0, 1.0, 0.0]).double()) @ q.T
    ritz = lanczos(lambda v: matrix @ v, q.sum(1), 10)
    assert ritz.values.tolist() == pytest.approx([3, 1, 0], abs=1e-12)
    assert ritz.weights.tolist() == pytest.approx([0.5, 0.25, 0.25])


def test_products_against_the_jacobian():
    x = noise(3, 4).requires_grad_()
    y = noise(4).requires_grad_()
    jacobian = torch.autograd.functional.jacobian(lambda x, y: torch.tanh(x @ y), (x, y))
    products = Products(torch.tanh(x @ y), [x, y])
    v, u = noise(3), [noise(3, 4), noise(4)]
    for found, whole in zip(products.transposed(v), jacobian, strict=True):
        torch.testing.assert_close(found, torch.tensordot(v, whole, 1))
    expected = torch.tensordot(jacobian[0], u[0], 2) + jacobian[1] @ u[1]
    torch.testing.assert_close(products.times(u), expected)


def test_effective_rank():
    assert effective_rank(torch.ones(7)) == pytest.approx(7)
    assert effective_rank(torch.zeros(7)) == 0
    assert effective_rank(torch.tensor([1.0, -1e-9])) == pytest.approx(1)
