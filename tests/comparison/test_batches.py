import gc
import threading
from functools import partial

import numpy as np
import pytest
import torch

from comparison.image_folders import by_class
from firstlight.comparison import batches as module
from firstlight.comparison import data as sets
from firstlight.comparison.ahead import ahead
from firstlight.comparison.batches import batches, first, order
from firstlight.comparison.data import Data, Split, load
from firstlight.comparison.mapped import Mapped
from firstlight.comparison.train import train


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    by_class(folder, range(300))
    return load(f"folder:{folder}", folder / ".cache")


def in_memory(data: Data) -> Data:
    parts = [Split(split.images[:], split.labels) for split in (data.train, data.test)]
    return Data(data.name, *parts, data.classes)


@pytest.fixture(params=[False, True], ids=["in turn", "ahead"])
def threads(request, monkeypatch):
    """Gather images as on a processor, and as for a GPU."""
    monkeypatch.setattr(module, "pixels", partial(module.pixels, ahead_of_use=request.param))
    return request.param


def waiting() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("firstlight-ahead")]


@pytest.mark.parametrize("indices", [None, order(3, 1, 240), torch.tensor([5, 5, 0])])
@pytest.mark.parametrize("size", [1, 64, 1000])
def test_batches_are_the_same_from_a_file_and_from_memory(mapped, threads, indices, size):
    ours = list(batches(mapped.train, mapped.normalisation, size, indices))
    memory = in_memory(mapped)
    theirs = list(batches(memory.train, memory.normalisation, size, indices))
    plain = slice(None) if indices is None else indices
    assert sum(len(labels) for _, labels in ours) == len(memory.train.labels[plain])
    for (images, labels), (other, others), bytes_ in zip(
        ours, theirs, memory.train.images[plain].split(size), strict=True
    ):
        mean, std = memory.normalisation
        assert torch.equal(images, (bytes_.float() - mean) / std)
        assert torch.equal(images, other)
        assert torch.equal(labels, others)
    assert waiting() == []


@pytest.mark.parametrize("selected", [{}, {"train_size": 100}, {"held_out": True}])
def test_a_run_is_the_same_from_a_file_and_from_memory(mapped, threads, spec, selected):
    asked = spec(model="small_resnet", epochs=2, **({"train_size": None} | selected))
    ours, theirs = train(asked, mapped), train(asked, in_memory(mapped))
    assert ours.status == theirs.status == "ok"
    assert (ours.train_loss, ours.loss) == (theirs.train_loss, theirs.loss)


def test_a_part_of_a_mapped_set_is_not_read(mapped):
    part = mapped.select(100, held_out=True)
    assert isinstance(part.train.images, Mapped)
    assert part.train.images._file is mapped.train.images._file
    other = in_memory(mapped).select(100, held_out=True)
    assert torch.equal(part.test.images[:], other.test.images)
    for ours, theirs in zip(part.normalisation, other.normalisation, strict=True):
        assert torch.equal(ours, theirs)
    assert part.fingerprint == other.fingerprint  # that of the contents


def test_the_first_batch_is_that_of_training(mapped, threads):
    images, _ = first(mapped, seed=2, size=16)
    begun = batches(mapped.train, mapped.normalisation, 16, order(2, 0, len(mapped.train)))
    assert torch.equal(images, next(begun)[0])
    assert bool(waiting()) is threads
    del begun
    gc.collect()
    assert waiting() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_no_thread_is_left_when_a_step_fails(mapped, threads, error):
    def step():
        for number, _ in enumerate(batches(mapped.train, mapped.normalisation, 4)):
            if number == 3:
                raise error

    with pytest.raises(error):
        step()
    gc.collect()
    assert waiting() == []


def test_what_fails_ahead_is_raised_in_its_turn():
    found = ahead(lambda n: 1 // (3 - n), range(9), workers=2, depth=4)
    assert [next(found) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(found)
    assert waiting() == []


def test_no_more_is_made_than_asked_for():
    taken = []
    found = ahead(abs, (taken.append(n) or n for n in range(100)), workers=3, depth=5)
    assert next(found) == 0
    assert len(taken) == 6
    found.close()
    assert waiting() == []


def test_images_that_do_not_fit_the_device_stay_where_they_are(mapped, digits, monkeypatch):
    meta = torch.device("meta")
    assert mapped.to(torch.device("cpu")) is mapped
    moved = mapped.to(meta)
    assert moved.train.images is mapped.train.images
    assert moved.train.labels.device == moved.normalisation[0].device == meta
    assert digits.to(meta).train.images.device == meta
    monkeypatch.setattr(Data, "_fits", lambda *_: False)
    kept = digits.to(meta)
    assert kept.test.images is digits.test.images
    assert kept.test.labels.device == meta
    images, labels = next(batches(kept.train, kept.normalisation, 32))
    assert images.shape == (32, 1, 8, 8)
    assert images.device == labels.device == meta


def test_half_of_what_is_left_of_a_gpu_is_enough(digits, monkeypatch):
    size = digits.train.images.numel() + digits.test.images.numel()
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 1000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 900)
    for free, fits in ((2 * size - 99, True), (2 * size - 100, False)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free, 10**12))
        assert digits._fits(torch.device("cuda")) is fits


def test_a_mapped_set_is_copied_to_a_device_block_by_block(mapped):
    assert torch.equal(mapped.train.images.to(torch.device("cpu")), mapped.train.images[:])


def test_a_million_labels_are_chosen_class_by_class():
    labels = np.random.default_rng(0).integers(0, 1000, 1_280_000)
    chosen = sets.subset(labels, 100_000)
    assert len(np.unique(chosen)) == 100_000
    shares = np.bincount(labels[chosen]) / np.bincount(labels) * 12.8
    assert abs(shares - 1).max() < 0.02
