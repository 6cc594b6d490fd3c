"""The command line that asks for a comparison."""

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firstlight.comparison.sweep import Sweep


def command(sweep: "Sweep") -> str:
    r"""Write the ``firstlight compare`` call that asks for ``sweep``, every setting spelled out.

    Example:
        >>> from firstlight.comparison.sweep import Sweep
        >>> sweep = Sweep(models=["mlp"], data=["digits"], optimizers=["sgd"],
        ...               schemes=["default", "harmonic"], seeds=[0, 1, 2], epochs=2,
        ...               batch_size=64, learning_rate=0.001, weight_decay=0.001)
        >>> print(command(sweep))
        firstlight compare --model mlp --data digits --optimizers sgd \
            --schemes default,harmonic \
            --seeds 3 --epochs 2 --batch-size 64 --learning-rate 0.001 --weight-decay 0.001
    """
    counted = sweep.seeds == tuple(range(len(sweep.seeds)))
    settings = {
        "--seeds": len(sweep.seeds) if counted else ",".join(map(str, sweep.seeds)),
        "--epochs": sweep.epochs,
        "--batch-size": sweep.batch_size,
        "--learning-rate": sweep.learning_rate,
        "--weight-decay": sweep.weight_decay,
    }
    if sweep.train_size is not None:
        settings["--train-size"] = sweep.train_size
    if sweep.precision != "no":
        settings["--precision"] = sweep.precision
    flags = {"--match-variance": sweep.match_variance, "--tune-lr": sweep.tune_lr}
    subject = ["--model", ",".join(sweep.models), "--data", ",".join(sweep.data)]
    lines = [
        ["firstlight", "compare", *subject, "--optimizers", ",".join(sweep.optimizers)],
        ["--schemes", ",".join(sweep.schemes)],
        [str(word) for setting in settings.items() for word in setting]
        + [flag for flag, given in flags.items() if given],
    ]
    return " \\\n    ".join(shlex.join(line) for line in lines)
