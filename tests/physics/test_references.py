from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.io import loadmat

from firstlight.errors import OptionError
from firstlight.physics.problems import PROBLEMS
from firstlight.physics.reference.cole_hopf import cole_hopf
from firstlight.physics.reference.etdrk4 import etdrk4
from firstlight.physics.reference.solution import Solution

DATA = Path(__file__).parents[3] / "shared" / "data" / "pde"
NU = 0.01 / np.pi
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"no reference files in {DATA}")


def relative(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def allen_cahn(count, step, times):
    x = -1 + 2 * np.arange(count) / count
    u = etdrk4(
        x**2 * np.cos(np.pi * x), 2, lambda k: 5 - 1e-4 * k**2, lambda u, _: -5 * u**3, times, step
    )
    return x, u


def kdv(count, step, times):
    x = -1 + 2 * np.arange(count) / count
    u = etdrk4(
        np.cos(np.pi * x), 2, lambda k: 0.0025j * k**3, lambda u, d: -d(u * u / 2), times, step
    )
    return x, u


@needs_data
def test_burgers_is_the_published_file():
    file = loadmat(DATA / "burgers_shock.mat")
    axes = [file["x"][:, 0], file["t"][:, 0]]
    assert Solution.of(lambda p: cole_hopf(p, NU), axes).error(file["usol"]) < 1e-11


@needs_data
@pytest.mark.parametrize(("name", "most"), [("allen_cahn", 1e-6), ("kdv", 1e-5)])
def test_the_spectral_solutions_are_the_published_files(name, most):
    file = loadmat(DATA / {"allen_cahn": "AC.mat", "kdv": "KdV.mat"}[name])
    found = PROBLEMS[name].reference()
    x, t = (np.rint(each).astype(int) for each in ((found.axes[0] + 1) * 256, found.axes[1] * 200))
    assert relative(found.values, file["uu"][np.ix_(x, t)]) < most


def test_burgers_by_fewer_nodes_is_the_same():
    points = np.stack(np.meshgrid(np.linspace(-1, 1, 41), [0.0, 0.3, 1.0]), -1).reshape(-1, 2)
    assert np.abs(cole_hopf(points, NU) - cole_hopf(points, NU, nodes=120)).max() < 1e-13


def test_burgers_fulfils_its_equation():
    h = 1e-3
    x, t = np.meshgrid(np.linspace(-0.9, 0.9, 7), np.linspace(0.1, 0.3, 4))
    nu = 0.1

    def u(dx=0.0, dt=0.0):
        return cole_hopf(np.stack([x.ravel() + dx, t.ravel() + dt], 1), nu)

    u_t = (u(dt=h) - u(dt=-h)) / (2 * h)
    u_x = (u(dx=h) - u(dx=-h)) / (2 * h)
    u_xx = (u(dx=h) - 2 * u() + u(dx=-h)) / h**2
    assert np.abs(u_t + u() * u_x - nu * u_xx).max() < 1e-4


@pytest.mark.parametrize(("solve", "step"), [(allen_cahn, 0.05), (kdv, 0.004)])
def test_etdrk4_is_of_fourth_order(solve, step):
    times = np.array([0.0, 0.1 if solve is kdv else 0.4])
    best = solve(64, step / 16, times)[1][:, -1]
    errors = [relative(solve(64, step / n, times)[1][:, -1], best) for n in (1, 2)]
    assert 11 < errors[0] / errors[1] < 21


def test_etdrk4_refines_in_space():
    times = np.array([0.0, 0.5])
    fine = kdv(256, 1e-3, times)[1][::4, -1]
    assert relative(kdv(64, 1e-3, times)[1][:, -1], fine) < 2e-3
    assert relative(kdv(128, 1e-3, times)[1][::2, -1], fine) < 1e-7


def test_etdrk4_against_a_slow_and_obvious_solver():
    x = -1 + 2 * np.arange(64) / 64
    start = 0.3 * np.sin(np.pi * x) + 0.2 * np.cos(2 * np.pi * x)
    times = np.array([0.0, 0.2])
    u = etdrk4(start, 2, lambda k: 5 - 1e-2 * k**2, lambda u, _: -5 * u**3, times, 0.01)
    k = np.pi * np.fft.fftfreq(64, 1 / 64)

    def right(_, v):
        return 1e-2 * np.fft.ifft(-(k**2) * np.fft.fft(v)).real + 5 * v - 5 * v**3

    slow = solve_ivp(right, (0, 0.2), start, "DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
    assert relative(u[:, -1], slow) < 1e-6


@pytest.mark.parametrize("name", PROBLEMS)
def test_references_are_double_and_finite(name):
    found = PROBLEMS[name].reference()
    assert found.values.dtype == np.float64
    assert found.values.shape == tuple(map(len, found.axes))
    assert found.error(found.values) == 0
    assert found.error(0 * found.values) == 1


def test_a_grid_that_does_not_fit_is_refused():
    with pytest.raises(OptionError, match=r"values of shape \(2,\)"):
        Solution((np.arange(2.0),), np.zeros(3))
    with pytest.raises(OptionError, match="finite"):
        Solution((np.arange(2.0),), np.array([0.0, np.nan]))
