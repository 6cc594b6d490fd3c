import pytest
import torch

from firstlight.comparison.data import Data, load
from firstlight.comparison.spec import RunResult, RunSpec

torch.set_num_threads(1)  # the networks here are too small to share


@pytest.fixture(scope="session")
def digits() -> Data:
    return load("digits")


@pytest.fixture(scope="session")
def spec():
    """Return a function that makes a small run; arguments override its parts."""

    def make(**changes) -> RunSpec:
        parts = {
            "model": "mlp",
            "data": "digits",
            "optimizer": "adamw",
            "scheme": "default",
            "seed": 0,
            "epochs": 1,
            "batch_size": 64,
            "learning_rate": 1e-3,
            "weight_decay": 1e-3,
            "train_size": 200,
        }
        return RunSpec(**parts | changes)

    return make


@pytest.fixture(scope="session")
def result(spec):
    """Return a function that makes a finished run with the given accuracies."""

    def make(accuracy=(0.5,), status="ok", reason="", **changes) -> RunResult:
        return RunResult(
            spec=spec(epochs=max(1, len(accuracy)), **changes),
            status=status,
            reason=reason,
            accuracy=tuple(accuracy),
            loss=tuple(1 - a for a in accuracy),
            train_loss=tuple(1 - a for a in accuracy),
            seconds=(1.0,) * len(accuracy),
        )

    return make


class Recorder:
    """Remembers what a comparison tells."""

    def __init__(self):
        self.begun, self.loaded, self.trained, self.finished, self.notes = [], [], [], [], []
        self.epochs = 0

    def begin(self, runs, epochs):
        self.begun.append((runs, epochs))

    def load(self, result):
        self.loaded.append(result.spec)

    def run(self, spec):
        self.trained.append(spec)

    def epoch(self):
        self.epochs += 1

    def finish(self, result):
        self.finished.append(result)

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def user_module(tmp_path, monkeypatch):
    """Return a function that makes a module of a user's own importable."""

    def make(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)

    return make
