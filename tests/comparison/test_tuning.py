import pytest

from firstlight.comparison import tuning
from firstlight.comparison.sweep import TUNING_SEED, plan


@pytest.fixture
def sweep():
    return plan(
        models="mlp",
        data="digits",
        optimizers="sgd",
        schemes=["default", "zero"],
        seeds=2,
        epochs=1,
        batch_size=64,
        tune_lr=True,
    )


def test_every_scheme_gets_the_same_grid_on_held_out_data(sweep):
    specs = tuning.grid(sweep, next(sweep.groups()))
    assert all(spec.held_out and spec.seed == TUNING_SEED for spec in specs)
    for scheme in ("default", "zero"):
        tried = [spec.learning_rate for spec in specs if spec.scheme == scheme]
        assert tried == [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]


def test_final_accuracy_decides_then_loss_and_failures_do_not_count(sweep, result):
    def run(scheme, rate, accuracy, loss=0.5, status="ok"):
        made = result(accuracy=accuracy, status=status, scheme=scheme, learning_rate=rate)
        return made.model_copy(update={"loss": (loss,) * len(accuracy)})

    tried = [
        run("default", 1e-4, (0.9, 0.6)),  # best at its height, not at its end
        run("default", 1e-3, (0.1, 0.7)),
        run("default", 1e-2, (0.1, 0.9), status="diverged"),
        run("zero", 1e-4, (0.5, 0.5), loss=0.3),
        run("zero", 1e-3, (0.4, 0.5), loss=0.2),
        run("zero", 1e-2, (0.4, 0.5), loss=0.4),
    ]
    assert tuning.choose(sweep, tried) == {"default": 1e-3, "zero": 1e-3}


def test_a_scheme_that_always_fails_keeps_the_base_rate(sweep, result):
    tried = [result(status="diverged", scheme="zero", learning_rate=1e-2)]
    assert tuning.choose(sweep, tried) == {"default": 1e-3, "zero": 1e-3}
