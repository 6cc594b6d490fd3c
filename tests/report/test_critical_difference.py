import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from firstlight.comparison.ranks import rank
from firstlight.errors import OptionError
from firstlight.report.canvas import png
from firstlight.report.critical_difference import draw_critical_difference
from firstlight.report.palette import styles

NAMES = (
    "harmonic",
    "sinusoidal",
    "orthogonal",
    "lsuv",
    "he_normal",
    "default",
    "siren",
    "he_uniform:mode=fan_out:gain=relu",
    "xavier_uniform",
    "zero",
    "fixup$_1",
    "delta_orthogonal",
)


def ranked(schemes, settings=20, gap=0.4):
    """Each scheme ``gap`` worse than the one before, and a noise of size 1."""
    generator = np.random.default_rng(schemes)
    rows = [
        (at, scheme, generator.normal() - gap * place)
        for at in range(settings)
        for place, scheme in enumerate(NAMES[:schemes])
    ]
    return rank(pd.DataFrame(rows, columns=["setting", "scheme", "value"]))


def boxes(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    (axes,) = figure.axes
    texts = [*axes.texts, *axes.get_xticklabels(), *figure.texts]
    return [text.get_window_extent(renderer) for text in texts if text.get_text()]


@pytest.mark.parametrize("by", ["wilcoxon", "nemenyi"])
@pytest.mark.parametrize("schemes", [2, 4, 5, 8, 12])
@pytest.mark.parametrize("gap", [0.0, 0.4, 9.0])
def test_no_text_overlaps_or_leaves_the_picture(schemes, by, gap):
    figure = draw_critical_difference(ranked(schemes, gap=gap), by=by, title="Every setting")
    found = boxes(figure)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(found, 2))
    width, height = figure.canvas.get_width_height()
    for box in found:
        assert 0 <= box.x0 <= box.x1 <= width
        assert 0 <= box.y0 <= box.y1 <= height


def dots(figure):
    """The (rank, colour) of the members of each bar, from the upper bar down."""
    bars = {}
    for line in figure.axes[0].lines:
        if line.get_marker() == "o" and line.get_markeredgecolor() != line.get_markerfacecolor():
            (place,), (height,) = line.get_xdata(), line.get_ydata()
            bars.setdefault(height, set()).add((place, to_hex(line.get_markerfacecolor())))
    return [bars[height] for height in sorted(bars, reverse=True)]


@pytest.mark.parametrize("by", ["wilcoxon", "nemenyi"])
def test_each_bar_has_a_dot_for_each_scheme_of_its_set(by):
    # none of these five is drawn in ink, which every dot's edge is
    ranks = ranked(5)
    looks = styles(ranks.mean)
    alike = ranks.alike_by_wilcoxon() if by == "wilcoxon" else ranks.alike_by_nemenyi()
    assert len(alike) > 1
    expected = [{(ranks.mean[one], looks[one].light.lower()) for one in bar} for bar in alike]
    assert dots(draw_critical_difference(ranks, by=by)) == expected


def test_the_best_half_is_on_the_left_from_the_top_down():
    ranks = ranked(5)
    texts = draw_critical_difference(ranks).axes[0].texts
    best = list(ranks.mean)
    written = [f"{name}  {ranks.mean[name]:.2f}" for name in best[:3]]
    written += [f"{ranks.mean[name]:.2f}  {name}" for name in best[:2:-1]]
    assert [text.get_text() for text in texts] == written
    heights = [text.get_position()[1] for text in texts]
    assert heights[:3] == sorted(heights[:3], reverse=True)
    assert heights[3:] == sorted(heights[3:], reverse=True)


def test_the_ruler_is_as_long_as_the_critical_difference():
    ranks = ranked(6)
    figure = draw_critical_difference(ranks, by="nemenyi")
    (ruler,) = [line for line in figure.axes[0].lines if line.get_marker() == "|"]
    assert list(ruler.get_xdata()) == pytest.approx([1, 1 + ranks.critical_difference])
    few = draw_critical_difference(ranked(3, settings=1), by="nemenyi")
    assert "longer than the axis" in few.axes[0].texts[0].get_text()


def test_the_caption_says_how_many_settings_and_which_test():
    rows = [(at, name, place) for at in range(9) for place, name in enumerate(NAMES[:3])]
    frame = pd.DataFrame(rows[:-1], columns=["setting", "scheme", "value"])
    said = " ".join(text.get_text() for text in draw_critical_difference(rank(frame)).texts)
    assert "over 8 settings (1 left out)" in said
    assert "Friedman's test: p <0.001" in said
    assert "Wilcoxon" in said


def test_the_same_ranks_give_the_same_picture_without_global_state():
    assert png(draw_critical_difference(ranked(4))) == png(draw_critical_difference(ranked(4)))
    assert pyplot.get_fignums() == []


def test_another_test_is_refused():
    with pytest.raises(OptionError, match="by must be one of wilcoxon, nemenyi; got 'tukey'"):
        draw_critical_difference(ranked(3), by="tukey")
