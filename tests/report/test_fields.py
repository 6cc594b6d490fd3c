"""The table and figures of studies that are made by hand."""

import dataclasses
import io
import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console

from firstlight import fields
from firstlight.errors import OptionError
from firstlight.fields.analysis import InitialSpectrum, Kernel
from firstlight.fields.result import Point
from firstlight.fields.studying.result import (
    Snapshot,
    Start,
    Study,
    StudyChoice,
    StudyRow,
    StudyRun,
)
from firstlight.report.canvas import png
from firstlight.report.fields import study_table, write_study
from firstlight.report.fields.gradients import gradients
from firstlight.report.fields.kernels import kernels
from firstlight.report.fields.labels import Label, label_points
from firstlight.report.fields.look import panels
from firstlight.report.fields.psnr_curves import median_run, psnr_curves
from firstlight.report.fields.spectra import spectra
from firstlight.report.fields.trade_off import trade_off

DASH = "\N{EN DASH}"
FIGURES = (trade_off, psnr_curves, spectra, kernels, gradients)


def a_run(seed, alpha, *, length=None, steps=200, target=40.0, held_out=20.0, **changes):
    """A run that climbs faster with alpha; ``length`` is where it reaches the target."""
    length = length or max(3, round(steps / (1 + alpha)) + 3 * seed)
    count = min(length, steps)
    levels = target - (target - 10) * (1 - np.arange(count + 1) / length)
    levels = levels + 0.1 * seed * (levels < target)
    curve = tuple(Point(step, 0.01 * step, float(level)) for step, level in enumerate(levels))
    reached = length if length <= steps else None
    measured = {"psnr": curve[-1].psnr}
    if held_out is not None:
        measured["held_out_psnr"] = held_out - 2 * alpha - 0.3 * seed
    return dataclasses.replace(
        StudyRun(
            seed=seed,
            learning_rate=1e-4,
            psnr=curve[-1].psnr,
            measured=measured,
            steps=count,
            reached=reached,
            seconds=0.01 * count,
            seconds_reached=None if reached is None else 0.01 * reached,
            stopped="steps" if reached is None else "target",
            curve=curve,
            notes=(),
        ),
        **changes,
    )


def looked_at(run, alpha, *, closed=True, condition=100.0):
    """The same run with snapshots and a spectrum."""
    cycles = np.arange(257)
    power = tuple((np.exp(-cycles / (4 * alpha)) * (1 + 0.1 * np.sin(cycles))).tolist())
    predicted = tuple(np.exp(-cycles / (4 * alpha)).tolist()) if closed else None
    spectrum = [InitialSpectrum(axis, power, predicted, 16.0) for axis in (0, 1)]
    kernel = Kernel(tuple(np.geomspace(1, 1 / condition, 32).tolist()), condition)
    names = ["layers.0", "layers.1", "layers.2"] if closed else ["encoding", "stack.layers.0"]
    snapshots = []
    for place, step in enumerate((0, 1, 10)):
        shares = np.arange(1, len(names) + 1) ** (1.0 + place)
        shares = shares / shares.sum()
        snapshots.append(Snapshot(step, kernel, tuple(zip(names, shares.tolist(), strict=True))))
    start = Start(tuple(spectrum), kernel if closed else None)
    return dataclasses.replace(run, snapshots=tuple(snapshots), start=start)


def a_row(name, alpha, *, auto=False, seeds=3, label=None, sine=True, expected=None, **options):
    runs = [a_run(seed, alpha, **options) for seed in range(seeds)]
    runs[0] = looked_at(runs[0], alpha, closed=sine, condition=1000.0 / alpha**3)
    family = fields.Sine if sine else fields.Gauss
    return StudyRow(
        label=label or (f"alpha {'auto' if auto else format(alpha, 'g')}"),
        name=name,
        alpha=alpha,
        auto=auto,
        network=family(alpha=alpha),
        parameters=50_307,
        learning_rate=1e-4,
        expected=expected,
        runs=tuple(runs),
    )


def a_study(rows, *, choices=(), **changes):
    seeds = tuple(range(len(rows[0].runs))) if rows else (0,)
    return dataclasses.replace(
        Study(
            signal="folder/photo.png",
            samples=1024,
            held_out=3072,
            target_psnr=40.0,
            steps=200,
            seeds=seeds,
            learning_rates=(1e-4,),
            options={},
            rows=tuple(rows),
            choices=tuple(choices),
            versions={},
        ),
        **changes,
    )


