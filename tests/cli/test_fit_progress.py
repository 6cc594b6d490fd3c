"""The bar of a fit shows the numbers on every usual terminal; a log has a line now and then."""

import io
import re

import pytest
from rich.console import Console

from firstlight.cli.fit_progress import FitProgress
from firstlight.fields.training import Moment


def drawn(file):
    return re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", file.getvalue())


@pytest.mark.parametrize("width", [70, 80, 100])
def test_the_numbers_are_whole(width):
    file = io.StringIO()
    with FitProgress(Console(file=file, force_terminal=True, width=width), "[a]photo.png") as bar:
        bar.note("alpha 1.5: [a]")
        bar.show(Moment(1200, 31.2, 31.25, 4000.0, 500.0))
    lines = re.split(r"[\r\n]+", drawn(file))
    assert any("reading [a]photo.png" in line for line in lines)
    assert "alpha 1.5: [a]" in [line.strip() for line in lines]
    told = "step 1200, 31.20 dB, best 31.25 dB, 1:06:40 gone, 8:20 left"
    assert any(told in line and "━" in line for line in lines)
    assert max(map(len, lines)) <= width


def test_a_log_has_a_line_every_ten_seconds_and_every_note_at_once():
    file = io.StringIO()
    with FitProgress(Console(file=file, width=40), "photo.png") as bar:
        bar.begin("getting ready")
        for second in range(25):
            bar.show(Moment(second, 20.0, 20.0, float(second), None))
        bar.note("a line that is longer than the forty columns of the log has them all")
    assert file.getvalue().splitlines() == [
        "step 0, 20.00 dB, best 20.00 dB, 0:00 gone",
        "step 10, 20.00 dB, best 20.00 dB, 0:10 gone",
        "step 20, 20.00 dB, best 20.00 dB, 0:20 gone",
        "a line that is longer than the forty columns of the log has them all",
    ]
    assert bar.moment.step == 24
