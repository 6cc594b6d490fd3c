# ruff: noqa: ARG005 - every residual is told the same four things
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from firstlight.errors import FirstlightError, OptionError
from firstlight.physics import PROBLEMS, PinnSpec, Points, Problem, find_problem, train
from firstlight.physics.deepxde import arithmetic, deepxde
from firstlight.physics.network import build_network
from firstlight.physics.problems.poisson import POISSON_1D

A, B = 1.3, -0.7
PI = math.pi


def wave(x):
    """sin(a x + b t): all derivatives are known."""
    return torch.sin(A * x[:, :1] + B * x[:, 1:])


#: Each residual of u = sin(a x + b y), from s = sin and c = cos of the angle, and x, y.
EXPECTED = {
    "burgers": lambda s, c, x, y: B * c + s * A * c + 0.01 / PI * A**2 * s,
    "allen_cahn": lambda s, c, x, y: B * c + 1e-4 * A**2 * s + 5 * s**3 - 5 * s,
    "allen_cahn_hard": lambda s, c, x, y: B * c + 1e-4 * A**2 * s + 5 * s**3 - 5 * s,
    "kdv": lambda s, c, x, y: B * c + s * A * c - 0.0025 * A**3 * c,
    "diffusion": lambda s, c, x, y: (
        B * c + A**2 * s + np.exp(-y) * (np.sin(PI * x) - PI**2 * np.sin(PI * x))
    ),
    "heat": lambda s, c, x, y: B * c + 0.4 * A**2 * s,
    "wave": lambda s, c, x, y: -(B**2) * s + 4 * A**2 * s,
    "poisson_2d": lambda s, c, x, y: (
        (A**2 + B**2) * s - 2 * PI**2 * np.sin(PI * x) * np.sin(PI * y)
    ),
    "helmholtz": lambda s, c, x, y: (
        (A**2 + B**2 - (4 * PI) ** 2) * s - (4 * PI) ** 2 * np.sin(4 * PI * x) * np.sin(4 * PI * y)
    ),
}

