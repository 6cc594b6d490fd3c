import io
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from scipy import optimize

from firstlight.report.curves import curves, draw, spread
from firstlight.report.group import groups
from firstlight.report.panel import panels

positions = st.lists(st.floats(0, 1), min_size=1, max_size=8)


@given(positions, st.floats(0, 0.3))
def test_labels_keep_their_distance_their_order_and_the_frame(wanted, gap):
    placed = spread(wanted, gap, 0.0, 1.0)
    possible = min(gap, 1 / max(1, len(wanted) - 1))
    assert placed.min() >= -1e-9
    assert placed.max() <= 1 + 1e-9
    assert (np.diff(np.sort(placed)) >= possible - 1e-9).all()
    for (a, at_a), (b, at_b) in itertools.combinations(zip(wanted, placed, strict=True), 2):
        assert a == b or (a < b) == (at_a < at_b) or at_a == at_b


@pytest.mark.parametrize("seed", range(5))
def test_labels_move_as_little_as_possible(seed):
    wanted = np.sort(np.random.default_rng(seed).uniform(0, 1, 5) ** 2)
    placed = spread(wanted, 0.15, 0.0, 1.0)
    gaps = [
        {"type": "ineq", "fun": lambda y, i=i: y[i + 1] - y[i] - 0.15}
        for i in range(len(wanted) - 1)
    ]
    best = optimize.minimize(
        lambda y: ((y - wanted) ** 2).sum(),
        x0=np.linspace(0, 1, 5),
        bounds=[(0, 1)] * 5,
        constraints=gaps,
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    np.testing.assert_allclose(placed, best.x, atol=1e-5)


def labels(axes):
    return [text for text in axes.texts if text.get_text()]


@pytest.mark.parametrize("epochs", [1, 2, 12, 60])
def test_line_labels_do_not_overlap_and_stay_inside_the_picture(make, epochs):
    (group,) = groups(make.sweep(epochs=epochs))
    figure = draw(group)
    renderer = FigureCanvasAgg(figure).get_renderer()
    for axes in figure.axes:
        boxes = [text.get_window_extent(renderer) for text in labels(axes)]
        assert len(boxes) == 6
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
        assert all(box.x1 <= figure.bbox.width for box in boxes)
    left = [text.get_window_extent(renderer).x1 for text in labels(figure.axes[0])]
    assert max(left) < figure.axes[1].get_window_extent(renderer).x0


def test_the_picture_shows_the_means(make):
    comparison = make.sweep()
    (group,) = groups(comparison)
    accuracy, loss = draw(group).axes
    for axes, shown in zip((accuracy, loss), panels(group), strict=True):
        assert (axes.get_xlim(), axes.get_ylim()) == (shown.reach, shown.limits)
    for axes, measure, scale in ((accuracy, "accuracy", 100), (loss, "loss", 1)):
        for row in group.rows:
            expected = np.mean([getattr(run, measure) for run in row.runs], axis=0) * scale
            drawn = [
                line
                for line in axes.lines
                if line.get_color() == row.style.light and len(line.get_xdata()) == 12
            ]
            assert any(np.allclose(line.get_ydata(), expected) for line in drawn)
            assert len(drawn) == 4  # three runs and their mean


def test_every_finished_run_lies_within_the_limits(make):
    (group,) = groups(make.sweep(seeds=2))
    for shown in panels(group):
        values = [v for line in shown.lines for curve in line.finished for v in curve]
        assert shown.limits[0] < min(values) < max(values) < shown.limits[1]
        # The bands of two seeds are wide: they must not squeeze the runs.
        assert shown.limits[1] - shown.limits[0] < 2.3 * (max(values) - min(values))


@pytest.mark.parametrize(("epochs", "room"), [(1, 0.5), (2, 0.5), (3, 0.09), (100, 3.0)])
def test_markers_have_room_beside_the_first_and_last_epoch(make, epochs, room):
    (group,) = groups(make.sweep(("default",), seeds=1, epochs=epochs))
    assert panels(group)[0].reach == pytest.approx((1 - room, epochs + room))


def test_a_band_is_promised_only_where_there_is_one(make):
    def captions(runs):
        (group,) = groups(make.of(runs))
        return [text.get_text() for text in draw(group).texts]

    runs = make.sweep(("default",), seeds=2).results
    assert "mean and 95 % band over 2 seeds; thin lines: single runs" in captions(runs)
    failed = make.run("default", 1, accuracy=[], status="diverged", epochs=12)
    assert "single runs, no error band" in captions((runs[0], failed))


def test_a_failed_run_is_drawn_but_does_not_enter_the_mean(make):
    (group,) = groups(make.with_failures())
    row = next(row for row in group.rows if row.scheme == "sinusoidal")
    line = next(line for line in panels(group)[0].lines if line.row is row)
    assert line.failed == ((30.0,),)
    expected = 100 * np.mean([run.accuracy for run in row.runs if run.status == "ok"], axis=0)
    np.testing.assert_allclose(line.band.mean, expected)
    crosses = [mark for mark in draw(group).axes[0].lines if mark.get_marker() == "x"]
    assert [(mark.get_xdata()[0], mark.get_ydata()[0]) for mark in crosses] == [(1, 30.0)]


@pytest.mark.parametrize("epochs", [1, 12])
def test_is_a_png_of_a_size_for_print(make, epochs):
    (group,) = groups(make.sweep(epochs=epochs))
    picture = Image.open(io.BytesIO(curves(group)))
    assert picture.format == "PNG"
    assert 1500 < picture.width < 2600
    assert 500 < picture.height < 900
    assert curves(group) == curves(group)


def test_odd_names_and_empty_runs_are_drawn(make):
    odd = "$x_1^{2$ " + "very long name " * 6
    runs = [make.run(odd, seed, accuracy=[], status="crashed", model="$a$") for seed in range(2)]
    (group,) = groups(make.of(tuple(runs)))
    assert curves(group).startswith(b"\x89PNG")
    figure = draw(group)
    assert figure.axes[0].texts[0].get_text() == "no run finished"


def test_letters_that_the_font_lacks_are_no_warning(make, recwarn):
    runs = [make.run("默认", seed, accuracy=[0.5], model="网络") for seed in range(2)]
    (group,) = groups(make.of(runs))
    assert curves(group).startswith(b"\x89PNG")
    assert [str(warning.message) for warning in recwarn] == []


def test_drawing_leaves_the_users_own_matplotlib_alone(make):
    (group,) = groups(make.sweep(epochs=2))
    mine, settings = pyplot.figure(), dict(pyplot.rcParams)
    curves(group)
    assert pyplot.get_fignums() == [mine.number]
    assert dict(pyplot.rcParams) == settings
    pyplot.close(mine)
