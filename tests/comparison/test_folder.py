import os
import random

import numpy as np
import pytest
import torch
from PIL import Image

import firstlight
from comparison.image_folders import LABELS, PIXELS, by_class, save, tiny_imagenet
from firstlight.comparison.data import load
from firstlight.errors import FirstlightError, OptionError


def matched(split, colours=1):
    """Check that every image has the label of the digit that it shows; return the rows."""
    known = {pixels.tobytes(): row for row, pixels in enumerate(PIXELS)}
    images = split.images[:]
    assert images.shape[1] == colours
    rows = [known[image[0].numpy().tobytes()] for image in images]
    assert split.labels.tolist() == LABELS[rows].tolist()
    return rows


@pytest.mark.parametrize("judging", ["val", "validation", "test"])
@pytest.mark.parametrize("suffix", ["png", "BMP"])
def test_a_folder_for_training_and_one_for_judging(tmp_path, judging, suffix):
    by_class(tmp_path / "train", range(60), suffix)
    by_class(tmp_path / judging, range(60, 90), suffix)
    data = load(f"folder:{tmp_path}", tmp_path / "cache")
    assert sorted(matched(data.train)) == list(range(60))
    assert sorted(matched(data.test)) == list(range(60, 90))
    assert (data.classes, data.in_channels, data.image_size) == (10, 1, (8, 8))
    assert data.train.labels.tolist() == sorted(data.train.labels.tolist())


def test_one_folder_is_split_class_by_class(tmp_path):
    by_class(tmp_path, range(200))
    data = load(f"folder:{tmp_path}", tmp_path / ".cache")
    assert (len(data.train), len(data.test)) == (160, 40)
    assert sorted(matched(data.train) + matched(data.test)) == list(range(200))
    shares = torch.bincount(data.test.labels).tolist()
    assert max(shares) - min(shares) <= 1


def test_tiny_imagenet_as_it_comes(tmp_path):
    tiny_imagenet(tmp_path, range(50), range(50, 80))
    save(tmp_path / "test/images/test_0.JPEG", PIXELS[0])  # without a class, never read
    data = load(f"folder:{tmp_path}", tmp_path / "cache")
    assert (len(data.train), len(data.test), data.classes) == (50, 30, 10)
    assert sorted(data.test.labels.tolist()) == sorted(LABELS[50:80].tolist())
    nearest = [  # JPEG loses a little
        int(np.abs(PIXELS[:80].astype(int) - image[0].numpy()).sum((1, 2)).argmin())
        for image in data.test.images[:]
    ]
    assert data.test.labels.tolist() == LABELS[nearest].tolist()


