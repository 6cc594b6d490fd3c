import math

import numpy as np
import pytest
import torch

from firstlight.errors import FirstlightError, OptionError
from firstlight.physics import PinnSpec, find_problem, step_zero, train
from firstlight.physics.checkpoint import load_network, save_network
from firstlight.physics.deepxde import arithmetic, deepxde
from firstlight.physics.median import median_of
from firstlight.physics.network import build_network
from firstlight.physics.training import solve

POISSON = find_problem("poisson_1d")
SMALL = {"depth": 2, "width": 8, "precision": "float64"}


def slow_loss(net, data):
    """Poisson's loss by autograd alone."""
    x = torch.as_tensor(data.train_x[2:]).requires_grad_()
    u = net(x)
    u_x = torch.autograd.grad(u.sum(), x, create_graph=True)[0]
    u_xx = torch.autograd.grad(u_x.sum(), x, create_graph=True)[0]
    inside = (-u_xx - math.pi**2 * torch.sin(math.pi * x)).square().mean()
    return inside, net(torch.as_tensor(data.train_x[:2])).square().mean()


def test_adam_is_torchs_and_the_looks_are_true():
    spec = PinnSpec(**SMALL, adam_steps=20, lbfgs_steps=0, every=5, learning_rate=3e-3, seed=4)
    run, _ = train(POISSON, spec)
    with arithmetic("float64"):
        data = POISSON.data(POISSON.small, 4)
        net = build_network(POISSON, spec, data.train_x)
        optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
        expected = []
        grid = POISSON.reference()
        for step in range(21):
            losses = slow_loss(net, data)
            if step % 5 == 0:
                with torch.no_grad():
                    u = net(torch.as_tensor(grid.points)).numpy()[:, 0]
                difference = np.linalg.norm(u - grid.values) / np.linalg.norm(grid.values)
                expected.append((step, *(each.item() for each in losses), difference))
            optimizer.zero_grad()
            sum(losses).backward()
            optimizer.step()
    found = [(look.step, *look.losses, look.error) for look in run.looks]
    assert np.allclose(found, expected, rtol=1e-9)
    assert run.stopped == "finished"


def test_lbfgs_gets_its_iterations_and_no_more():
    spec = PinnSpec(**SMALL, adam_steps=3, lbfgs_steps=25, every=10)
    run, weights = train(POISSON, spec)
    assert [look.step for look in run.looks] == [0, 3, 13, 23, 28]
    assert (run.steps, run.stopped) == (28, "finished")
    losses = [look.loss for look in run.looks]
    assert losses == sorted(losses, reverse=True)
    assert run.error == run.looks[-1].error
    values = solve(POISSON, spec, weights, POISSON.reference())
    assert POISSON.reference().error(values) == pytest.approx(run.error, rel=1e-12)


@pytest.mark.parametrize("last", [1, 2])
def test_a_last_iteration_by_itself_is_looked_at(last):
    run, _ = train(POISSON, PinnSpec(**SMALL, adam_steps=0, lbfgs_steps=10 + last, every=10))
    assert [look.step for look in run.looks] == [0, 10, 10 + last]
    assert run.stopped == "finished"


def test_options_of_deepxdes_lbfgs_are_left_alone():
    dde = deepxde()
    before = dict(dde.optimizers.LBFGS_options)
    train(POISSON, PinnSpec(**SMALL, adam_steps=0, lbfgs_steps=3))
    assert before == dde.optimizers.LBFGS_options


def test_training_is_repeatable_and_leaves_the_generators_alone():
    spec = PinnSpec(depth=2, width=8, adam_steps=5, lbfgs_steps=5, seed=2)
    torch.manual_seed(1)
    first = torch.rand(1)
    torch.manual_seed(1)
    one, other = (train(POISSON, spec)[0] for _ in range(2))
    assert torch.equal(torch.rand(1), first)
    assert [look.losses for look in one.looks] == [look.losses for look in other.looks]


def test_starts_of_one_seed_see_the_same_points():
    with arithmetic():
        problem = find_problem("burgers")
        a, b = (problem.data(problem.small, 5).train_x for _ in range(2))
    assert np.array_equal(a, b)


