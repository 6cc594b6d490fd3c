"""Train one network under several initializations, side by side."""

from collections.abc import Sequence
from pathlib import Path

import torch

from firstlight.comparison.accelerator import accelerator
from firstlight.comparison.comparison import Comparison
from firstlight.comparison.progress import Progress, Silent
from firstlight.comparison.session import Session
from firstlight.comparison.sweep import plan
from firstlight.comparison.track import Track

#: What is compared when nothing is said.
SCHEMES = ("default", "he_normal", "orthogonal", "lsuv", "sinusoidal", "harmonic")
OPTIMIZERS = ("sgd", "adamw")
EPOCHS = 20

Several = str | Sequence[str]


def compare(
    model: Several = "mlp",
    data: Several = "digits",
    optimizers: Several = OPTIMIZERS,
    schemes: Several = SCHEMES,
    *,
    seeds: int | Sequence[int] = 3,
    epochs: int = EPOCHS,
    batch_size: int = 64,
    learning_rate: float | None = None,
    weight_decay: float | None = None,
    match_variance: bool = False,
    tune_lr: bool = False,
    train_size: int | None = None,
    precision: str = "no",
    out: str | Path | None = None,
    data_root: str | Path | None = None,
    track: Several = (),
    progress: Progress | None = None,
) -> Comparison:
    """Train ``model`` on ``data`` under every scheme, and tell the starts apart.

    Runs with one seed see the same images in the same order, so that only the weights differ. A
    network that reads texts learns to predict 15 % of their tokens, which are hidden as for BERT
    (arXiv 1810.04805): accuracy and loss are those of the hidden tokens, and what is said of images
    here is true of rows of tokens.
    Everything is checked before the first run is trained.

    Args:
        model: mlp, small_resnet, small_vit, torchvision:NAME, timm:NAME or module:factory; for
            texts bert_mini, hf:NAME or module:factory; one or several.
        data: digits, cifar10, cifar100, mnist, fashion_mnist, parquet:PATH or folder:PATH; texts:
            wikitext2 or text:PATH, as in "text:PATH:vocabulary=4096"; one or several.
        optimizers: sgd, adam, adamw, with options as in "sgd:momentum=0.9".
        schemes: names in ``firstlight.init.SCHEMES``, with options as in "harmonic:gain=relu",
            and "default", which keeps the framework's own weights.
        seeds: how many, or which.
        epochs: passes over the training images.
        batch_size: images of one step.
        learning_rate: 1e-3 unless given.
        weight_decay: 1e-3 unless given.
        match_variance: scale every weight matrix to mean square 2 / fan_in, and give "default"
            the usual biases and norms, so that starts differ in structure only.
        tune_lr: try 0.1, 0.3, 1, 3 and 10 times the rate for every scheme, on 90 % of the
            training images; the best on the rest of them is used.
        train_size: train on so many images only, a fixed choice with every class's share.
        precision: "no" (float32), "bf16" or "fp16".
        out: folder for finished runs; a second call there repeats none of them, but for those
            whose data or own network changed.
        data_root: folder for downloaded data.
        track: tensorboard, wandb, mlflow, trackio, or several: they follow the curves of runs that
            are trained, and write to ``out``/trackers.
        progress: told what happens.

    Returns:
        The results with their statistics.

    Raises:
        OptionError: a name or a value that is not accepted; nothing was trained or written.
        FirstlightError: data that cannot be read, or a scheme that cannot start the network.

    Example:
        >>> import firstlight
        >>> result = firstlight.compare(optimizers="adamw", schemes=["default", "harmonic"],
        ...                             seeds=2, epochs=1, train_size=200)
        >>> result.summary()["scheme"].tolist(), result.runs()["status"].tolist()
        (['default', 'harmonic'], ['ok', 'ok', 'ok', 'ok'])
    """
    sweep = plan(
        models=model,
        data=data,
        optimizers=optimizers,
        schemes=schemes,
        seeds=seeds,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        match_variance=match_variance,
        tune_lr=tune_lr,
        train_size=train_size,
        precision=precision,
    )
    accelerator(sweep.precision)  # a precision that the device lacks must not fail run by run
    session = Session(sweep, out, data_root, progress or Silent(), Track.of(track, out))
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        session.check()
        return session.run()