#: Closed forms, for torch to differentiate.
EXACT = {
    "diffusion": lambda x: torch.sin(PI * x[:, :1]) * torch.exp(-x[:, 1:]),
    "heat": lambda x: torch.exp(-0.4 * PI**2 * x[:, 1:]) * torch.sin(PI * x[:, :1]),
    "wave": lambda x: sum(
        torch.sin(n * PI * x[:, :1]) * torch.cos(2 * n * PI * x[:, 1:]) for n in (1, 2)
    ),
    "poisson_1d": lambda x: torch.sin(PI * x),
    "poisson_2d": lambda x: torch.sin(PI * x).prod(1, keepdim=True),
    "helmholtz": lambda x: torch.sin(4 * PI * x).prod(1, keepdim=True),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_equation_is_the_one_on_paper(name):
    with arithmetic("float64"):
        x = torch.rand(50, 2, generator=torch.Generator().manual_seed(1)).requires_grad_()
        found = PROBLEMS[name].residual(deepxde(), x, wave(x)).detach().numpy()[:, 0]
        a, b = x.detach().numpy().T
    angle = A * a + B * b
    expected = EXPECTED[name](np.sin(angle), np.cos(angle), a, b)
    assert np.abs(found - expected).max() < 1e-10 * max(1, np.abs(expected).max())


class Exact(torch.nn.Module):
    """A closed form in the place of a network."""

    regularizer = None

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.weight * self.function(x)


@pytest.mark.parametrize("name", EXACT)
def test_the_exact_solution_has_no_loss_and_no_error(name):
    problem = PROBLEMS[name]
    with arithmetic("float64") as dde:
        model = dde.Model(problem.data(problem.small, 0), Exact(EXACT[name]))
        model.compile("adam", lr=1e-3, loss_weights=list(problem.loss_weights), verbose=0)
        model.train(iterations=0, verbose=0)
        assert len(model.train_state.loss_train) == len(problem.terms)
        assert model.train_state.loss_train.max() < 1e-18
        solution = problem.reference()
        values = EXACT[name](torch.as_tensor(solution.points)).numpy()
    assert solution.error(values) < 1e-14


@pytest.mark.parametrize("name", ["burgers", "allen_cahn", "kdv"])
def test_the_reference_fulfils_the_conditions(name):
    solution = PROBLEMS[name].reference()
    x, u = solution.axes[0], solution.values
    start = {
        "burgers": -np.sin(PI * x),
        "allen_cahn": x**2 * np.cos(PI * x),
        "kdv": np.cos(PI * x),
    }[name]
    assert np.abs(u[:, 0] - start).max() < 1e-12
    if name == "burgers":
        assert np.abs(u[[0, -1]]).max() < 1e-12


@pytest.mark.parametrize("name", PROBLEMS)
def test_points_are_as_many_as_said_and_those_of_the_seed(name):
    problem = PROBLEMS[name]
    with arithmetic():
        one, same, other = (problem.data(problem.small, seed) for seed in (0, 0, 1))
    points = problem.small
    assert len(one.train_x_all) == points.total
    assert np.array_equal(one.train_x, same.train_x)
    if hasattr(one, "num_initial") and points.boundary:
        assert not np.array_equal(one.train_x, other.train_x)


def test_drawing_points_leaves_numpys_state_alone():
    before = np.random.get_state()[1].copy()
    with arithmetic():
        find_problem("burgers").data(Points(10, 10, 10), 3)
    assert np.array_equal(before, np.random.get_state()[1])


def test_hard_conditions_hold_for_every_network():
    problem = find_problem("allen_cahn_hard")
    spec = PinnSpec(depth=2, width=8, adam_steps=1, lbfgs_steps=0, points=50)
    with arithmetic("float64"):
        net = build_network(problem, spec, np.zeros((4, 2)))
        x = torch.linspace(-1, 1, 9)[:, None]
        start = net(torch.cat([x, 0 * x], 1))
        ends = net(torch.tensor([[-1.0, 0.4], [1.0, 0.4]]))
    assert torch.allclose(start, x**2 * torch.cos(PI * x), atol=1e-14)
    assert float((ends[0] - ends[1]).abs().detach()) < 1e-12


def test_published_sizes_scale():
    assert find_problem("burgers").sized(2000) == Points(2000, 100, 50)
    assert find_problem("burgers").sized("published").total == 21500
    for wrong in ("large", 0, -3, 1.5, True):
        with pytest.raises(OptionError):
            find_problem("burgers").sized(wrong)


MINE = """
from dataclasses import replace
from firstlight.physics.network import build_network
from firstlight.physics.problems.poisson import POISSON_1D
def good(): return replace(POISSON_1D, name="mine")
def none(): return 3
def broken(): raise ValueError("no luck")
def few(): return replace(POISSON_1D, terms=("equation",))
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "my_pde.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("my_pde", None)


def test_a_problem_of_ones_own(mine):
    problem = find_problem("my_pde:good")
    assert isinstance(problem, Problem)
    spec = PinnSpec(depth=1, width=4, adam_steps=2, lbfgs_steps=0)
    assert train(problem, spec)[0].steps == 2


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("nothing", "problem must be one of burgers, allen_cahn"),
        ("my_pde:none", "must return a firstlight.physics.Problem, got int"),
        ("my_pde:broken", "problem my_pde:broken cannot be made: .*no luck"),
        ("my_pde:few", "expected 1 conditions and equation"),
        ("no_such_module:x", "cannot import no_such_module"),
    ],
)
def test_what_is_no_problem_is_one_clear_line(mine, name, line):
    with pytest.raises(FirstlightError, match=line) as caught:
        find_problem(name)
    assert "\n" not in str(caught.value)


def test_weights_and_features_must_fit():
    with pytest.raises(OptionError, match="expected 2 weights, one for each of equation, boundary"):
        replace(POISSON_1D, weights=(1.0,))
    with pytest.raises(OptionError, match="features need inputs"):
        replace(POISSON_1D, features=lambda x: x)
