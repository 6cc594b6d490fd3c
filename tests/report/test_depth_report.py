from dataclasses import replace

import pytest
from rich.console import Console

from firstlight.errors import OptionError
from firstlight.report.depth import depth_table, write_depth
from firstlight.report.depth.signals import relative
from firstlight.report.depth.sweeps import points, sweeps
from firstlight.studies import depth_study

SMALL = {"depths": [4], "widths": [6], "seeds": 2, "learning_rates": [1e-3, 1e-2], "steps": 4}


@pytest.fixture(scope="module")
def study():
    schemes = ["diagonal_plus_noise", "batch_norm"]
    return depth_study(**SMALL, schemes=schemes, noise_factors=[0.5, 1, 2])


def printed(study, width):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    with console.file:
        console.print(depth_table(study))
    return console.export_text().splitlines()


def test_the_table_has_the_numbers_of_the_study(study):
    lines = printed(study, 200)
    for row in study.rows:
        (line,) = [each for each in lines if each.startswith(f"{row.start.label}  ")]
        assert f"{100 * row.accuracy.mean:.1f}" in line
        assert f"{row.median('chi'):.3f}" in line
        assert f"{row.best_rate:g}" in line


def test_intervals_end_at_100_per_cent(study):
    row = study.rows[0]
    best = [
        replace(run, accuracy=(0.0, right))
        for run, right in zip(row.at(row.best_rate), (0.7, 0.99), strict=True)
    ]
    rows = (replace(row, found=replace(row.found, runs=tuple(best))),)
    (line,) = [
        each for each in printed(replace(study, rows=rows), 200) if each.startswith(row.start.label)
    ]
    assert "84.5 (0.0\N{EN DASH}100.0)" in line


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_a_narrow_terminal_keeps_the_start_and_the_accuracy(study, width):
    lines = printed(study, width)
    assert all(len(line) <= width for line in lines)
    assert any("accuracy" in line for line in lines)


def test_the_same_study_gives_the_same_figures(study, tmp_path):
    one, other = write_depth(study, tmp_path / "a"), write_depth(study, tmp_path / "b")
    names = ["signals.png", "training.png", "learning-rates.png", "sweeps.png"]
    assert [path.name for path in one] == names
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_a_sweep_has_its_points_in_order(study):
    (rows,) = study.groups()
    found = points(rows, lambda start: start.noise if "diagonal" in start.scheme else None)
    assert [x for x, _ in found] == [0.5, 1, 2]
    assert all(len(accuracies) == 2 for _, accuracies in found)


def test_without_sweeps_and_training_there_are_signals_alone(tmp_path):
    found = depth_study(**{**SMALL, "steps": 0}, schemes=["orthogonal"])
    assert [path.name for path in write_depth(found, tmp_path)] == ["signals.png"]
    assert sweeps(found) is None
    layers, values = relative(found.rows[0], "gradient", -1)
    assert (len(layers), values[-1]) == (4, 1)


def test_one_layer_has_nothing_to_draw_before_training(tmp_path):
    found = depth_study(**{**SMALL, "depths": [1], "steps": 0}, schemes=["orthogonal"])
    assert write_depth(found, tmp_path) == []


def test_a_file_is_no_folder(study, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OptionError, match="out must be a folder"):
        write_depth(study, tmp_path / "out")
