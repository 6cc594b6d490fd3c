"""Small real folders of images: scikit-learn's digits as files."""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

#: (N, 8, 8) bytes, and the digit that each shows.
PIXELS = (load_digits().images * 15).astype(np.uint8)
LABELS = load_digits().target


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def by_class(folder: Path, rows: range, suffix: str = "png") -> None:
    for row in rows:
        save(folder / f"digit{LABELS[row]}" / f"{row:04}.{suffix}", PIXELS[row])


def tiny_imagenet(folder: Path, train: range, val: range) -> None:
    for row in train:
        save(folder / f"train/n0{LABELS[row]}/images/n0{LABELS[row]}_{row}.JPEG", PIXELS[row])
    lines = []
    for row in val:
        save(folder / f"val/images/val_{row}.JPEG", PIXELS[row])
        lines.append(f"val_{row}.JPEG\tn0{LABELS[row]}\t0\t0\t7\t7\n")
    (folder / "val/val_annotations.txt").write_text("".join(lines))
