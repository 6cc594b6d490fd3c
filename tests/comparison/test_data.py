import urllib.error
import urllib.request

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.comparison.data import Data, Split, load
from firstlight.errors import FirstlightError, OptionError


def numbered(count: int, classes: int, seed: int = 0) -> Data:
    """Make data whose images are all different, so that they can be followed."""
    labels = torch.from_numpy(np.random.default_rng(seed).permutation(count) % classes)
    images = torch.arange(count, dtype=torch.int64).view(-1, 1, 1, 1)
    split = Split(torch.cat([images // 256, images % 256], 3).to(torch.uint8), labels)
    return Data("numbered", split, split, classes)


def identities(split: Split) -> list[int]:
    return [256 * high + low for high, low in split.images.flatten(1).tolist()]


@settings(max_examples=40, deadline=None)
@given(st.integers(60, 600), st.integers(2, 6), st.floats(0.5, 1.0))
def test_held_out_images_are_a_tenth_of_the_training_images(count, classes, share):
    data = numbered(count, classes)
    size = max(classes * 8, int(share * count))
    part = data.select(size if size < count else None, held_out=True)
    train, judged = identities(part.train), identities(part.test)
    assert not set(train) & set(judged)
    assert len(train) + len(judged) == min(size, count)
    assert len(judged) == max(classes, min(size, count) // 10)
    again = numbered(count, classes).select(size if size < count else None, held_out=True)
    assert identities(again.train) == train


@settings(max_examples=40, deadline=None)
@given(st.integers(60, 600), st.integers(2, 6))
def test_a_smaller_training_set_keeps_every_class_and_the_test_set(count, classes):
    data = numbered(count, classes)
    size = count // 2
    part = data.select(size, held_out=False)
    assert part.test is data.test
    assert len(set(identities(part.train))) == size
    counts = torch.bincount(part.train.labels, minlength=classes).tolist()
    whole = torch.bincount(data.train.labels, minlength=classes).tolist()
    for got, all_of_it in zip(counts, whole, strict=True):
        assert abs(got - all_of_it * size / count) <= 1
    labels = dict(zip(identities(data.train), data.train.labels.tolist(), strict=True))
    assert [labels[i] for i in identities(part.train)] == part.train.labels.tolist()


def test_the_whole_training_set_needs_no_copy(digits):
    assert digits.select(None, held_out=False) is digits
    assert digits.select(len(digits.train), held_out=False) is digits


@pytest.mark.parametrize("size", [9, 1438])
def test_a_training_size_out_of_range_is_refused(digits, size):
    with pytest.raises(OptionError, match=f"between 10 .* and 1437 .* got {size}"):
        digits.select(size, held_out=False)


def test_digits_split_is_fixed_and_stratified(digits):
    again = load("digits")
    assert torch.equal(again.train.images, digits.train.images)
    assert torch.equal(again.test.labels, digits.test.labels)
    counts = torch.bincount(digits.test.labels)
    assert counts.min() >= 34
    assert counts.max() <= 37
    assert digits.train.images.dtype == torch.uint8


def test_normalisation_is_that_of_the_training_images():
    images = torch.randint(0, 256, (5000, 3, 4, 5), dtype=torch.uint8)
    images[:, 2] = 7  # a channel that never varies
    labels = torch.arange(5000) % 2
    data = Data("x", Split(images, labels), Split(images[:10], labels[:10]), 2)
    mean, std = data.normalisation
    reference = images.numpy().astype(np.float64)
    np.testing.assert_allclose(mean.flatten(), reference.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(std.flatten()[:2], reference.std((0, 2, 3))[:2], rtol=1e-6)
    assert std.flatten()[2] == 1


@pytest.mark.parametrize("name", ["", "digit", "cifar", "csv:x"])
def test_an_unknown_data_set_is_one_clear_line(name):
    with pytest.raises(OptionError, match=r"data must be one of digits, cifar10, .*parquet:PATH"):
        load(name)


def test_a_failing_download_is_one_clear_line(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(FirstlightError, match="CIFAR10 could not be downloaded to") as caught:
        load("cifar10", tmp_path)
    assert "\n" not in str(caught.value)
    assert "no route to host" in str(caught.value)


def test_tuning_needs_two_images_of_each_class(digits):
    with pytest.raises(OptionError, match=r"tuning needs at least 20 training images .* got 19"):
        digits.select(19, held_out=True)
    part = digits.select(20, held_out=True)
    assert torch.bincount(part.train.labels).tolist() == [1] * 10
    assert torch.bincount(part.test.labels).tolist() == [1] * 10


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("what", ["images", "labels"])
def test_other_data_have_another_fingerprint(part, what):
    one, same, other = (numbered(60, 3) for _ in range(3))
    other = Data(other.name, numbered(60, 3).train, numbered(60, 3).test, 3)
    changed = getattr(getattr(other, part), what)
    changed.view(-1)[-1] ^= 1
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_torchvision_files_are_read_as_they_are(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", 30), ("t10k", 20)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            (raw / f"{part}-{kind}-ubyte").write_bytes(head + array.tobytes())
    data = load("mnist", tmp_path)
    assert (len(data.train), len(data.test), data.classes) == (30, 20, 10)
    assert data.train.images.shape == (30, 1, 28, 28)
    assert torch.equal(data.test.images[:, 0], torch.from_numpy(images))
