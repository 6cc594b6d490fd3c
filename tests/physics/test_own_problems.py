import sys

import pytest

from firstlight.errors import OptionError
from firstlight.physics import PinnSpec, find_problem, train
from firstlight.physics.problems import PROBLEMS, fingerprint

MINE = """
from dataclasses import replace
import numpy as np
from firstlight.physics import Points, Problem, Solution
CALLS = []
GRID = np.linspace(0, 1, 11)
def given(**parts):
    return replace(Problem(
        name="mine", equation="u'' = -u", coordinates=("x",),
        geometry=lambda dde: dde.geometry.Interval(0, 1),
        residual=lambda dde, x, u: dde.grad.hessian(u, x) + u,
        conditions=lambda dde, g: [dde.icbc.DirichletBC(g, lambda p: np.sin(p), lambda _, on: on)],
        terms=("equation", "boundary"),
        reference=reference, published=Points(16, 2), small=Points(16, 2), source="me"), **parts)
def reference():
    CALLS.append(1)
    return Solution((GRID,), np.sin(GRID))
def fails(*_):
    raise RuntimeError("no luck")
def leaves(*_):
    raise SystemExit(0)
def good(): return given()
def features(): return given(features=lambda x: x.repeat(1, 3), inputs=3)
def reference_fails(): return given(reference=fails)
def reference_leaves(): return given(reference=leaves)
def reference_shape(): return given(reference=lambda: Solution((GRID,), np.zeros(7)))
def reference_zero(): return given(reference=lambda: Solution((GRID,), np.zeros(11)))
def reference_nan(): return given(reference=lambda: Solution((GRID,), np.full(11, np.nan)))
def reference_axes(): return given(reference=lambda: Solution((GRID, GRID), np.ones((11, 11))))
def reference_kind(): return given(reference=lambda: GRID)
def residual_fails(): return given(residual=fails)
def residual_shape(): return given(residual=lambda dde, x, u: u + x[:, 0])
def residual_list(): return given(residual=lambda dde, x, u: [u, u])
def coordinates(): return given(coordinates=("x", "y"))
def geometry(): return given(geometry=lambda dde: 5)
def conditions(): return given(conditions=lambda dde, g: 5)
def condition_fails(): return given(
    conditions=lambda dde, g: [dde.icbc.DirichletBC(g, fails, lambda _, on: on)])
def features_fail(): return given(features=fails, inputs=1)
def features_number(): return given(features=lambda x: x.repeat(1, 3), inputs=2)
def inputs_alone(): return given(inputs=3)
def transform_fails(): return given(transform=fails)
def transform_shape(): return given(transform=lambda x, u: u.ravel())
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "own_pde.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("own_pde", None)


@pytest.mark.parametrize("name", ["good", "features"])
def test_the_reference_is_computed_once(mine, name):
    problem = find_problem(f"own_pde:{name}")
    spec = PinnSpec(scheme="Glorot normal", depth=1, width=4, adam_steps=2, lbfgs_steps=0)
    assert train(problem, spec)[0].steps == 2
    assert len(sys.modules["own_pde"].CALLS) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("reference_fails", r"its reference: RuntimeError: no luck \(own_pde.py:\d+\)"),
        ("reference_leaves", "its reference: SystemExit: 0"),
        ("reference_shape", r"its reference: .*values of shape \(11,\).* got \(7,\)"),
        ("reference_zero", "its reference: it is 0 everywhere"),
        ("reference_nan", "its reference: .*must be finite"),
        ("reference_axes", "its reference: expected 1 axes, one for each of x; got 2"),
        ("reference_kind", "its reference: expected a firstlight.physics.Solution, got ndarray"),
        ("residual_fails", r"its residual: RuntimeError: no luck \(own_pde.py:\d+\)"),
        ("residual_shape", r"its residual: expected shape \(24, 1\).* got \(24, 24\)"),
        ("residual_list", r"its loss: expected 2 terms \(equation, boundary\), got 3"),
        ("coordinates", r"its geometry: coordinates name 2 \(x, y\), the geometry has 1"),
        ("geometry", "its geometry: expected one of DeepXDE's geometries"),
        ("conditions", "its conditions: .*must give a list of DeepXDE's conditions, got int"),
        ("condition_fails", r"its loss: RuntimeError: no luck \(own_pde.py:\d+\)"),
        ("features_fail", "its features: RuntimeError: no luck"),
        ("features_number", r"its features: inputs says 2: .* got \(24, 3\)"),
        ("inputs_alone", r"its features: inputs says 3: .* got \(24, 1\)"),
        ("transform_fails", "its transform: RuntimeError: no luck"),
        ("transform_shape", r"its transform: expected u of shape \(24, 1\).* got \(24,\)"),
    ],
)
def test_what_is_wrong_with_a_part_is_one_line_with_its_name(mine, name, line):
    with pytest.raises(OptionError, match=f"^problem own_pde:{name}, {line}") as caught:
        find_problem(f"own_pde:{name}")
    assert "\n" not in str(caught.value)


MODULE = """
{imports}
from firstlight.physics.problems.poisson import POISSON_1D
def make(): return POISSON_1D
"""


def printed(folder, monkeypatch, imports, helper, package=""):
    """The fingerprint in a process that has seen neither module before."""
    (folder / package).mkdir(parents=True, exist_ok=True)
    (folder / package / "helper_pde.py").write_text(helper)
    (folder / package / "using_pde.py").write_text(MODULE.format(imports=imports))
    name = ".".join(filter(None, [package, "using_pde"]))
    with monkeypatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setattr(sys, "dont_write_bytecode", True)
        try:
            find_problem(f"{name}:make")
            return fingerprint(f"{name}:make")
        finally:
            for each in [each for each in sys.modules if each.endswith("_pde") or each == package]:
                del sys.modules[each]


@pytest.mark.parametrize(
    ("imports", "package"),
    [
        ("import helper_pde", ""),
        ("from helper_pde import VISCOSITY", ""),
        ("from .helper_pde import VISCOSITY", "mine_of_pde"),
        ("from . import helper_pde", "mine_of_pde"),
    ],
)
def test_a_changed_helper_is_another_problem(tmp_path, monkeypatch, imports, package):
    texts = ("VISCOSITY = 1.0", "VISCOSITY = 1.0", "VISCOSITY = 2.05")
    one, same, other = (printed(tmp_path, monkeypatch, imports, each, package) for each in texts)
    assert len(one) == 20
    assert one == same != other


def test_files_that_are_not_used_and_shipped_problems_have_no_part_in_it(tmp_path, monkeypatch):
    one, other = (printed(tmp_path, monkeypatch, "import math", each) for each in ("A = 1", "A=2"))
    assert one == other
    assert {fingerprint(name) for name in PROBLEMS} == {""}
