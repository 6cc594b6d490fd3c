import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from firstlight.report.audit.panel import panel, ticks
from firstlight.report.audit.picture import draw
from firstlight.report.audit.plots import plot
from firstlight.report.audit.profiles import PROFILES, profiles
from firstlight.report.audit.subject import subject
from firstlight.report.palette import styles

values = st.lists(
    st.none() | st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=12
)


@given(values, st.sampled_from(["linear", "log", "share", "unit"]))
def test_any_values_give_a_frame_around_all_that_is_drawn(found, scale):
    if scale in ("share", "unit"):
        found = [x if x is None or not math.isfinite(x) else x % 1 for x in found]
    found = [x if x is None or not abs(x) > 1e300 or math.isinf(x) else 0.0 for x in found]
    found = [abs(x) if x is not None and scale == "log" else x for x in found]
    made = panel("m", "M", {"a": found}, x="number", scale=scale)
    finite = [x for x in found if x is not None and math.isfinite(x)]
    if not finite:
        assert made is None
        return
    low, high = made.limits
    assert low < high
    assert math.isfinite(high - low)
    drawn = [made.drawn(value) for value in made.lines[0].values]
    assert [x is None for x in drawn] == [x is None or not math.isfinite(x) for x in found]
    assert all(low <= x <= high for x in drawn if x is not None)
    if scale == "log":
        assert low > 0
        assert all(x is None or x > 0 for x in drawn)
        assert ticks(*made.limits)
    lost = sum(x is not None and not math.isfinite(x) for x in found)
    assert (f"{lost} not finite" in made.note) == bool(lost)


@given(st.floats(1e-300, 1e300), st.floats(1.5, 1e9))
def test_ticks_are_few_round_numbers_inside(low, factor):
    high = min(low * factor, 1e305)
    found = ticks(low, high)
    assert len(found) <= 7
    assert all(low <= x <= high for x in found)
    assert found == sorted(found)
    heads = {f"{x:.0e}"[0] for x in found}
    assert heads <= {"1", "2", "5"}


def test_gaps_stay_gaps_and_predictions_are_hollow():
    made = panel(
        "m", "M", {"a": [1.0, None, 3.0]}, x="n", predicted={"a": [1.0, 2.0, None]}, reference=1.0
    )
    figure = plot(made, styles(["a"]), {"a": 0}, ["one", "two", "<three>"])
    measured, guess = figure["data"]
    assert measured["y"] == [1.0, None, 3.0]
    assert guess["marker"]["symbol"].endswith("-open")
    assert guess["line"]["dash"] == "dot"
    assert measured["meta"] == guess["meta"] == "a"
    assert figure["shared"]["customdata"][2] == "&lt;three&gt;"
    assert figure["layout"]["shapes"][0]["y0"] == 1.0


def test_a_prediction_alone_is_no_panel():
    assert panel("m", "M", {"a": [None]}, x="n", predicted={"a": [1.0]}) is None


def test_both_drawings_show_the_same_panels(made):
    found = subject(made.side_by_side())
    panels, missing = profiles(found)
    assert len(panels) + len(missing) == len(PROFILES)
    figure = draw("title", panels, found.looks)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [one.title for one in panels]
    for axes, one in zip(figure.axes, panels, strict=True):
        assert axes.get_ylim() == one.limits
        assert axes.get_xlim() == one.reach
        drawn = [line for line in axes.lines if len(line.get_xdata()) == one.count]
        assert len(drawn) - (one.reference is not None) == len(one.lines) or len(drawn) == len(
            one.lines
        )


@pytest.mark.parametrize("layers", [2, 3, 60, 201])
def test_nothing_in_the_picture_overlaps_or_leaves_it(made, layers):
    found = subject(made.side_by_side(layers=layers))
    panels, _ = profiles(found)
    figure = draw("A rather long title of a network under four schemes", panels, found.looks)
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [axes.get_tightbbox(renderer) for axes in figure.axes]
    boxes += [figure.legends[0].get_window_extent(renderer)]
    boxes += [text.get_window_extent(renderer) for text in figure.texts]
    for index, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.width
        assert box.y1 <= figure.bbox.height
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_many_schemes_with_long_names_have_room_in_the_key(made):
    schemes = tuple(f"scheme_{index}:with=some:options=1.{index}" for index in range(9))
    found = subject(made.side_by_side(schemes))
    panels, _ = profiles(found)
    figure = draw("title", panels, found.looks)
    renderer = FigureCanvasAgg(figure).get_renderer()
    key = figure.legends[0].get_window_extent(renderer)
    assert key.x1 <= figure.bbox.width
    assert not any(key.overlaps(axes.get_tightbbox(renderer)) for axes in figure.axes)


def test_no_panels_give_a_picture_that_says_so():
    figure = draw("title", [], {})
    assert [text.get_text() for text in figure.texts] == ["title", "no activation was measured"]
