import math
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from firstlight.errors import OptionError
from firstlight.physics.reference.solution import Solution
from firstlight.physics.result import Look, PinnRun, StepZero
from firstlight.physics.study_result import Maps, PinnRow, PinnStudy
from firstlight.report.physics import pinn_table, write_pinn
from firstlight.report.physics.curves import curves
from firstlight.report.physics.maps import maps
from firstlight.report.physics.step_zero import step_zero

OPTIONS = {
    "depth": 3,
    "width": 8,
    "activation": "tanh",
    "precision": "float32",
    "adam_steps": 2,
    "lbfgs_steps": 2,
    "training points": {"domain": 10, "boundary": 2, "initial": 0},
}


def run(scheme, seed, error, *, losses=((1.0, 0.5), (0.1, 0.2))):
    looks = tuple(
        Look(2 * step, 1.0 * step, pair, error * (2 - step)) for step, pair in enumerate(losses)
    )
    return PinnRun(scheme, seed, 1e-3, looks, error, 0.3, 2, 4, 1.0, "finished")


def study(*rows):
    return PinnStudy(
        "burgers", "u_t + u u_x = nu u_xx", "ours", ("equation", "boundary"), 105, OPTIONS,
        tuple(range(len(rows[0].runs))), (1e-3,), rows, {},
    )  # fmt: skip


def row(scheme, errors, zeros=(2.0, 3.0)):
    runs = tuple(run(scheme, seed, error) for seed, error in enumerate(errors))
    return PinnRow(scheme, 1e-3, runs, (), StepZero(scheme, zeros, zeros))


TWO = study(row("orthogonal", (0.1, 0.4, 0.2)), row("Glorot normal", (0.5, math.inf, 0.6)))


def found(study, dimensions):
    axes = tuple(np.linspace(0, 1, 5 + each) for each in range(dimensions))
    values = np.ones(tuple(map(len, axes)))
    names = ("x", "t", "z")[:dimensions]
    return Maps(names, Solution(axes, values), {row.scheme: 0.9 * values for row in study.rows})


def text(study, width=120):
    target = Console(file=StringIO(), width=width)
    target.print(pinn_table(study))
    return target.file.getvalue()


def test_the_table_has_every_seed_the_median_and_its_interval():
    lines = text(TWO).splitlines()
    (line,) = [line for line in lines if line.startswith("orthogonal")]
    assert line.split()[1:6] == ["0.001", "0.1", "0.4", "0.2", "0.2"]
    assert "0.1\N{EN DASH}0.4" in line
    (line,) = [line for line in lines if line.startswith("Glorot normal")]
    assert "∞" in line
    assert "a chance of 75 %" in " ".join(lines)


@pytest.mark.parametrize("width", [100, 80, 60, 40])
@pytest.mark.parametrize("name", ["diagonal_plus_noise", "diagonal_plus_noise:negative_rate=0.1"])
def test_no_number_is_broken_over_lines(width, name):
    small = row(name, (1.2345e-5, 0.00123, 0.2), (2.3e8, 1e9))
    whole = study(small, row("Glorot normal", (0.5, math.inf, 0.6)))
    lines = text(whole, width).splitlines()
    assert all(len(line) <= width for line in lines)
    below = next(place for place, line in enumerate(lines) if set(line.strip()) == {"─"})
    rows = [line.split() for line in lines[below + 1 : below + 4]]
    full = text(whole, 300).splitlines()
    numbers = {word for line in full for word in line.split()}
    assert numbers.issuperset(word for words in rows for word in words if word[0].isdigit())
    (line,) = [words for words in rows if words[:2] == ["Glorot", "normal"]]
    assert "0.6" in line
    assert any("0.0012" in words for words in rows)


def test_a_wide_terminal_has_every_column():
    heads = " ".join(text(TWO, 120).splitlines()[2:4])
    for name in ("rate", "seed 0", "seed 2", "interval", "loss", "steps", "step 0"):
        assert name in heads


def test_loss_is_never_drawn_without_error():
    figure = curves(TWO)
    loss, error = figure.axes
    assert (loss.get_title("left"), error.get_title("left")) == (
        "training loss",
        "relative L2 error",
    )
    thick = [line for line in loss.lines if line.get_linewidth() > 1]
    assert [list(line.get_ydata()) for line in thick] == [pytest.approx([1.5, 0.3])] * 2
    assert len(error.lines) == len(loss.lines)


@pytest.mark.parametrize(("dimensions", "axes"), [(1, 2), (2, 10)])
def test_maps_show_reference_solutions_and_errors(dimensions, axes):
    figure = maps(TWO, found(TWO, dimensions))
    assert len(figure.axes) == axes + (0 if dimensions == 1 else 1)


def test_what_has_three_coordinates_has_no_map():
    assert maps(TWO, found(TWO, 3)) is None


def test_every_seed_is_a_dot():
    loss = step_zero(TWO).axes[0]
    assert [len(each.get_offsets()) for each in loss.collections[::2]] == [2, 2]
    bare = study(*(replace(each, step_zero=None) for each in TWO.rows))
    assert step_zero(bare) is None


@pytest.mark.parametrize("zeros", [(2.0, 2.0, 2.0 + 1e-12), (math.nan, 1.0), (math.nan,), (0.0,)])
def test_values_all_alike_or_none_at_all_can_be_drawn(tmp_path, zeros):
    lone = row("auto", (math.inf,), zeros)
    nothing = run("auto", 0, math.nan, losses=((math.nan, 1.0),))
    for runs in ((nothing,), (run("auto", 0, 0.5, losses=((1.0, 1.0),)),)):
        alone = study(replace(lone, runs=runs))
        gone = found(alone, 2)
        gone.values["auto"][:] = np.nan
        assert len(write_pinn(alone, gone, tmp_path)) == 3
        assert "auto" in text(alone)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "here").write_text("")
    with pytest.raises(OptionError, match="out must be a folder"):
        write_pinn(TWO, found(TWO, 2), tmp_path / "here")
