import numpy as np
import pytest

from firstlight.report.forest import forest
from firstlight.report.group import groups


def test_positions_are_one_straight_scale(make):
    (group,) = groups(make.sweep())
    plot = forest(group)
    assert [mark.row.scheme for mark in plot.marks] == [
        row.scheme for row in group.rows if not row.is_baseline
    ]
    values, places = [0.0], [plot.zero]
    for mark in plot.marks:
        difference = mark.row.difference
        values += [difference.low, difference.mean, difference.high]
        places += [mark.low, mark.middle, mark.high]
        assert not mark.cut_low
        assert not mark.cut_high
    for place, label in plot.ticks:
        values.append(float(label.replace("\N{MINUS SIGN}", "-")) / 100)
        places.append(place)
    slope, offset = np.polyfit(values, places, 1)
    np.testing.assert_allclose(places, slope * np.array(values) + offset, atol=0.01)
    assert min(places) >= 0
    assert max(places) <= 100


def test_one_wild_interval_is_cut_so_that_the_others_stay_readable(make):
    accuracies = {
        "default": (0.90, 0.91, 0.92),
        "a": (0.91, 0.925, 0.93),
        "b": (0.90, 0.915, 0.925),
        "c": (0.905, 0.913, 0.924),
        "broken": (0.10, 0.11, 0.10),
    }
    runs = [
        make.run(scheme, seed, accuracy=[value])
        for scheme, values in accuracies.items()
        for seed, value in enumerate(values)
    ]
    (group,) = groups(make.of(tuple(runs)))
    marks = {mark.row.scheme: mark for mark in forest(group).marks}
    assert marks["broken"].cut_low
    assert marks["broken"].middle is None
    assert marks["a"].high - marks["a"].low > 10
    assert not any(marks[name].cut_low or marks[name].cut_high for name in "abc")


@pytest.mark.parametrize("seeds", [1, 2])
def test_no_plot_of_intervals_without_intervals(make, seeds):
    (group,) = groups(make.sweep(seeds=seeds))
    assert (forest(group) is None) == (seeds == 1)
