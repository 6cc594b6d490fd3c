"""The bar must show the time left on every usual terminal."""

import io
import re

import pytest
from rich.console import Console

from firstlight.cli.progress import Bar
from firstlight.comparison import RunSpec

SPEC = RunSpec(
    model="torchvision:resnet18",
    data="cifar10",
    optimizer="sgd:momentum=0.9",
    scheme="harmonic",
    seed=1,
    epochs=100,
    batch_size=64,
    learning_rate=1e-3,
    weight_decay=0,
)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_count_and_the_times_are_whole(width):
    file = io.StringIO()
    with Bar(Console(file=file, force_terminal=True, width=width)) as bar:
        bar.begin(120, 12_000)
        bar.run(SPEC)
        for _ in range(2):
            bar.epoch()
    drawn = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", file.getvalue())
    lines = [line for line in re.split(r"[\r\n]+", drawn) if "run 1" in line]
    time = r"(\d+:\d\d:\d\d|-:--:--)"
    assert re.search(rf" 2/12000 epochs, {time} gone, {time} left run 1: *\S", lines[-1])
    assert max(map(len, lines)) <= width
