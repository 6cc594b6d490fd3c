import shlex

import pytest
from typer.testing import CliRunner

from firstlight import comparison
from firstlight.cli.app import app
from firstlight.comparison.sweep import Sweep, plan
from firstlight.report.command import command


class AskedForError(Exception):
    """Stands for the training that a test does not want."""


def asked(text, monkeypatch, tmp_path):
    """Return the sweep that the command line ``text`` asks for."""

    def stop(**options):
        options["models"] = options.pop("model")
        for name in ("out", "data_root", "progress", "track"):
            del options[name]
        raise AskedForError(plan(**options))

    monkeypatch.setattr(comparison, "compare", stop)
    words = shlex.split(text.replace("\\\n", ""))[1:]  # as a shell joins lines
    result = CliRunner().invoke(app, [*words, "--out", str(tmp_path)])
    assert isinstance(result.exception, AskedForError), result.output
    return result.exception.args[0]


PLAIN = {
    "models": ("mlp",),
    "data": ("digits",),
    "optimizers": ("sgd",),
    "schemes": ("default", "harmonic:gain=relu"),
    "seeds": (0, 1, 2),
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": 0.00123,
    "weight_decay": 0.0,
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"match_variance": True},
        {"tune_lr": True, "precision": "bf16"},
        {"train_size": 500, "models": ("mlp", "small_vit"), "optimizers": ("sgd:momentum=0.9",)},
    ],
)
def test_the_command_asks_for_the_same_sweep(more, monkeypatch, tmp_path):
    sweep = Sweep(**(PLAIN | more))
    assert asked(command(sweep, "results"), monkeypatch, tmp_path) == sweep


def test_other_seeds_are_asked_for_in_python(monkeypatch):
    sweep = Sweep(**(PLAIN | {"seeds": (3, 5)}))
    text = command(sweep, "results")
    assert text.startswith("firstlight.compare(")
    options = eval(text.replace("firstlight.compare", "dict"))
    assert options.pop("out") == "results"
    options["models"] = options.pop("model")
    assert plan(**options) == sweep


def test_the_command_finds_the_runs_that_it_names():
    words = shlex.split(command(Sweep(**PLAIN), "my results"))
    assert words[words.index("--out") + 1] == "my results"


def test_a_path_with_blanks_stays_one_word():
    sweep = Sweep(**(PLAIN | {"data": ("parquet:my data/*.parquet",)}))
    assert "parquet:my data/*.parquet" in shlex.split(command(sweep, "results"))
