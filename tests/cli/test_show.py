"""What an audit looks like: it fits every terminal, and says what it leaves out."""

import io
import math

import pytest
import torch
from rich.console import Console
from torch import nn

import firstlight
from firstlight.cli.show import SideBySide, Single
from firstlight.cli.show.layers import Layers, rows
from firstlight.cli.show.side_by_side import _fitting, _rows
from firstlight.model.named import build


def drawn(part, width, encoding="utf-8"):
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    Console(file=file, width=width, force_terminal=True, color_system=None).print(part)
    file.flush()
    return file.buffer.getvalue().decode(encoding).splitlines()


def words(part):
    return " ".join(" ".join(drawn(part, 100)).split())


def audited(model, shape, classes, **options):
    torch.manual_seed(0)
    batch = torch.randn(16, *shape), torch.randint(classes, (16,))
    return firstlight.audit(model, batch, **options)


@pytest.fixture(scope="module")
def residual():
    torch.manual_seed(0)
    return audited(build("small_resnet"), (3, 32, 32), 10)


@pytest.fixture(scope="module")
def starts():
    torch.manual_seed(0)
    model = build("mlp:width=32")
    batch = torch.randn(16, 3, 32, 32), torch.randint(10, (16,))
    schemes = ["default", "sinusoidal", "orthogonal", "harmonic:gain=tanh:mode=fan_avg"]
    return firstlight.audit_starts(model, batch, schemes, ntk=True, jacobian=True)


def test_an_activation_stands_beside_its_weight_or_behind_the_last_one_before_it(residual):
    found = [(row.name, row.after.activation if row.after else "") for row in rows(residual)]
    assert found[:6] == [
        ("stem.0", "relu"),
        ("stages.0.conv1", "relu"),
        ("stages.0.conv2", ""),
        ("stages.0.relu", "relu"),
        ("stages.1.conv1", "relu"),
        ("stages.1.conv2", ""),
    ]
    assert sum(row.weight is not None for row in rows(residual)) == len(residual.weights)
    assert sum(row.after is not None for row in rows(residual)) == len(residual.activations)


def test_a_layer_with_a_fault_has_its_mark(starts):
    found = starts["sinusoidal"]
    marks = {row.weight.name: row.level for row in rows(found)}
    named = {name for verdict in found.failures for name in verdict.where}
    assert named & set(marks)
    for name in named & set(marks):
        assert marks[name] == "failure"
        begins = f"✗ {name.removesuffix('.weight')} "
        assert any(line.startswith(begins) for line in drawn(Layers(found), 100))


@pytest.mark.parametrize("width", [*range(36, 72, 5), 79, 80, 81, 100, 130, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_every_line_fits(residual, starts, width, encoding):
    for part in (
        Single("small_resnet, default start", "noise", residual),
        Single("mlp", "noise", starts["sinusoidal"]),
        SideBySide("mlp", "noise", starts),
    ):
        assert max(map(len, drawn(part, width, encoding))) <= width


def test_eighty_columns_leave_out_the_shape_and_say_so(residual):
    lines = drawn(Layers(residual), 80)
    heads = lines[1].split() + lines[0].split()
    assert {"rms", "rank", "ratio", "OUI", "dead", "skew"} <= set(heads)
    assert "Left out for want of room: shape." in lines
    assert not any("…" in line for line in lines)
    wide = drawn(Layers(residual), 130)
    assert "shape" in wide[1].split()
    assert not any(line.startswith("Left out") for line in wide)


def test_a_narrow_table_keeps_the_number_of_a_block():
    torch.manual_seed(0)
    found = audited(build("small_vit"), (3, 32, 32), 10)
    names = [line.split()[0] for line in drawn(Layers(found), 80)[3:-3]]
    assert "b.0.a.in_proj[q]" in names
    assert len(set(names)) == len(names)


def test_the_prediction_is_explained_only_where_it_is_shown(residual, starts):
    assert "In brackets: as theory" not in words(Layers(residual))
    assert "In brackets: as theory" in words(Layers(starts["default"]))


def test_what_was_not_measured_has_no_column():
    found = audited(nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), (3, 4), 3)
    heads = drawn(Layers(found), 100)[1].split()
    assert heads == ["layer", "shape", "rms", "rank", "ratio", "norm"]


def test_a_network_without_weights_has_no_table():
    found = audited(nn.Flatten(), (3, 4), 3)
    assert drawn(Layers(found), 100) == []
    assert drawn(Single("nothing", "noise", found), 80)[0].startswith("nothing: ")


def test_numbers_that_are_none_are_shown_as_such():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    model[0].weight.data[0, 0] = math.nan
    found = audited(model, (4,), 3)
    lines = drawn(Single("broken", "noise", found), 80)
    assert lines[0].startswith("broken: ✗ ")
    assert any(line.startswith("✗ 0 ") for line in lines)


def test_schemes_that_do_not_fit_beside_each_other_stand_below(starts):
    table = _rows(starts)
    assert _fitting(table, tuple(starts), 200) == (2, [tuple(starts)])
    _, blocks = _fitting(table, tuple(starts), 60)
    assert [scheme for block in blocks for scheme in block] == list(starts)
    assert len(blocks) > 1
    assert [len(block) for block in _fitting(table, tuple(starts), 1)[1]] == [1] * len(starts)


def test_checks_with_faults_stand_first_and_every_check_is_there(starts):
    names = [row.name for row in _rows(starts)]
    checks = {verdict.check for audit in starts.values() for verdict in audit.verdicts}
    assert checks <= set(names)
    marks = ["✗" in "".join(row.cells.values()) for row in _rows(starts)]
    first = marks.index(True)
    assert all(marks[first : first + sum(marks)])
    assert names[0] == "loss at step 0"
    assert {"NTK, condition", "Jacobian, mean square"} <= set(names)