def test_other_files_do_no_harm(tmp_path):
    by_class(tmp_path, range(100))
    (tmp_path / "README.md").write_text("x")
    (tmp_path / "digit1/labels.csv").write_text("x")
    (tmp_path / "digit1/._0001.png").write_text("x")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "digit1/gone.png").symlink_to(tmp_path / "nowhere.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "digit1/pipe.png")  # to open it would wait for ever
    data = load(f"folder:{tmp_path}", tmp_path / ".cache")
    assert len(data.train) + len(data.test) == 100
    assert data.classes == 10


def test_size_scales_the_shorter_side_and_cuts_the_centre(tmp_path):
    wide = np.random.default_rng(0).integers(0, 256, (40, 80, 3), dtype=np.uint8)
    for kind, shape in (("a", wide), ("b", wide.transpose(1, 0, 2))):
        for number in range(4):
            save(tmp_path / kind / f"{number}.png", shape)
    save(tmp_path / "b" / "small.png", wide[:9, 30:40])
    data = load(f"folder:{tmp_path}:size=10", tmp_path / ".cache")
    assert (data.image_size, data.in_channels) == ((10, 10), 3)
    scaled = Image.fromarray(wide).resize((20, 10), Image.Resampling.BILINEAR)
    centre = scaled.crop((5, 0, 15, 10))
    expected = torch.from_numpy(np.array(centre)).permute(2, 0, 1)
    for image in (data.train.images[:1][0], data.test.images[:1][0]):
        assert torch.equal(image, expected)


def test_a_long_line_is_not_unpacked(tmp_path):
    for kind in ("a", "b"):
        for number in range(3):
            save(tmp_path / kind / f"{number}.png", np.zeros((1, 100_000), np.uint8))
    assert load(f"folder:{tmp_path}:size=64", tmp_path / ".cache").image_size == (64, 64)


def test_grey_images_among_colours_become_colours(tmp_path):
    by_class(tmp_path, range(100))
    save(tmp_path / "digit9/zz.png", np.stack([PIXELS[9]] * 3, 2))
    data = load(f"folder:{tmp_path}", tmp_path / ".cache")
    for split in (data.train, data.test):
        images = split.images[:]
        assert images.shape[1] == 3
        assert torch.equal(images[:, 0], images[:, 2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not an image", "cannot identify image"),
        (None, "digit3/bad.png: "),  # the half of an image
        (Image.new("L", (9, 6)), "image is 9 x 6, the first is 8 x 8; ask for one size"),
        (Image.new("I;16", (8, 8)), "an image must be 8-bit grey or RGB"),
        (Image.new("1", (5000, 4000)), "5000 x 4000 pixels are more than the limit"),
        (Image.new("1", (20000, 10000)), "Image size .* exceeds limit"),
    ],
)
def test_a_bad_image_is_named_and_nothing_is_left(tmp_path, content, message):
    by_class(tmp_path / "images", range(100))
    bad = tmp_path / "images/digit3/bad.png"
    if isinstance(content, Image.Image):
        content.save(bad)
    else:
        whole = (tmp_path / "images/digit3/0003.png").read_bytes()
        bad.write_bytes(whole[: len(whole) // 2] if content is None else content)
    for _ in range(2):
        with pytest.raises(FirstlightError, match=message) as caught:
            load(f"folder:{tmp_path / 'images'}", tmp_path / "cache")
        assert "digit3/bad.png" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert [p.suffix for p in (tmp_path / "cache/decoded").iterdir() if p.suffix != ".lock"] == []


def refused(name, message, kind=FirstlightError):
    with pytest.raises(kind, match=message) as caught:
        load(name, "unused")
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_laid_out_otherwise_is_refused(tmp_path):
    refused(f"folder:{tmp_path}/none", "is no folder")
    refused(f"folder:{tmp_path}", "must hold a folder for each class")
    by_class(tmp_path / "train", range(20))
    refused(f"folder:{tmp_path}", "has train, but none of val, validation, test")
    save(tmp_path / "val/flat.png", PIXELS[0])
    refused(f"folder:{tmp_path}", "val must hold a folder for each class")
    save(tmp_path / "val/other/0.png", PIXELS[0])
    refused(f"folder:{tmp_path}", "val has the class 'other', which .*train lacks")


def test_a_bad_line_of_annotations_is_named(tmp_path):
    tiny_imagenet(tmp_path, range(20), range(20, 30))
    path = tmp_path / "val/val_annotations.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[1:]))
    refused(f"folder:{tmp_path}", r"val_20.JPEG has no line in .*val_annotations.txt")
    path.write_text("\n".join([lines[0], "val_21.JPEG n01"]))
    refused(f"folder:{tmp_path}", r"val_annotations.txt, line 2: expected .* a tab")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (":crop=3", "got the option 'crop'"),
        (":size=0", "size must be a whole number of pixels from 1 to 4096, got 0"),
        (":size=64.0", "got 64.0"),
        (":size=True", "got True"),
        (":size=big", "got 'big'"),
        (":size=3:size=4", "given twice"),
    ],
)
def test_a_bad_option_is_refused_before_anything_is_read(options, message):
    refused(f"folder:/nowhere{options}", message, OptionError)


def test_no_path_is_refused():
    refused("folder:", "got no path", OptionError)


def test_a_class_may_be_called_train(tmp_path):
    for row in range(20):
        save(tmp_path / ("train", "plane")[row % 2] / f"{row}.png", PIXELS[row])
    assert load(f"folder:{tmp_path}", tmp_path / ".cache").classes == 2


def test_a_comparison_from_a_folder(tmp_path):
    rows = list(range(300))
    random.Random(0).shuffle(rows)
    by_class(tmp_path / "digits", rows)
    options = {
        "data": f"folder:{tmp_path / 'digits'}:size=8",
        "schemes": ["default", "harmonic"],
        "seeds": 2,
        "epochs": 2,
        "out": tmp_path / "out",
        "data_root": tmp_path / "cache",
    }
    first = firstlight.compare("mlp", **options)
    assert [run.status for run in first.results] == ["ok"] * 8
    assert all(run.fingerprints["data"] for run in first.results)
    again = firstlight.compare("mlp", **options)
    assert again.results == first.results  # those on disk
    save(tmp_path / "digits/digit0/another.png", PIXELS[0])
    other = firstlight.compare("mlp", **options)
    assert other.results[0].fingerprints != first.results[0].fingerprints
