"""Singular values of the input-output Jacobian against torch.func."""

import dataclasses
import json
import math

import pytest
import torch
from tangent_models import Recurrent, Tokens, build, noise, perceptron, tokens
from tangent_reference import quiet_copy
from torch import nn
from torch.func import jacrev
from torch.nn.attention import SDPBackend, sdpa_kernel

from firstlight.auditing.derivatives import jacobian_rows, singular_values
from firstlight.auditing.derivatives.jacobian import input_jacobian
from firstlight.errors import FirstlightError, OptionError


class TwoInputs(nn.Module):
    """Two inputs, changed in place, and a mask of whole numbers."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(3, 4), nn.Linear(2, 4)

    def forward(self, x, y, mask=None):
        return torch.tanh(self.left(x.mul_(2)) * self.right(y))[:, mask[0] > 0]


def wide():
    """Many more outputs than inputs."""
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 30))


def of(model, batch, sample):
    """J of one sample with torch.func, by each input that is a floating-point tensor."""
    model = quiet_copy(model)
    args = batch if isinstance(batch, tuple) else (batch,)
    places = tuple(i for i, x in enumerate(args) if x.is_floating_point())

    def outputs(*given):
        result = model(*(x.clone() for x in given))
        result = result[0] if isinstance(result, tuple) else result
        return result.reshape(len(result), -1)[sample]

    found = jacrev(outputs, argnums=places, chunk_size=1)(*args)
    return torch.cat([part[:, sample].flatten(1) for part in found], dim=1).detach()


MASK = torch.tensor([[1, 0, 1, 1]]).expand(5, 4)
CASES = {
    "perceptron": (perceptron, noise(5, 5)),
    "convolutions": (lambda: build("convolutions")[0], noise(3, 3, 9, 10)),
    "recurrent": (Recurrent, (noise(4, 3, 4),)),
    "two inputs": (TwoInputs, (noise(5, 3), noise(5, 2), MASK)),
    "many outputs": (wide, noise(5, 2)),
    "batch norm": (lambda: build("batch norm")[0], noise(6, 5)),
    "gated batch norm": (lambda: build("gated batch norm")[0], noise(6, 2, 5)),
    "evaluated batch norm": (lambda: build("evaluated batch norm")[0], noise(6, 5)),
}
every_case = pytest.mark.parametrize("name", CASES)


def made(name):
    torch.manual_seed(0)
    make, batch = CASES[name]
    return make().double(), batch


def check(found, matrices, rel=1e-9):
    values = torch.stack([torch.linalg.svdvals(j) for j in matrices])
    rows = matrices[0].shape[0]
    assert found.samples == len(matrices)
    assert (found.outputs, found.inputs) == tuple(matrices[0].shape)
    assert found.mean_square == pytest.approx(float(values.square().sum(1).mean()) / rows, rel=rel)
    assert found.singular_values == pytest.approx(values.mean(0).tolist(), rel=rel, abs=1e-12)
    assert found.largest == pytest.approx(float(values.max()), rel=rel)
    assert found.smallest == pytest.approx(float(values.min()), rel=rel, abs=1e-12)
    if found.smallest > 1e-9:
        assert found.condition == pytest.approx(float((values[:, 0] / values[:, -1]).max()))


@every_case
def test_against_the_plain_jacobian(name):
    model, batch = made(name)
    found = input_jacobian(model, batch, samples=3)
    assert found.how.startswith("exact")
    check(found, [of(model, batch, n) for n in range(3)])


@pytest.mark.parametrize("name", [name for name in CASES if name != "gated batch norm"])
def test_lanczos_steps_find_the_same(name, monkeypatch):
    model, batch = made(name)
    exact = input_jacobian(model, batch, samples=2)
    monkeypatch.setattr(singular_values, "_PRODUCTS", 0)
    found = input_jacobian(model, batch, samples=2)
    assert found.how.startswith("Lanczos")
    assert (found.outputs, found.inputs) == (exact.outputs, exact.inputs)
    assert found.largest == pytest.approx(exact.largest)
    assert found.mean_square == pytest.approx(exact.mean_square, rel=0.4)
    assert found.singular_values[:2] == pytest.approx(exact.singular_values[:2])
    assert found.smallest == pytest.approx(exact.smallest, rel=1e-4, abs=1e-7)


def test_lanczos_steps_on_a_large_matrix(monkeypatch):
    torch.manual_seed(0)
    model, batch = nn.Linear(400, 300), noise(1, 400).float()
    exact = input_jacobian(model, batch)
    monkeypatch.setattr(singular_values, "_PRODUCTS", 0)
    found = input_jacobian(model, batch)
    assert found.largest == pytest.approx(exact.largest, rel=1e-3)
    assert found.smallest >= exact.smallest
    assert found.mean_square == pytest.approx(exact.mean_square, rel=0.03)
    assert "lower bound" in found.error


def test_samples_alone_or_together_are_the_same():
    model, batch = made("perceptron")
    found = input_jacobian(model, batch, samples=1)
    assert found == input_jacobian(model, batch[:1])
    assert input_jacobian(model, batch, samples=99).samples == 5


def test_samples_run_alone_unless_they_depend_on_each_other(monkeypatch):
    alone = []
    whole = jacobian_rows.cut
    monkeypatch.setattr(jacobian_rows, "cut", lambda *args: alone.append(args) or whole(*args))
    input_jacobian(*made("perceptron"), samples=2)
    assert len(alone) == 2
    input_jacobian(*made("gated batch norm"), samples=2)
    input_jacobian(*made("batch norm"), samples=2)
    assert len(alone) == 4  # a scale of zero lets no sample see another


def test_tokens_by_their_embedding():
    torch.manual_seed(0)
    model, ids = Tokens().double(), tokens(3, 5)
    found = input_jacobian(model, {"ids": ids, "scale": 2.0}, samples=2)
    assert found.by == "the embedded tokens"
    plain = quiet_copy(model).requires_grad_(False)
    table = plain.table(ids).detach()

    class Given(nn.Module):
        def forward(self, _):
            return self.x

    plain.table = Given()

    def outputs(x):
        plain.table.x = x[None]
        return plain(ids[:1], 2.0)["logits"][0]

    with sdpa_kernel(SDPBackend.MATH):
        matrices = [jacrev(outputs, chunk_size=1)(table[n]).flatten(1) for n in range(2)]
    check(found, matrices)


def test_the_first_embedding_of_samples_counts_whatever_is_done_to_it():
    class Placed(nn.Module):
        """Looks places up first, and changes the tokens' vectors in place."""

        def __init__(self):
            super().__init__()
            self.place, self.table = nn.Embedding(3, 4), nn.Embedding(11, 4)

        def forward(self, ids):
            place = self.place(torch.arange(3))
            return self.table(ids).mul_(2).add(place).flatten(1)

    found = input_jacobian(Placed(), tokens(2, 3))
    assert found.singular_values == pytest.approx([2] * 12)