def test_a_loss_that_is_no_number_is_said_and_the_best_is_kept():
    spec = PinnSpec(depth=2, width=8, adam_steps=50, lbfgs_steps=5, every=1, learning_rate=1e30)
    run, weights = train(POISSON, spec)
    assert run.stopped == "collapsed"
    assert "not a number at step" in run.notes[0]
    assert math.isfinite(run.error)
    assert all(bool(each.isfinite().all()) for each in weights.values())


def test_seconds_end_a_run_and_so_does_ctrl_c():
    spec = PinnSpec(depth=2, width=8, adam_steps=1000, lbfgs_steps=1000, seconds=1e-6)
    run, _ = train(POISSON, spec)
    assert (run.stopped, run.steps) == ("seconds", 1)
    run, _ = train(POISSON, PinnSpec(depth=2, width=8), asked=lambda: True)
    assert run.stopped == "interrupted"


def test_step_zero_is_the_first_look():
    spec = PinnSpec(**SMALL, adam_steps=1, lbfgs_steps=0)
    found = step_zero(POISSON, spec, range(3))
    first = train(POISSON, spec)[0].looks[0]
    assert found.losses[0] == pytest.approx(first.loss, rel=1e-12)
    assert found.errors[0] == pytest.approx(first.error, rel=1e-12)
    assert len(set(found.losses)) == 3


@pytest.mark.parametrize(
    "scheme",
    ["Glorot normal", "edge_of_chaos", "lsuv", "auto", "diagonal_plus_noise:negative_rate=0.1"],
)
def test_every_kind_of_start_trains(scheme):
    spec = PinnSpec(scheme=scheme, depth=3, width=8, adam_steps=2, lbfgs_steps=2)
    assert train(find_problem("allen_cahn_hard"), spec)[0].steps == 4


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"depth": 0}, "depth must be a whole number from 1"),
        ({"width": 1.5}, "width must be a whole number"),
        ({"adam_steps": 0, "lbfgs_steps": 0}, "nothing to train"),
        ({"learning_rate": -1}, "learning_rate must be a number above 0"),
        ({"activation": "tan"}, "activation must be one of tanh"),
        ({"precision": "float16"}, "precision must be one of float32, float64"),
        ({"seconds": 0}, "seconds must be a number above 0"),
        ({"steps": 3}, "a training has no option 'steps'"),
    ],
)
def test_options_are_checked(options, line):
    with pytest.raises(OptionError, match=line):
        PinnSpec.of(options)


def test_a_start_that_cannot_be_is_one_line_with_its_name():
    with pytest.raises(FirstlightError, match=r"^diagonal_plus_noise: ") as caught:
        train(POISSON, PinnSpec(activation="relu", depth=3, width=8))
    assert "\n" not in str(caught.value)


def test_networks_go_to_disk_and_back(tmp_path):
    spec = PinnSpec(**SMALL, adam_steps=1, lbfgs_steps=0)
    weights = train(POISSON, spec)[1]
    save_network(tmp_path / "net.safetensors", weights, "poisson_1d", spec)
    name, again, found = load_network(tmp_path / "net.safetensors")
    assert (name, again) == ("poisson_1d", spec)
    assert all(torch.equal(weights[each], found[each]) for each in weights)
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    for path in ("bad.safetensors", "absent.safetensors"):
        with pytest.raises(FirstlightError, match="cannot read the network"):
            load_network(tmp_path / path)


def test_medians_have_the_coverage_they_say():
    assert median_of([5.0]) == (5.0, 5.0, 5.0, 0.0)
    assert median_of([1.0, 2.0, math.nan]) == (2.0, 1.0, math.inf, 0.75)
    draws = np.random.default_rng(0).exponential(size=(4000, 11))
    found = [median_of(row) for row in draws]
    held = np.mean([each.low <= math.log(2) <= each.high for each in found])
    assert found[0].coverage >= 0.95
    assert held == pytest.approx(found[0].coverage, abs=0.01)
