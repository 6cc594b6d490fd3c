import json

import numpy as np
import plotly.graph_objects as go
import pytest

from firstlight.report.group import groups
from firstlight.report.interactive import figure
from firstlight.report.panel import panels


def figures(comparison):
    (group,) = groups(comparison)
    numbers = {row.scheme: number for number, row in enumerate(group.rows)}
    return [(shown, figure(shown, numbers)) for shown in panels(group)]


@pytest.mark.parametrize("name", ["sweep", "with_failures"])
def test_is_a_figure_that_plotly_accepts_and_json_can_hold(make, name):
    for _, built in figures(getattr(make, name)()):
        # The names of CSS variables become colours only in the page.
        text = json.dumps(built, allow_nan=False).replace('"--', '"#000", "_": "')
        colours = json.loads(
            text, object_pairs_hook=lambda pairs: {k: v for k, v in pairs if k != "_"}
        )
        assert len(go.Figure(colours).data) == len(built["data"])


def test_shows_the_same_means_and_limits_as_the_png(make):
    for shown, built in figures(make.sweep()):
        means = {trace["meta"]: trace for trace in built["data"] if "hovertemplate" in trace}
        assert len(means) == len(shown.lines)
        for line in shown.lines:
            np.testing.assert_allclose(means[line.row.scheme]["y"], line.band.mean, atol=1e-6)
        assert built["layout"]["yaxis"]["range"] == list(shown.limits)
        assert built["layout"]["xaxis"]["range"] == list(shown.reach)


def test_the_best_scheme_is_drawn_last_and_listed_first(make):
    for shown, built in figures(make.sweep()):
        assert built["data"][-1]["meta"] == shown.lines[0].row.scheme
        ranks = {trace["meta"]: trace["legendrank"] for trace in built["data"]}
        assert sorted(ranks, key=ranks.get) == [line.row.scheme for line in shown.lines]


def test_values_that_are_not_numbers_become_gaps(make):
    runs = [make.run("default", seed, accuracy=[0.5, 0.6]) for seed in range(2)]
    broken = make.run("default", 2, accuracy=[0.5], status="diverged")
    broken = broken.model_copy(update={"loss": (float("nan"),)})
    _, (_, built) = figures(make.of((*runs, broken)))
    assert json.dumps(built, allow_nan=False)
    assert [trace["y"] for trace in built["data"] if trace["mode"] == "markers"] == [[None]]
