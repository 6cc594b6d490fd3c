"""The exact tangent kernel against torch.func, and what it must leave alone."""

import dataclasses
import json
import math

import pytest
import tangent_reference as reference
import torch
from tangent_models import BATCH, LAYERS, MODELS, SAMPLES, build, noise, perceptron
from torch import nn

from firstlight.auditing.derivatives import (
    kernel,
    kernel_layers,
    kernel_rows,
    kernel_total,
)
from firstlight.auditing.derivatives.kernel import tangent_kernel
from firstlight.auditing.derivatives.kernel_exact import Prepared
from firstlight.auditing.derivatives.network import Network
from firstlight.auditing.untouched import untouched
from firstlight.errors import FirstlightError, OptionError

every_model = pytest.mark.parametrize("name", MODELS)


def matrix(model, batch):
    with untouched(model):
        return Prepared(Network(model, batch)).kernel()


@every_model
def test_kernel_is_that_of_the_plain_jacobian(name):
    model, batch = build(name)
    exact = matrix(model, batch)
    torch.testing.assert_close(exact.kernel, reference.kernel(model, batch), rtol=1e-9, atol=1e-12)


@every_model
def test_every_parameter_takes_the_way_that_it_can(name):
    model, batch = build(name)
    how = tangent_kernel(model, batch).how
    assert {way for way in (LAYERS, SAMPLES, BATCH) if way in how} == MODELS[name][2]


def test_gradients_that_are_nothing_but_rounding_need_no_other_way():
    torch.manual_seed(0)  # a norm takes each channel's bias away
    model = nn.Sequential(
        nn.Conv1d(2, 4, 3), nn.GroupNorm(4, 4), nn.Tanh(), nn.Flatten(), nn.Linear(24, 2)
    )
    found = tangent_kernel(model, noise(6, 2, 8).float())
    assert found.how == "exact, layer by layer"
    assert 0 < dict(found.shares)["0.bias"] < 1e-10


@every_model
def test_spectrum_and_shares(name):
    model, batch = build(name)
    found, expected = tangent_kernel(model, batch), reference.jacobians(model, batch)
    theta = sum(jacobian @ jacobian.T for jacobian in expected.values())
    values = torch.linalg.eigvalsh(theta).flip(0).clamp(min=0)
    trace = float(theta.trace())
    assert found.points * found.outputs == len(theta)
    assert found.trace == pytest.approx(trace)
    assert found.eigenvalues == pytest.approx(values.tolist(), rel=1e-6, abs=1e-10 * trace)
    assert (found.largest, found.smallest) == (found.eigenvalues[0], found.eigenvalues[-1])
    shares = {name: float(j.square().sum()) / trace for name, j in expected.items()}
    assert dict(found.shares) == pytest.approx(shares, abs=1e-9)
    assert sum(share for _, share in found.shares) == pytest.approx(1)
    p = values[values > 0] / values.sum()
    assert found.effective_rank == pytest.approx(math.exp(-float((p * p.log()).sum())))
    if found.smallest > 1e-9 * found.largest:
        assert found.condition == pytest.approx(float(values[0] / values[-1]), rel=1e-4)


@every_model
def test_kernel_is_symmetric_and_positive(name):
    theta = matrix(*build(name)).kernel
    torch.testing.assert_close(theta, theta.T)
    assert float(torch.linalg.eigvalsh(theta)[0]) >= -1e-12 * float(theta.trace())


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_uneven_padding():
    torch.manual_seed(0)
    layer, batch = nn.Conv2d(2, 3, (2, 4), padding="same").double(), noise(2, 2, 5, 4)
    exact = matrix(layer, batch)
    assert exact.how == "exact, layer by layer"
    torch.testing.assert_close(exact.kernel, reference.kernel(layer, batch))


@pytest.mark.parametrize("name", ["convolutions", "encoder", "tokens", "batch norm", "shared"])
def test_little_memory_changes_nothing(name, monkeypatch):
    model, batch = build(name)
    whole = tangent_kernel(model, batch)
    for part in (kernel_total, kernel_layers, kernel_rows):
        monkeypatch.setattr(part, "MEMORY", 2000)
    parts = tangent_kernel(model, batch)
    assert parts.eigenvalues == pytest.approx(whole.eigenvalues, abs=1e-10 * whole.largest)
    assert dict(parts.shares) == pytest.approx(dict(whole.shares), abs=1e-12)
    assert parts.how == whole.how


def test_large_condition_numbers_are_right_in_float32():
    torch.manual_seed(0)
    model = nn.Linear(6, 1, bias=False)
    q, _ = torch.linalg.qr(noise(6, 6))
    batch = q @ torch.diag(torch.logspace(0, -4, 6, dtype=torch.float64)) @ q.T
    found = tangent_kernel(model, batch.float())
    assert found.condition == pytest.approx(1e8, rel=0.05)


def test_float32_gradients_give_a_condition_number_that_float32_products_lose():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1)
    )
    batch = noise(32, 2).float()
    single, double = (tangent_kernel(model.to(d), batch.to(d)) for d in (torch.float, torch.double))
    assert double.condition > 1e8
    assert single.condition == pytest.approx(double.condition, rel=0.01)


def test_same_sample_twice_is_singular():
    model, batch = build("perceptron")
    for dtype in (torch.float64, torch.float32):
        twice = torch.cat([batch, batch[:1]]).to(dtype)
        assert tangent_kernel(model.to(dtype), twice).condition == math.inf


