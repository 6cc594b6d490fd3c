"""What every experiment shares: its options, progress, the table, the files it leaves."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

import firstlight
from firstlight import report
from firstlight.cli.progress import Bar
from firstlight.init import SCHEMES, Scheme
from firstlight.init.schemes import Fill


def run(
    doc: str, model: str, schemes: list[str], variants: Mapping[str, Fill], **settings: Any
) -> None:
    """Compare ``schemes`` and ``variants``, by default at one variance in every layer."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--optimizers", nargs="+", default=["adamw", "sgd"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--train-size", type=int, default=10000)
    parser.add_argument("--epochs", type=int, default=3)
    options = vars(parser.parse_args())
    for name, fill in variants.items():
        SCHEMES[name] = Scheme(name, fill)
    with Bar(Console(stderr=True)) as bar:
        comparison = firstlight.compare(
            model,
            schemes=[*schemes, *variants],
            progress=bar,
            **options,
            **{"match_variance": True} | settings,
        )
    comparison.write(options["out"])
    report.write(comparison, options["out"])
    Console(width=100).print(report.table(comparison))
