"""Images per second that training gets: from memory, from a mapped file, from torch's DataLoader.

All ways deliver the same images, take turns in one process, and the least time of each counts; only
ratios are judged. A GPU normalises by itself and needs only bytes of its host, gathered ahead by
other threads: they have rows of their own, as has a file of which the system has nothing in memory.
What a GPU needs is an assumption, not measured here. Run by `make bench`.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_sample_images
from turns import least_seconds

from firstlight.comparison.batches import batches, order, pixels
from firstlight.comparison.data import Data, Split, load
from firstlight.model import _torchvision

BATCH = 64
#: Side of the images, how many, what they stand for, and images per second that an H100 is assumed
#: to train on.
CASES = (
    (32, 4096, "ResNet-50 on CIFAR", 10_000),
    (224, 384, "ViT-B/16 on ImageNet", 1_500),
)
LOADERS = ("DataLoader, 0", "DataLoader, 2")  # workers
MAPPED_BAR = 0.5  # of the speed from memory
LOADER_BAR = 2.0  # times the faster DataLoader


def write_images(folder: Path, side: int, count: int) -> None:
    """Save cuts of two photographs as JPEG, in ten classes."""
    rng = np.random.default_rng(0)
    photographs = load_sample_images().images
    for number in range(count):
        photograph = photographs[number % 2]
        top, left = (int(rng.integers(length - side)) for length in photograph.shape[:2])
        path = folder / str(number % 10) / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photograph[top : top + side, left : left + side]).save(path, quality=90)


def consume(found: Iterable[Any]) -> None:
    for _ in found:
        pass


def loader(folder: Path, data: Data, workers: int) -> Iterable[Any]:
    """torchvision's usual way; its workers go on from one epoch to the next."""
    _torchvision.prepare()
    from torchvision import datasets, transforms

    mean, std = (each.flatten() / 255 for each in data.normalisation)
    steps = [transforms.ToTensor(), transforms.Normalize(mean.tolist(), std.tolist())]
    images = datasets.ImageFolder(folder, transforms.Compose(steps))
    some = torch.utils.data.Subset(images, range(len(data.train)))
    return torch.utils.data.DataLoader(
        some, BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0
    )


def ways(folder: Path, root: Path) -> tuple[dict[str, Callable[[], None]], int]:
    name = f"folder:{folder}"
    data = load(name, root)
    memory = Split(data.train.images[:], data.train.labels)
    turn = order(0, 0, len(memory))
    cpu = torch.device("cpu")

    def forgotten() -> None:
        """Take the file out of the system's memory, where it can be taken."""
        for path in (root / "decoded").glob("[!.]*[!s].npy"):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def cold() -> None:
        fresh = load(name, root)  # nothing of it is mapped yet
        forgotten()
        consume(pixels(fresh.train.images, cpu, turn, BATCH, ahead_of_use=True))

    loaders = {LOADERS[i]: loader(folder, data, 2 * i) for i in range(2)}
    found: dict[str, Callable[[], None]] = {
        "memory": lambda: consume(batches(memory, data.normalisation, BATCH, turn)),
        "mapped": lambda: consume(batches(data.train, data.normalisation, BATCH, turn)),
        "memory, bytes": lambda: consume(pixels(memory.images, cpu, turn, BATCH)),
        "mapped, bytes": lambda: consume(
            pixels(data.train.images, cpu, turn, BATCH, ahead_of_use=True)
        ),
        **{key: lambda each=each: consume(each) for key, each in loaders.items()},
    }
    if hasattr(os, "posix_fadvise"):
        found["from the disk, bytes"] = cold
    return found, len(memory)


def show(console: Console, title: str, rates: dict[str, float], needed: int) -> None:
    best = max(rates[key] for key in LOADERS)
    table = Table(title=title)
    for heading in ("", "images/s", "/ DataLoader", "/ needed"):
        table.add_column(heading, justify="right" if heading else "left")
    for key, rate in rates.items():
        table.add_row(key, f"{rate:,.0f}", f"{rate / best:.2f}", f"{rate / needed:.2f}")
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    console = Console()
    missed = 0
    for side, count, what, needed in CASES:
        with tempfile.TemporaryDirectory() as place:
            folder, root = Path(place) / "images", Path(place) / "cache"
            write_images(folder, side, count)
            actions, images = ways(folder, root)
            times = least_seconds(actions, options.repeats)
            del actions  # the loaders' workers end
        rates = {key: images / seconds for key, seconds in times.items()}
        show(console, f"{side} x {side}, {options.threads} threads", rates, needed)
        console.print(f"needed, an assumption: {needed:,} images/s, {what} on an H100")
        rivals = max(rates[key] for key in LOADERS)
        for ratio, least, text in (
            (rates["mapped"] / rates["memory"], MAPPED_BAR, "mapped / memory"),
            (rates["mapped"] / rivals, LOADER_BAR, "mapped / faster DataLoader"),
        ):
            missed += ratio < least
            verdict = "MISS" if ratio < least else "ok  "
            console.print(f"{verdict} {side} x {side}: {text}: {ratio:.3g} (at least {least:g})")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