def a_choice(name="sine", alpha=1.62, **changes):
    expected = tuple((1 + each / 8, 19.0 - (each - 3) ** 2 / 8) for each in range(9))
    probed = tuple((1.25 + each / 4, 18.0 - each**2 / 4) for each in range(4))
    choice = StudyChoice(name, alpha, 30.0, f"alpha {alpha}: the largest", expected, probed)
    return dataclasses.replace(choice, **changes)


@pytest.fixture
def swept():
    """One network over alpha, with the automatic one."""
    alphas = (1.0, 1.5, 2.0, 2.5)
    rows = [a_row("sine", alpha, expected=18.0) for alpha in alphas]
    return a_study([*rows, a_row("sine", 1.62, auto=True, expected=18.5)], choices=[a_choice()])


@pytest.fixture
def several():
    """Networks that differ in more than alpha, one of which never gets there."""
    return a_study(
        [
            a_row("sine", 1.5, label="sine"),
            a_row("gauss", 1.0, label="gauss", sine=False),
            a_row("slow", 1.0, label="slow", sine=False, length=900),
        ]
    )


@pytest.fixture
def crossed():
    """Two networks over alpha, and one alone."""
    sine = [a_row("sine", alpha, label=f"sine, alpha {alpha:g}") for alpha in (1.0, 2.0, 3.0)]
    gauss = [
        a_row("gauss", alpha, label=f"gauss, alpha {alpha:g}", sine=False, length=230 - 9 * each)
        for each, alpha in enumerate((1.0, 2.0, 3.0))
    ]
    return a_study([*sine, *gauss, a_row("wire", 1.0, label="wire", sine=False, length=800)])


