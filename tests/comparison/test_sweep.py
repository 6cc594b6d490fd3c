import itertools

import pytest

from firstlight.comparison.sweep import TUNING_SEED, plan
from firstlight.errors import OptionError

GIVEN = {
    "models": ["mlp", "small_vit"],
    "data": "digits",
    "optimizers": ("sgd", "adam"),
    "schemes": ["default", "zero"],
    "seeds": [4, 7],
    "epochs": 3,
    "batch_size": 16,
}


def test_runs_are_the_product_seed_by_seed():
    sweep = plan(**GIVEN)
    runs = [
        run for group in sweep.groups() for run in sweep.runs(group, {"default": 0.1, "zero": 0.2})
    ]
    assert [(r.model, r.data, r.optimizer, r.seed, r.scheme) for r in runs] == list(
        itertools.product(
            ["mlp", "small_vit"], ["digits"], ["sgd", "adam"], [4, 7], ["default", "zero"]
        )
    )
    assert {(r.scheme, r.learning_rate) for r in runs} == {("default", 0.1), ("zero", 0.2)}
    assert {(r.epochs, r.batch_size, r.weight_decay, r.held_out) for r in runs} == {
        (3, 16, 1e-3, False)
    }
    assert len({r.key for r in runs}) == len(runs)


def test_every_shared_option_reaches_the_runs():
    options = {"match_variance": True, "train_size": 99, "precision": "bf16", "weight_decay": 0.5}
    sweep = plan(**GIVEN, **options)
    run = sweep.run(next(sweep.groups()), "zero", 1, 0.25, held_out=True)
    assert run.model_dump(include=set(options)) == options
    assert (run.learning_rate, run.held_out, run.seed) == (0.25, True, 1)


def test_a_name_counts_once_and_a_number_of_seeds_is_a_range():
    sweep = plan(**GIVEN | {"schemes": ["zero", "default", "zero"], "seeds": 3})
    assert sweep.schemes == ("zero", "default")
    assert sweep.seeds == (0, 1, 2)


def test_a_whole_number_is_a_rate_and_none_is_the_usual_one():
    sweep = plan(**GIVEN, learning_rate=1, weight_decay=None, train_size=None)
    assert (sweep.learning_rate, sweep.weight_decay, sweep.train_size) == (1.0, 1e-3, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": "foo"}, "model must be one of"),
        ({"data": ["digits", "foo"]}, "data must be one of"),
        ({"optimizers": "foo"}, "optimizer must be one of"),
        ({"optimizers": "sgd:lr=1"}, "option of optimizer 'sgd'"),
        ({"schemes": "foo"}, "scheme must be one of default, "),
        ({"schemes": "harmonic:foo=1"}, "does not use the option 'foo'"),
        ({"schemes": "default:gain=1"}, "scheme default takes no options, got 'default:gain=1'"),
        ({"schemes": []}, "schemes: .*at least 1 item"),
        ({"schemes": 5}, "schemes: .*got 5"),
        ({"seeds": 0}, "seeds must be a count of at least 1"),
        ({"seeds": True}, "seeds must be"),
        ({"seeds": [0, -1]}, "seeds must be"),
        ({"seeds": [TUNING_SEED]}, "seeds must be"),
        ({"seeds": "3"}, "seeds must be"),
        ({"seeds": []}, "seeds: .*at least 1 item"),
        ({"epochs": 0}, "epochs: .*greater than or equal to 1, got 0"),
        ({"batch_size": 0}, "batch_size: "),
        ({"learning_rate": 0.0}, "learning_rate: "),
        ({"learning_rate": float("nan")}, "learning_rate: "),
        ({"weight_decay": -1.0}, "weight_decay: "),
        ({"train_size": 0}, "train_size: "),
        ({"epochs": "3"}, "epochs: .*valid integer, got '3'"),
        ({"epochs": None}, "epochs: .*valid integer, got None"),
        ({"batch_size": True}, "batch_size: .*valid integer, got True"),
        ({"train_size": "50"}, "train_size: .*valid integer, got '50'"),
        ({"learning_rate": "0.1"}, "learning_rate: .*valid number, got '0.1'"),
        ({"match_variance": "yes"}, "match_variance: .*valid boolean, got 'yes'"),
        ({"tune_lr": 1}, "tune_lr: .*valid boolean, got 1"),
        ({"schemes": None}, "schemes: .*got None"),
        ({"schemes": [["zero"]]}, "schemes.0: .*valid string"),
        ({"schemes": [b"zero"]}, "schemes.0: .*valid string"),
        ({"models": None}, "models: .*got None"),
        ({"seeds": None}, "seeds must be .*got None"),
        ({"seeds": [[1]]}, "seeds must be"),
        ({"data": "parquet:x\udcff.parquet"}, r"must be in UTF-8, got 'parquet:x\\udcff.parquet'"),
        ({"precision": "fp8"}, "precision: .*'fp16'.*got 'fp8'"),
    ],
)
def test_what_is_wrong_is_one_clear_line(change, message):
    with pytest.raises(OptionError, match=message) as caught:
        plan(**GIVEN | change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("schemes", "baseline"), [(["zero", "default"], "default"), (["zero", "lsuv"], "zero")]
)
def test_the_baseline_is_default_or_the_first(schemes, baseline):
    assert plan(**GIVEN | {"schemes": schemes}).baseline == baseline