@pytest.mark.parametrize(
    ("dtype", "small", "expected"),
    [
        (torch.float64, 1e-7, 1e14),
        (torch.float64, 1e-9, math.inf),
        (torch.float32, 1e-6, 1e12),
        (torch.float32, 1e-8, math.inf),
        (torch.bfloat16, 2**-5, 2**10),
        (torch.bfloat16, 2**-7, math.inf),
    ],
)
def test_rounding_decides_what_is_zero(dtype, small, expected):
    model = nn.Linear(2, 1, bias=False).to(dtype)
    found = tangent_kernel(model, torch.tensor([[1, 0], [0, small]]).to(dtype))
    assert found.condition == pytest.approx(expected, rel=1e-4)
    assert "counts as 0" in found.error


def test_more_rows_than_parameters_are_singular():
    found = tangent_kernel(nn.Linear(2, 1), noise(9, 2).float())
    assert found.condition == math.inf
    assert found.effective_rank <= 3


def test_dead_network_has_no_rank():
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1, bias=False))
    nn.init.constant_(model[0].bias, -100.0)
    found = tangent_kernel(model, noise(3, 5).float())
    assert (found.trace, found.effective_rank, found.condition) == (0, 0, math.inf)
    assert all(share == 0 for _, share in found.shares)


def test_directions_of_the_outputs():
    model, batch = build("perceptron")
    every = tangent_kernel(model, batch)
    turned = tangent_kernel(model, batch, outputs=3)  # all of them: only a rotation
    assert turned.eigenvalues == pytest.approx(every.eigenvalues)
    one = tangent_kernel(model, batch, outputs=1)
    assert (one.points, one.outputs, len(one.eigenvalues)) == (9, 1, 9)
    assert "1 random directions of 3 outputs" in one.how
    assert one == tangent_kernel(model, batch, outputs=1)


def test_dropout_is_off_in_a_models_own_code_too():
    class Dropping(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 2)

        def forward(self, x):
            return self.layer(nn.functional.dropout(x, 0.5, self.training))

    torch.manual_seed(0)
    model, batch = Dropping(), noise(4, 5).float()
    plain = tangent_kernel(model.layer, batch)
    assert tangent_kernel(model, batch).eigenvalues == plain.eigenvalues


def test_inference_mode_and_no_grad_do_not_matter():
    model, batch = build("perceptron")
    expected = tangent_kernel(model, batch)
    with torch.no_grad():
        assert tangent_kernel(model, batch) == expected
    with torch.inference_mode():
        assert tangent_kernel(model, batch.clone()) == expected


def test_serialises():
    found = tangent_kernel(*build("perceptron"))
    plain = json.loads(json.dumps(dataclasses.asdict(found)))
    assert plain["eigenvalues"] == list(found.eigenvalues)


class Failing(nn.Module):
    def __init__(self, what):
        super().__init__()
        self.layer, self.what = nn.Linear(2, 2), what

    def forward(self, x):
        return self.what(self.layer(x))


REFUSED = {
    "no trainable parameters": (lambda: nn.Linear(2, 2).requires_grad_(False), "all are frozen"),
    "no parameters": (nn.ReLU, "no trainable parameters"),
    "complex": (lambda: nn.Linear(2, 2, dtype=torch.complex64), "'weight' is complex"),
    "lazy": (lambda: nn.LazyLinear(2), "has no values yet"),
    "meta": (lambda: nn.Linear(2, 2, device="meta"), "has no values yet"),
    "a loss": (lambda: Failing(torch.mean), "no floating-point tensor with a sample"),
    "words": (lambda: Failing(str), "no floating-point tensor"),
    "classes": (lambda: Failing(lambda y: y.argmax(1)), "no floating-point tensor"),
    "detached": (lambda: Failing(torch.detach), "no trainable parameter has a part"),
    "not finite": (lambda: Failing(lambda y: (-y.abs()).log()), "not finite"),
    "complex output": (lambda: Failing(lambda y: y + 1j), "output is complex"),
    "empty": (lambda: Failing(lambda y: y[:0]), "empty"),
    "no gradient": (lambda: Failing(lambda y: (y * 0).sqrt() + y.sum()), "gradients .* not finite"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    make, message = REFUSED[name]
    with pytest.raises(FirstlightError, match=message):
        tangent_kernel(make(), -torch.ones(3, 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "guess"}, "method must be one of auto, exact, lanczos"),
        ({"outputs": 0}, "outputs must be a whole number from 1 to 3"),
        ({"outputs": 4}, "got 4"),
        ({"outputs": 1.0}, "got 1.0"),
        ({"outputs": True}, "got True"),
    ],
)
def test_options(options, message):
    with pytest.raises(OptionError, match=message):
        tangent_kernel(perceptron(), noise(4, 5).float(), **options)


def test_too_many_rows_for_the_exact_kernel(monkeypatch):
    monkeypatch.setattr(kernel, "_MOST", 26)
    with pytest.raises(OptionError, match="9 samples x 3 outputs has 27 rows, more than 26"):
        tangent_kernel(*build("perceptron"), method="exact")


def test_auto_takes_lanczos_for_many_rows(monkeypatch):
    model, batch = build("perceptron")
    monkeypatch.setattr(kernel, "_AUTO", 26)
    assert tangent_kernel(model, batch).how.startswith("Lanczos")
    assert tangent_kernel(model, batch, method="exact").how.startswith("exact")
    assert tangent_kernel(model, batch, outputs=2).how.startswith("exact")


def test_auto_takes_lanczos_where_each_row_needs_the_batch(monkeypatch):
    model, batch = build("batch norm")
    monkeypatch.setattr(kernel, "_AUTO_TIED", 11)
    assert tangent_kernel(model, batch).how.startswith("Lanczos")
    assert tangent_kernel(model.eval(), batch).how.startswith("exact")