def texts(figure):
    """Every piece of text that is drawn, with its box in pixels."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    found = []
    for axes in figure.axes:
        ticks = [axis.get_ticklabels() for axis in (axes.xaxis, axes.yaxis)]
        low, high = sorted(axes.get_xlim()), sorted(axes.get_ylim())
        for limits, labels, axis in ((low, ticks[0], 0), (high, ticks[1], 1)):
            for label in labels:
                if limits[0] <= label.get_position()[axis] <= limits[1]:
                    found.append(label)
        found += [axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title, *axes.texts]
    found += figure.texts
    return [(one, one.get_window_extent(renderer)) for one in found if one.get_text().strip()]


def overlaps(figure):
    """Pairs of texts that hide each other by more than a hair; slanted ones have no box."""
    upright = [(one, box) for one, box in texts(figure) if one.get_rotation() in (0, 90)]
    pairs = []
    for (one, a), (other, b) in itertools.combinations(upright, 2):
        width = min(a.x1, b.x1) - max(a.x0, b.x0)
        height = min(a.y1, b.y1) - max(a.y0, b.y0)
        if width > 2 and height > 2:
            pairs.append((one.get_text(), other.get_text()))
    return pairs


@pytest.mark.parametrize("draw", FIGURES)
@pytest.mark.parametrize("which", ["swept", "several", "crossed"])
def test_no_text_hides_another_or_leaves_the_picture(request, draw, which):
    figure = draw(request.getfixturevalue(which))
    assert overlaps(figure) == []
    for one, box in texts(figure):
        inside = box.x0 >= 0 and box.y0 >= 0
        inside &= box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height
        assert inside, one.get_text()


@pytest.mark.parametrize("draw", FIGURES)
def test_pictures_are_the_same_bytes_every_time(swept, draw):
    one = png(draw(swept))
    assert one == png(draw(swept))
    picture = Image.open(io.BytesIO(one))
    assert 600 < picture.width < 3000


@pytest.mark.parametrize("draw", FIGURES)
def test_drawing_leaves_the_users_own_matplotlib_alone(swept, draw):
    mine, settings = pyplot.figure(), dict(pyplot.rcParams)
    draw(swept)
    assert pyplot.get_fignums() == [mine.number]
    assert dict(pyplot.rcParams) == settings
    pyplot.close(mine)


def drawn(axes):
    """Lines by colour."""
    return [(line.get_color(), np.asarray(line.get_xydata())) for line in axes.lines]


def test_curves_are_those_of_the_runs(swept):
    (axes,) = psnr_curves(swept).axes
    (panel,) = panels(swept)
    for look in panel.looks:
        own = [data for colour, data in drawn(axes) if colour == look.colour and len(data) > 2]
        assert len(own) == 3
        for run, data in zip(look.row.runs, own, strict=True):
            expected = [(point.step, point.psnr) for point in run.curve if point.step]
            np.testing.assert_allclose(data, expected)
    names = [text.get_text() for text in axes.texts]
    middle = median_run(panel.looks[0])
    assert f"\N{GREEK SMALL LETTER ALPHA} 1: {middle.reached}" in names
    assert "target 40 dB" in names


def test_the_thick_curve_is_of_the_median_seed(several):
    looks = {look.row.label: look for panel in panels(several) for look in panel.looks}
    lengths = [run.reached for run in looks["sine"].row.runs]
    assert median_run(looks["sine"]).reached == sorted(lengths)[1]
    two = dataclasses.replace(looks["sine"].row, runs=looks["sine"].row.runs[:2])
    assert median_run(dataclasses.replace(looks["sine"], row=two)).reached == max(lengths[:2])


def test_trade_off_shows_medians_and_ranges(swept):
    figure = trade_off(swept)
    speed, expected = figure.axes
    (panel,) = panels(swept)
    for look in panel.looks:
        at, height = look.row.reached, look.row.held_out
        marks = [data for colour, data in drawn(speed) if colour == look.colour and len(data) == 1]
        assert (at.median, height.median) in [tuple(data[0]) for data in marks]
        bars = [
            tuple(map(tuple, segment))
            for bar in speed.collections
            for segment in bar.get_segments()
        ]
        assert ((at.low, height.median), (at.high, height.median)) in bars
        assert ((at.median, height.low), (at.median, height.high)) in bars
    dashed = [np.asarray(line.get_xydata()) for line in expected.lines if line.is_dashed()]
    np.testing.assert_allclose(dashed[0], swept.choices[0].expected)
    np.testing.assert_allclose(dashed[1], swept.choices[0].probed)
    assert {"kernel", "short fits", "measured"} <= {text.get_text() for text in expected.texts}
    assert "choose_alpha takes 1.62" in [text.get_text() for text in expected.texts]


def test_rows_that_never_get_there_are_hollow_and_at_the_end(several):
    figure = trade_off(several)
    (axes,) = figure.axes
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata()[0] for line in hollow] == [200]
    assert any("hollow: 40 dB not reached in 200 steps" in text.get_text() for text in figure.texts)


def test_without_a_target_equal_steps_are_compared(swept):
    axes = trade_off(dataclasses.replace(swept, target_psnr=None)).axes[0]
    assert axes.get_xlabel() == "PSNR of what is fitted after 200 steps, dB"


def test_steps_have_whole_ticks():
    rows = [a_row("sine", alpha, length=3 + round(alpha), steps=6) for alpha in (1.0, 2.0)]
    study = a_study(rows, steps=6)
    for axes in (trade_off(study).axes[0], psnr_curves(study).axes[0]):
        assert all(tick == round(tick) for tick in axes.get_xticks())
    axes = trade_off(dataclasses.replace(study, target_psnr=None)).axes[0]
    assert axes.get_xlabel().endswith("dB")


def test_another_first_frequency_is_said_and_its_rows_left_out(swept):
    other = dataclasses.replace(swept, choices=(a_choice(omega_0=960.0),))
    _, axes = trade_off(other).axes
    assert "choose_alpha takes 1.62 with omega_0 960" in [text.get_text() for text in axes.texts]
    assert not [data for _, data in drawn(axes) if len(data) == 1]


def test_an_automatic_alpha_that_is_one_of_the_grid(swept):
    rows = [a_row("sine", 1.0), a_row("sine", 1.0, auto=True)]
    assert len(trade_off(a_study(rows, choices=[a_choice(alpha=1.0)])).axes) == 2


def test_without_held_out_samples_there_is_no_trade_off(tmp_path):
    rows = [a_row("sine", alpha, held_out=None) for alpha in (1.0, 2.0)]
    study = a_study(rows, held_out=0)
    assert trade_off(study) is None
    names = {path.name for path in write_study(study, tmp_path)}
    assert names == {
        "psnr-curves.png",
        "spectra.png",
        "tangent-kernel.png",
        "gradient-shares.png",
    }


def test_spectra_are_shares_of_the_power(swept):
    axes = spectra(swept).axes[0]
    spectrum = swept.rows[0].runs[0].start.spectra[0]
    solid = [line for line in axes.lines if not line.is_dashed()]
    dashed = [line for line in axes.lines if line.is_dashed()]
    total = sum(spectrum.measured[2:])
    np.testing.assert_allclose(solid[0].get_ydata(), np.array(spectrum.measured[2:-1]) / total)
    np.testing.assert_allclose(dashed[0].get_ydata(), np.array(spectrum.predicted[2:-1]) / total)
    share = 100 * sum(spectrum.measured[17:]) / total
    assert f"above Nyquist {share:.2g} %" in axes.texts[0].get_text()


def test_gradient_shares_are_stacked_to_100(swept):
    axes = gradients(swept).axes[0]
    tops = {}
    for bar in axes.patches:
        place = round(bar.get_x() + bar.get_width() / 2, 6)
        tops[place] = tops.get(place, 0.0) + bar.get_height()
    assert tops == pytest.approx({0.0: 100, 1.0: 100, 2.0: 100})
    assert [text.get_text() for text in axes.texts] == ["layer 1", "layer 2", "layer 3"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "10"]


def test_kernels_are_drawn_with_their_closed_form(swept):
    start, along = kernels(swept).axes
    assert len([line for line in start.lines if line.is_dashed()]) == len(swept.rows)
    heights = [line.get_ydata()[0] for line in along.lines if line.get_marker() == "o"]
    expected = [row.runs[0].snapshots[0].kernel.condition for row in swept.rows]
    assert heights == pytest.approx(expected)


def test_infinite_condition_numbers_are_said(swept):
    endless = broken(swept.rows[0], kernel=Kernel((1.0, 0.0), math.inf))
    _, along = kernels(dataclasses.replace(swept, rows=(endless, *swept.rows[1:]))).axes
    said = [text.get_text() for text in along.texts]
    assert "infinite: \N{GREEK SMALL LETTER ALPHA} 1" in said
    low, high = np.log10(along.get_ylim())
    assert (low % 1, high % 1) == (0, 0)


def broken(row, **changes):
    """The row with these changes in the first run's snapshots."""
    first = row.runs[0]
    snapshots = tuple(dataclasses.replace(each, **changes) for each in first.snapshots)
    return dataclasses.replace(
        row, runs=(dataclasses.replace(first, snapshots=snapshots), *row.runs[1:])
    )


