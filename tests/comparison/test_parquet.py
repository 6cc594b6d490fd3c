import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from firstlight.comparison.data import load
from firstlight.errors import FirstlightError


def png(pixels: np.ndarray | Image.Image, kind: str = "PNG") -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def images(count: int, channels: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 6, 8, *([3] if channels == 3 else [])), dtype=np.uint8)


def write(path, encoded, labels, image_type=None):
    pq.write_table(pa.table({"image": pa.array(encoded, image_type), "label": labels}), path)


@pytest.mark.parametrize("channels", [1, 3])
def test_one_file_is_split_class_by_class(tmp_path, channels):
    pixels = images(50, channels)
    write(tmp_path / "a.parquet", [png(p) for p in pixels], [i % 5 for i in range(50)])
    data = load(f"parquet:{tmp_path / 'a.parquet'}")
    assert (len(data.train), len(data.test), data.classes) == (40, 10, 5)
    assert (data.in_channels, data.image_size) == (channels, (6, 8))
    assert torch.bincount(data.test.labels).tolist() == [2] * 5
    known = {p.tobytes(): i % 5 for i, p in enumerate(pixels)}
    for split in (data.train, data.test):
        for image, label in zip(split.images, split.labels.tolist(), strict=True):
            assert known.pop(image.permute(1, 2, 0).contiguous().numpy().tobytes()) == label
    assert not known


def test_two_files_are_told_apart_by_name_and_labels_are_numbered(tmp_path):
    for name, count, seed in (("x-train", 12, 1), ("x-valid", 4, 2)):
        encoded = [{"bytes": png(p), "path": None} for p in images(count, 3, seed)]
        write(tmp_path / f"{name}.parquet", encoded, [["cat", "dog"][i % 2] for i in range(count)])
    data = load(f"parquet:{tmp_path / 'x-*.parquet'}")
    assert (len(data.train), len(data.test), data.classes) == (12, 4, 2)
    assert data.test.labels.tolist() == [0, 1, 0, 1]
    assert torch.equal(data.test.images[3].permute(1, 2, 0), torch.from_numpy(images(4, 3, 2)[3]))


