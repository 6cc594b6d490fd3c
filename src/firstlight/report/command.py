"""The command line that asks for a comparison."""

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firstlight.comparison.sweep import Sweep


def command(sweep: "Sweep", out: str) -> str:
    r"""Write the ``firstlight compare`` call that asks for ``sweep``, every setting spelled out.

    Seeds other than 0, 1, 2, ... can only be asked for in Python: then it is a call in Python.
    Made in the same folder, it finds the finished runs in ``out`` and trains nothing.

    Example:
        >>> from firstlight.comparison.sweep import Sweep
        >>> sweep = Sweep(models=["mlp"], data=["digits"], optimizers=["sgd"],
        ...               schemes=["default", "harmonic"], seeds=[0, 1, 2], epochs=2,
        ...               batch_size=64, learning_rate=0.001, weight_decay=0.001)
        >>> print(command(sweep, "results"))
        firstlight compare --model mlp --data digits --optimizers sgd \
            --schemes default,harmonic \
            --seeds 3 --epochs 2 --batch-size 64 --learning-rate 0.001 --weight-decay 0.001 \
            --out results
    """
    if sweep.seeds != tuple(range(len(sweep.seeds))):
        return _call(sweep, out)
    settings = ["--seeds", str(len(sweep.seeds))]
    for name in ("epochs", "batch_size", "learning_rate", "weight_decay"):
        settings += [_option(name), str(getattr(sweep, name))]
    for name in ("match_variance", "tune_lr"):
        settings += [_option(name)] * getattr(sweep, name)
    if sweep.train_size is not None:
        settings += ["--train-size", str(sweep.train_size)]
    if sweep.precision != "no":
        settings += ["--precision", sweep.precision]
    subject = ["--model", ",".join(sweep.models), "--data", ",".join(sweep.data)]
    lines = [
        ["firstlight", "compare", *subject, "--optimizers", ",".join(sweep.optimizers)],
        ["--schemes", ",".join(sweep.schemes)],
        settings,
        ["--out", out],
    ]
    return " \\\n    ".join(shlex.join(line) for line in lines)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _call(sweep: "Sweep", out: str) -> str:
    options = sweep.model_dump()
    options = {"model": options.pop("models")} | options | {"out": out}
    arguments = ",\n    ".join(f"{name}={value!r}" for name, value in options.items())
    return f"firstlight.compare(\n    {arguments},\n)"