@pytest.mark.parametrize("draw", [kernels, gradients])
@pytest.mark.parametrize(
    "changes",
    [
        {"kernel": None},
        {"kernel": Kernel((1.0, 0.0), math.inf)},
        {"shares": (("layers.0", math.nan), ("layers.1", math.nan), ("layers.2", math.nan))},
        {"shares": (("layers.0", 0.0), ("layers.1", 0.0), ("layers.2", 0.0))},
    ],
)
def test_what_has_collapsed_is_drawn_without_a_word(swept, draw, changes):
    rows = [broken(row, **changes) for row in swept.rows]
    for study in (
        dataclasses.replace(swept, rows=(rows[0], *swept.rows[1:])),
        dataclasses.replace(swept, rows=tuple(rows)),
    ):
        figure = draw(study)
        assert figure is None or png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("draw", FIGURES)
def test_runs_that_collapsed_at_once_are_drawn_without_a_word(swept, draw):
    run = a_run(0, 1.0)
    nothing = dataclasses.replace(
        run,
        psnr=-math.inf,
        measured={"psnr": -math.inf, "held_out_psnr": -math.inf},
        reached=None,
        stopped="collapsed",
        curve=(Point(0, 0.0, -math.inf),),
    )
    row = dataclasses.replace(swept.rows[0], runs=(nothing,) * 3)
    for study in (
        dataclasses.replace(swept, rows=(row, *swept.rows[1:])),
        dataclasses.replace(swept, rows=(row,)),
        dataclasses.replace(swept, rows=(row, *swept.rows[1:]), target_psnr=None),
    ):
        figure = draw(study)
        assert figure is None or png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("draw", FIGURES)