def test_grey_images_among_colours_become_colours(tmp_path):
    encoded = [png(images(1, 1 + 2 * (i % 2), i)[0]) for i in range(20)]
    write(tmp_path / "a.parquet", encoded, [i // 10 for i in range(20)])
    assert load(f"parquet:{tmp_path / 'a.parquet'}").in_channels == 3


def refused(path, message):
    with pytest.raises(FirstlightError, match=message) as caught:
        load(f"parquet:{path}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"not an image", "row 3: cannot identify image"),
        (png(images(1, 1)[0])[:60], "row 3"),
        (png(Image.new("1", (5000, 4000))), "row 3: 5000 x 4000 pixels are more than the limit"),
        (png(Image.new("1", (20000, 10000))), "row 3: Image size .* exceeds limit"),
        (png(Image.new("I;16", (8, 6))), "row 3: an image must be 8-bit grey or RGB"),
        (png(Image.new("L", (9, 6))), r"row 3: image is \(6, 9\), the first is \(6, 8\)"),
        (png(Image.new("L", (8, 6)), "TIFF"), "row 3: cannot identify image"),
    ],
)
def test_a_bad_image_is_named(tmp_path, bad, message):
    encoded = [png(p) for p in images(20, 1)]
    encoded[3] = bad
    write(tmp_path / "a.parquet", encoded, [i % 2 for i in range(20)])
    refused(tmp_path / "a.parquet", message)


def test_a_bad_file_is_one_clear_line(tmp_path):
    refused(tmp_path / "none.parquet", "no file matches")
    refused("", "no file matches")
    refused("x" * 5000, "no file matches")
    refused(tmp_path / "**x", "no file matches")
    refused("~nobody_of_that_name/x", "no file matches")
    (tmp_path / "text.parquet").write_text("not parquet")
    refused(tmp_path / "text.parquet", "cannot be read as parquet")
    pq.write_table(pa.table({"img": [1], "label": [1]}), tmp_path / "columns.parquet")
    refused(tmp_path / "columns.parquet", "columns image and label; it has img, label")
    write(tmp_path / "numbers.parquet", [1, 2], [0, 1])
    refused(tmp_path / "numbers.parquet", "must hold encoded bytes, got int64")
    write(tmp_path / "empty.parquet", [], [], pa.binary())
    refused(tmp_path / "empty.parquet", "must have rows")
    write(tmp_path / "null.parquet", [None, b"x"], [0, 1], pa.binary())
    refused(tmp_path / "null.parquet", "must have rows, each with an image and a label")
    encoded = [png(p) for p in images(10, 1)]
    write(tmp_path / "single.parquet", encoded, list(range(10)))
    refused(tmp_path / "single.parquet", "cannot be split class by class: .*'0' has one")
    write(tmp_path / "few.parquet", encoded[:6], [0, 0, 1, 1, 2, 2])
    refused(tmp_path / "few.parquet", "6 images are too few for 3 classes")
    write(tmp_path / "same.parquet", encoded, [4] * 10)
    refused(tmp_path / "same.parquet", "has one class only")
    refused(tmp_path / "*.parquet", "one with 'train' and one with 'test'")


def test_a_name_is_taken_as_it_is_before_it_is_a_pattern(tmp_path):
    for name, classes in (("x[1].parquet", 2), ("x1.parquet", 5)):
        encoded = [png(p) for p in images(50, 1)]
        write(tmp_path / name, encoded, [i % classes for i in range(50)])
    assert load(f"parquet:{tmp_path / 'x[1].parquet'}").classes == 2
    assert load(f"parquet:{tmp_path / 'x[1]*.parquet'}").classes == 5


def test_the_train_file_is_never_the_test_file(tmp_path):
    for part, count in (("val-train", 12), ("val-test", 4)):
        encoded = [png(p) for p in images(count, 1)]
        write(tmp_path / f"{part}.parquet", encoded, [i % 2 for i in range(count)])
    data = load(f"parquet:{tmp_path / 'val-*.parquet'}")
    assert (len(data.train), len(data.test)) == (12, 4)


@pytest.mark.parametrize(
    "labels",
    [
        pa.array([7, 200] * 10, pa.uint8()),
        pa.array([2**64 - 1, 2**63 - 1] * 10, pa.uint64()),
        pa.array(["a", "b"] * 10).dictionary_encode(),
        pa.array(["a", "b"] * 10, pa.large_string()),
        pa.array([True, False] * 10),
        pa.array([0.5, 1.5] * 10, pa.float32()),
    ],
    ids=lambda labels: str(labels.type),
)
def test_labels_are_whole_numbers_text_booleans_or_floats(tmp_path, labels):
    write(tmp_path / "a.parquet", [png(p) for p in images(20, 1)], labels)
    data = load(f"parquet:{tmp_path / 'a.parquet'}")
    assert data.classes == 2
    assert torch.bincount(data.test.labels).tolist() == [2, 2]


@pytest.mark.parametrize(
    "labels", [[{"a": 1}] * 20, [[1]] * 20, pa.array([b"a", b"b"] * 10)], ids=["dict", "list", "b"]
)
def test_other_labels_are_refused(tmp_path, labels):
    write(tmp_path / "a.parquet", [png(p) for p in images(20, 1)], labels)
    refused(tmp_path / "a.parquet", "label must hold integers, text, booleans, floats; got")


def test_labels_of_both_files_must_be_alike(tmp_path):
    for name, labels in (("train", [0, 1, 0, 1]), ("test", ["0", "1", "0", "1"])):
        write(tmp_path / f"{name}.parquet", [png(p) for p in images(4, 1)], labels)
    refused(
        tmp_path / "t*.parquet",
        "labels of train.parquet are integers, those of test.parquet text; both must be alike",
    )


def test_what_is_long_is_cut(tmp_path):
    table = {f"column {i}": [1] for i in range(400)}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    write(tmp_path / "b.parquet", [b"x"], [dict.fromkeys(map(str, range(400)), 1)])
    write(tmp_path / "c.parquet", [dict.fromkeys(map(str, range(400)), 1)], [1])
    write(tmp_path / "d.parquet", [b"no image"] * 2, [0, 1])
    for name in "abcd":
        with pytest.raises(FirstlightError) as caught:
            load(f"parquet:{tmp_path / name}.parquet")
        assert len(str(caught.value)) < 260 + len(str(tmp_path))
        assert "BytesIO" not in str(caught.value)


def test_train_and_test_images_must_be_alike(tmp_path):
    write(tmp_path / "train.parquet", [png(p) for p in images(4, 1)], [0, 1, 0, 1])
    write(tmp_path / "test.parquet", [png(p) for p in images(4, 3)], [0, 1, 0, 1])
    refused(tmp_path / "t*.parquet", "both must be alike")
