import dataclasses
import io
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from firstlight.auditing.measures import ActivationSketch, WeightSketch
from firstlight.report.audit import pictures
from firstlight.report.audit.gallery import LAYERS, PICTURES, gallery
from firstlight.report.audit.histogram import FLOOR, LEFT, RIGHT, TOP, count, place, stacked
from firstlight.report.audit.raster import heat, on_off
from firstlight.report.audit.row_sums import BINS, reach, row_sums
from firstlight.report.audit.subject import subject


def pixels(png):
    """Read a picture back, one colour for each number."""
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    squares = image[::4, ::4]
    assert (np.kron(squares, np.ones((4, 4, 1), dtype=np.uint8)) == image).all()
    return squares


def test_a_map_is_white_where_a_unit_is_on():
    found = pixels(on_off(["100", "011"]))
    assert (found == found[..., :1]).all()
    assert found[..., 0].tolist() == [[255, 0, 0], [0, 255, 255]]


def test_a_heat_map_is_purple_below_and_orange_above_zero_and_grey_without_a_number():
    low, middle, high, lost = pixels(heat([[-1.0, 0.0, 1.0, math.nan]], 1.0))[0].astype(int)
    assert low[2] > low[1]  # purple: more blue than green
    assert high[0] > high[2]  # orange: more red than blue
    assert middle.min() > 240
    assert lost.tolist() == [128, 128, 128]


def test_colours_are_as_far_from_white_on_both_sides():
    ramp = pixels(heat([np.linspace(-1, 1, 101).tolist()], 1.0))[0].astype(int).sum(axis=1)
    assert (np.diff(ramp[:48]) >= 0).all()
    assert (np.diff(ramp[54:]) <= 0).all()


def test_a_matrix_of_zeros_is_white_all_over():
    assert pixels(heat([[0.0, 0.0]], 0.0)).min() > 240


def bars(path):
    """Read a path back: left, bottom, width and height of each bar."""
    found = re.findall(r"M([\d.]+),([\d.]+)v-([\d.]+)h([\d.]+)v", path)
    return [tuple(map(float, bar)) for bar in found]


@given(
    st.lists(
        st.tuples(st.floats(-3, 3), st.floats(0, 1)),
        min_size=1,
        max_size=60,
    )
)
def test_bars_stack_to_the_number_of_units_in_each_bin(units):
    sums, shares = zip(*units, strict=True)
    drawn = row_sums(ActivationSketch((), sums, shares), 3.0)
    slow = [0] * BINS
    for s in sums:
        slow[min(int((s + 3.0) / 6.0 * BINS), BINS - 1)] += 1
    heights = [0.0] * BINS
    for _, path in drawn.bars:
        for left, _, height, _ in bars(path):
            heights[int((left - LEFT) / (RIGHT - LEFT) * BINS)] += height
    unit = (FLOOR - TOP) / max(slow)
    # a sum on the edge of two bins may be rounded into either
    edges = [abs((s + 3) / 6 * BINS - round((s + 3) / 6 * BINS)) < 1e-9 for s in sums]
    if not any(edges):
        assert heights == pytest.approx([unit * number for number in slow], abs=0.04)
        assert drawn.tallest == max(slow)


def test_parts_are_by_how_skewed_the_units_are():
    sketch = ActivationSketch((), (0.0,) * 4, (0.5, 0.61, 0.39, 0.95), 0.2, 0.7)
    drawn = row_sums(sketch, 1.0)
    parts = {style: bars(path) for style, path in drawn.bars}
    heights = {style: sum(height for *_, height, _ in found) for style, found in parts.items()}
    unit = (FLOOR - TOP) / 4
    assert heights == pytest.approx(
        {"skewed-30": unit, "skewed-10": 2 * unit, "balanced": unit}, abs=0.02
    )
    assert drawn.said.startswith("skewed 75 % (0.1), 25 % (0.3); λ(0.1)")
    assert [(label, x) for _, label, _, x in drawn.marks] == [
        ("", place(-0.2, 1.0)),
        ("λ(0.1)", place(0.2, 1.0)),
        ("", place(-0.7, 1.0)),
        ("λ(0.3)", place(0.7, 1.0)),
    ]


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        ((None, None), "no prediction here"),
        ((math.inf, math.inf), "no |S| is predicted to skew"),
        ((5.0, 16.0), "beyond this axis"),
        ((0.9, 16.0), "the second beyond this axis"),
    ],
)
def test_thresholds_that_cannot_be_drawn_are_said(thresholds, said):
    drawn = row_sums(ActivationSketch((), (0.5, -0.5), (0.7, 0.3), *thresholds), 1.0)
    assert drawn.said.endswith(said)
    assert len(drawn.marks) == (2 if thresholds[0] == 0.9 else 0)


def test_the_axis_holds_all_sums_and_near_thresholds():
    one = ActivationSketch((), (1.0, -2.0), (0.5, 0.5), 0.5, 1.66)
    assert reach([one], 0.0) == pytest.approx(2.12)
    assert reach([one], 3.0) == pytest.approx(3.18)
    assert reach([dataclasses.replace(one, threshold_30=4.9)], 0.0) == pytest.approx(1.06 * 4.9)
    far = dataclasses.replace(one, threshold_10=100.0, threshold_30=math.inf)
    assert reach([far], 0.0) == pytest.approx(2.12)
    assert reach([ActivationSketch((), (0.0,), (0.5,))], 0.0) == 1.0


def test_rounding_errors_of_sums_that_cancel_are_one_bar_in_the_middle(made):
    sketch = ActivationSketch((), (1e-15, -2e-15), (0.5, 0.5), 1e7, 4e7)
    acts = (made.activation("act", weight="a", sketch=sketch),)
    found = subject(made.audit(weights=(made.weight("a"),), activations=acts))
    (row,) = pictures.histograms(found).shown
    (drawn,) = row.cells.values()
    assert drawn.tallest == 2
    assert drawn.said.endswith("beyond this axis")


def test_values_beyond_the_axis_are_in_the_last_bins():
    assert count([-9.0, -1.0, 0.0, 1.0, 9.0], 1.0, 3).tolist() == [2, 1, 2]


def test_nothing_is_drawn_of_nothing():
    assert stacked([[0, 0, 0]]) == [""]


def test_few_layers_are_all_shown_many_are_chosen_evenly():
    for number, kept in ((0, 0), (1, 1), (2, 2), (3, 3), (24, 24), (500, LAYERS)):
        layers = [(str(index), {"a": index}) for index in range(number)]
        found = gallery(layers, dict)
        assert (found.kept, found.total) == (kept, number)
        assert len(found.shown) == min(3, number)
        if number > 1:
            assert [row.title for row in found.shown][:: len(found.shown) - 1] == [
                "0",
                str(number - 1),
            ]


def test_many_schemes_share_the_room():
    layers = [(str(index), dict.fromkeys("abcdefghijkl", index)) for index in range(50)]
    assert gallery(layers, dict).kept == PICTURES // 12


def test_layers_without_a_picture_are_left_out(made):
    bare = [made.weight("a", sketch=None), made.weight("b", sketch=WeightSketch((), (), 1.0))]
    acts = (made.activation("x", sketch=None), made.activation("y", sketch=ActivationSketch(())))
    found = subject(made.audit(weights=(*bare, made.weight("c")), activations=acts))
    assert [row.title for row in pictures.weights(found).shown] == ["c"]
    assert pictures.patterns(found).total == pictures.histograms(found).total == 0