def test_odd_names_and_one_seed_are_drawn(draw):
    odd = "$x_1^{2$ " + "very long name " * 6
    rows = [a_row(odd, 1.0, label=odd, seeds=1), a_row("默认", 1.0, label="默认", seeds=1)]
    assert png(draw(a_study(rows, signal=f"/tmp/{odd}.png"))).startswith(b"\x89PNG")


points = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6, unique=True)


@given(points)
def test_names_of_points_do_not_hide_each_other(places):
    figure = Figure(figsize=(6, 5))
    axes = figure.add_subplot()
    axes.set(xlim=(-0.5, 1.5), ylim=(-0.5, 1.5))
    label_points(axes, [Label("alpha 1.5", x, y, "#000000") for x, y in places])
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in axes.texts if text.get_text()]
    assert len(boxes) == len(places)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def printed(study, width=140, **options):
    console = Console(width=width, file=io.StringIO(), **options)
    console.print(study_table(study))
    return console.file.getvalue()


def test_the_table_has_a_line_for_each_row(swept):
    lines = printed(swept).splitlines()
    row = swept.rows[1]
    (line,) = (line for line in lines if line.startswith("alpha 1.5 "))
    at, height = row.reached, row.held_out
    assert f"{at.median} ({at.low}{DASH}{at.high})" in line
    assert f"{height.median:.2f} ({height.low:.2f}{DASH}{height.high:.2f})" in line
    assert "50,307" in line
    assert "18.00" in line
    assert " 296" in line  # 1000 / 1.5^3
    assert any(line.startswith("alpha auto (1.62)") for line in lines)
    assert "sine: alpha 1.62: the largest" in lines
    assert "1,024 samples fitted, 3,072 held out; 3 seeds, at most 200 steps" in lines


def test_rows_that_never_get_there_have_a_dash(several):
    (line,) = (line for line in printed(several).splitlines() if line.startswith("slow "))
    assert DASH in line
    partly = several.rows[2]
    runs = (dataclasses.replace(partly.runs[0], reached=150), *partly.runs[1:])
    study = dataclasses.replace(several, rows=(dataclasses.replace(partly, runs=runs),))
    assert f"{DASH} (150{DASH}∞)" in printed(study)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_the_table_fits_the_terminal(crossed, width):
    lines = printed(crossed, width).splitlines()
    assert max(map(len, lines)) <= width
    if width >= 60:
        assert sum(line.startswith(("sine, alpha", "gauss, alpha")) for line in lines) == 6


def test_the_table_is_ascii_where_it_must_be(several):
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(width=140, file=file, legacy_windows=False).print(study_table(several))
    file.seek(0)
    assert "slow" in file.read()


def test_collapsed_runs_and_tuning_are_said(swept):
    run = dataclasses.replace(swept.rows[0].runs[1], stopped="collapsed")
    row = dataclasses.replace(swept.rows[0], runs=(swept.rows[0].runs[0], run))
    text = printed(dataclasses.replace(swept, rows=(row,), learning_rates=(1e-4, 1e-3)))
    assert "alpha 1: the loss was not a number any more, seed 1" in text
    assert "Learning rates: the best of the same list for each row" in text


def test_every_figure_is_a_file(swept, tmp_path):
    written = write_study(swept, tmp_path / "new")
    assert [path.name for path in written] == [
        "trade-off.png",
        "psnr-curves.png",
        "spectra.png",
        "tangent-kernel.png",
        "gradient-shares.png",
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(
        path.name for path in written
    )


def test_nothing_to_draw_and_no_folder_are_refused(swept, tmp_path):
    with pytest.raises(OptionError, match="at least one row"):
        write_study(dataclasses.replace(swept, rows=()), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="out must be a folder"):
        write_study(swept, tmp_path / "file")


WITHOUT = """
import sys
for name in ("pandas", "pydantic", "plotly", "accelerate", "jinja2", "pyarrow"):
    sys.modules[name] = None
{statement}
print("done")
"""


@pytest.mark.parametrize(
    ("statement", "works"),
    [
        ("from firstlight.report.fields import study_table, write_study", True),
        ("from firstlight.report import write", False),
    ],
)
def test_figures_of_a_study_need_no_packages_of_comparisons(statement, works):
    command = [sys.executable, "-c", WITHOUT.format(statement=statement)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.stdout == "done\n") == works, found.stderr
