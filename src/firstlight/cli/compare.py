"""The command ``firstlight compare``: a comparison, its table, its report."""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from firstlight.cli.arguments import find_own_code, folder, real, several, whole
from firstlight.cli.extras import require
from firstlight.cli.output import console
from firstlight.cli.progress import Bar
from firstlight.errors import FirstlightError

if TYPE_CHECKING:
    from firstlight.comparison import Comparison


def compare(
    model: Annotated[
        str,
        typer.Option(
            help="mlp, small_resnet, small_vit, torchvision:NAME, timm:NAME, or module:factory, "
            "which runs your own code as factory(in_channels, image_size, classes); for texts "
            "bert_mini, hf:NAME, or module:factory as factory(vocabulary, context)."
        ),
    ] = "mlp",
    data: Annotated[
        str,
        typer.Option(
            help="digits, cifar10, cifar100, mnist, fashion_mnist, parquet:PATH, or folder:PATH; "
            "texts: wikitext2 or text:PATH, options as in text:PATH:vocabulary=4096:context=128."
        ),
    ] = "digits",
    optimizers: Annotated[
        str, typer.Option(help="sgd, adam, adamw; options as in sgd:momentum=0.9.")
    ] = "sgd,adamw",
    schemes: Annotated[
        str,
        typer.Option(
            help="Initializations; options as in harmonic:gain=relu. default keeps the framework's."
        ),
    ] = "default,he_normal,orthogonal,lsuv,sinusoidal,harmonic",
    seeds: Annotated[
        int, typer.Option(help="Repetitions of everything.", parser=whole, metavar="<int>")
    ] = 3,
    epochs: Annotated[
        int,
        typer.Option(
            help="Passes over the training images or rows.", parser=whole, metavar="<int>"
        ),
    ] = 20,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the report; finished runs there are not repeated.",
            parser=folder,
            metavar="<folder>",
        ),
    ] = Path("firstlight-results"),
    match_variance: Annotated[
        bool,
        typer.Option(
            "--match-variance",
            help="Same mean square of the weights in every layer for all: "
            "starts differ in structure only.",
        ),
    ] = False,
    tune_lr: Annotated[
        bool,
        typer.Option(
            "--tune-lr", help="The same five learning rates for all; held-out training data judge."
        ),
    ] = False,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Learning rate.", show_default="0.001", parser=real, metavar="<float>"),
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(help="Weight decay.", show_default="0.001", parser=real, metavar="<float>"),
    ] = None,
    batch_size: Annotated[
        int,
        typer.Option(help="Images, or rows of tokens, of one step.", parser=whole, metavar="<int>"),
    ] = 64,
    train_size: Annotated[
        int | None,
        typer.Option(
            help="Train on so many images or rows only.",
            show_default="all",
            parser=whole,
            metavar="<int>",
        ),
    ] = None,
    precision: Annotated[str, typer.Option(help="no (float32), bf16 or fp16.")] = "no",
    data_root: Annotated[
        Path | None,
        typer.Option(help="Folder for downloaded data.", show_default="~/.cache/firstlight"),
    ] = None,
    track: Annotated[
        str,
        typer.Option(
            help="tensorboard, wandb, mlflow, trackio: they follow the curves and write to "
            "OUT/trackers.",
            show_default="none",
        ),
    ] = "",
) -> None:
    """Train one network under several initializations and say which start was best.

    Lists are separated by commas. Ctrl-C keeps every finished run.
    """
    options = {
        "model": several(model),
        "data": several(data),
        "optimizers": several(optimizers),
        "schemes": several(schemes),
        "seeds": seeds,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "match_variance": match_variance,
        "tune_lr": tune_lr,
        "train_size": train_size,
        "precision": precision,
        "out": out,
        "data_root": data_root,
        "track": several(track) if track else (),
    }
    bar = Bar(Console(stderr=True))
    try:
        with bar:
            comparison = _compare(bar, **options)
        _show(comparison, out)
    except KeyboardInterrupt:
        kept = f"{bar.done} of {bar.runs} runs are finished and kept in {out / 'runs'}"
        if not bar.runs:
            kept = f"Nothing was trained; what was finished before is kept in {out / 'runs'}"
        bar.note(f"Stopped. {kept}; the same command goes on from there.")
        sys.exit(130)


def _compare(bar: Bar, **options: Any) -> "Comparison":
    require("compare")
    from firstlight.comparison import compare

    find_own_code()
    return compare(**options, progress=bar)


def _show(comparison: "Comparison", out: Path) -> None:
    """Write the files, print the table: what cannot be printed is at least kept."""
    from firstlight import report

    written = [comparison.write(out), *report.write(comparison, out)]
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may hold any character
    target = console(100)  # what the table is made for
    try:
        target.print(report.table(comparison))
        target.print(f"\nReport: {written[-1]}", markup=False, highlight=False, soft_wrap=True)
    except OSError as error:
        raise FirstlightError(
            f"cannot print the table: {error.strerror}; the report is {written[-1]}"
        ) from error
    if all(result.status != "ok" for result in comparison.results):
        raise typer.Exit(1)
