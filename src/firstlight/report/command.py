"""The command line that asks for the runs of a comparison."""

import shlex
from collections.abc import Sequence

from firstlight.comparison.spec import RunSpec


def command(specs: Sequence[RunSpec]) -> str:
    r"""Write the ``firstlight compare`` call whose runs are ``specs``.

    Learning rates that differ come only from tuning, so they become ``--tune-lr``.

    Example:
        >>> spec = RunSpec(model="mlp", data="digits", optimizer="sgd", scheme="harmonic", seed=0,
        ...                epochs=2, batch_size=64, learning_rate=0.001, weight_decay=0.0)
        >>> print(command([spec]))
        firstlight compare --model mlp --data digits --optimizers sgd \
            --schemes harmonic \
            --seeds 1 --epochs 2 --batch-size 64 --learning-rate 0.001 --weight-decay 0.0
    """

    def values(field: str) -> list[str]:
        return list(dict.fromkeys(str(getattr(spec, field)) for spec in specs))

    def option(name: str, field: str) -> list[str]:
        return [f"--{name}", ",".join(values(field))]

    rates = option("learning-rate", "learning_rate")
    settings = ["--seeds", str(len(values("seed")))]
    settings += option("epochs", "epochs") + option("batch-size", "batch_size")
    settings += rates if len(values("learning_rate")) == 1 else ["--tune-lr"]
    settings += option("weight-decay", "weight_decay")
    if specs[0].match_variance:
        settings.append("--match-variance")
    if specs[0].train_size is not None:
        settings += option("train-size", "train_size")
    if specs[0].precision != "no":
        settings += option("precision", "precision")
    subject = option("model", "model") + option("data", "data")
    lines = [
        ["firstlight", "compare", *subject, *option("optimizers", "optimizer")],
        option("schemes", "scheme"),
        settings,
    ]
    return " \\\n    ".join(shlex.join(line) for line in lines)