def test_inputs_by_name():
    model, (x, y, mask) = made("two inputs")
    found = input_jacobian(model, {"y": y, "x": x, "mask": mask})
    assert (found.by, found.inputs) == ("y, x", 5)
    assert input_jacobian(model, (x, y, mask)).by == "input 0, input 1"
    assert input_jacobian(*made("perceptron")).by == "the input"


def test_an_input_that_all_samples_share_is_none():
    class Shifted(nn.Module):
        def forward(self, x, shift):
            return torch.tanh(x + shift)

    found = input_jacobian(Shifted(), (noise(4, 3), noise(1, 3)))
    assert (found.by, found.inputs, found.samples) == ("input 0", 3, 4)


def test_orthogonal_linear_network_is_an_isometry():
    model = nn.Sequential(*(nn.utils.parametrizations.orthogonal(nn.Linear(9, 9)) for _ in "abc"))
    found = input_jacobian(model, noise(2, 9).float())
    assert found.singular_values == pytest.approx([1] * 9, rel=1e-5)
    assert found.condition == pytest.approx(1, rel=1e-5)
    assert found.mean_square == pytest.approx(1, rel=1e-5)


def test_mean_square_is_chi_of_the_mean_field():
    """He's start keeps variances: chi is 1 per layer, and the first layer's weight variance 2."""
    torch.manual_seed(0)
    layers = [layer for _ in range(6) for layer in (nn.Linear(512, 512, bias=False), nn.ReLU())]
    for layer in layers[::2]:
        nn.init.kaiming_normal_(layer.weight)
    model = nn.Sequential(*layers[:-1])
    assert input_jacobian(model, noise(8, 512).float()).mean_square == pytest.approx(2, rel=0.15)


def test_singular_matrices_have_no_condition():
    model = nn.Sequential(nn.Linear(5, 2), nn.Linear(2, 4))
    found = input_jacobian(model, noise(3, 5).float())
    assert found.condition == math.inf
    assert input_jacobian(perceptron(), noise(3, 5).float()).condition < math.inf


def test_serialises():
    found = input_jacobian(*made("perceptron"))
    plain = json.loads(json.dumps(dataclasses.asdict(found)))
    assert plain["singular_values"] == list(found.singular_values)


def test_modes_of_torch_do_not_matter():
    model, batch = made("perceptron")
    expected = input_jacobian(model, batch)
    with torch.no_grad():
        assert input_jacobian(model, batch) == expected
    with torch.inference_mode():
        assert input_jacobian(model, batch.clone()) == expected
    assert input_jacobian(model.requires_grad_(False), batch) == expected


class Reading(nn.Module):
    """Reads whole numbers without an embedding."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, ids):
        return self.layer(ids.float())


class Ignoring(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(torch.ones_like(x))


REFUSED = {
    "whole numbers": (Reading, tokens(4, 3), "no embedding reads it"),
    "another input": (Ignoring, noise(4, 3).float(), "does not depend on the input"),
    "no tensor": (lambda: nn.Embedding(3, 2), {"input": torch.tensor(1)}, "nothing to take"),
    "root": (lambda: Rooted(), torch.zeros(4, 3), "not finite"),
    "complex": (nn.Identity, torch.ones(2, 2, dtype=torch.complex64), "complex"),
}


class Rooted(nn.Module):
    def forward(self, x):
        return x.sqrt()


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    make, batch, message = REFUSED[name]
    with pytest.raises(FirstlightError, match=message):
        input_jacobian(make(), batch)


@pytest.mark.parametrize("samples", [0, -1, 1.0, True, "8"])
def test_samples_is_a_whole_number(samples):
    with pytest.raises(OptionError, match="samples must be a whole number above 0"):
        input_jacobian(nn.Linear(2, 2), torch.ones(2, 2), samples=samples)
