import numpy as np
import pytest
import torch

from firstlight.comparison.masking import count, draw
from firstlight.comparison.vocabulary import Vocabulary

VOCABULARY = Vocabulary(50, 4, (0, 1, 2, 3, 4))


@pytest.fixture(scope="module")
def rows():
    """Rows of 40 tokens between [CLS] and [SEP], one in ten of them unknown."""
    chance = np.random.default_rng(0)
    words = chance.integers(5, 50, size=(3000, 42))
    words[chance.random(words.shape) < 0.1] = 1
    words[:, 0], words[:, -1] = 2, 3
    return torch.from_numpy(words.astype(np.int32))


def slowly(row, places, written):
    """Say of each predicted token what the network reads: the mask, the token, or another."""
    fates = []
    for place, number in zip(places.tolist(), written.tolist(), strict=True):
        token = int(row[place])
        assert token not in VOCABULARY.special
        if number == VOCABULARY.mask:
            fates.append("mask")
        else:
            assert number not in VOCABULARY.special
            assert number < VOCABULARY.size
            fates.append("kept" if number == token else "other")
    return fates


def test_masks_are_those_of_bert(rows):
    found = draw(rows, VOCABULARY, 1, 2)
    fates = []
    for row, places, written in zip(rows, *found, strict=True):
        assert len(set(places.tolist())) == count(42) == 6
        fates += slowly(row, places, written)
    total = len(fates)
    same = 1 / 45  # of the tokens that another is written for, it is drawn again by chance
    for fate, share in (("mask", 0.8), ("other", 0.1 * (1 - same)), ("kept", 0.1 + 0.1 * same)):
        spread = 4 * (share * (1 - share) / total) ** 0.5
        assert abs(fates.count(fate) / total - share) < spread


def test_every_word_of_a_row_is_as_likely_to_be_predicted():
    rows = torch.full((5_000, 12), 7, dtype=torch.int32)
    rows[:, 0], rows[:, -1] = 2, 3
    places = draw(rows, VOCABULARY, 0).places
    counts = np.bincount(places.flatten().numpy(), minlength=12)
    assert counts[0] == counts[-1] == 0
    expected = len(rows) * count(12) / 10
    assert abs(counts[1:-1] - expected).max() < 5 * expected**0.5


def test_a_mask_depends_on_its_keys_alone(rows):
    one, same, other = draw(rows, VOCABULARY, 1, 2), draw(rows, VOCABULARY, 1, 2), None
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    for keys in ((2, 1), (1, 3), (1, 2, 1)):
        other = draw(rows, VOCABULARY, *keys)
        assert not torch.equal(one.places, other.places)


def test_numpy_and_torch_say_nothing_to_it(rows):
    np.random.seed(1)
    torch.manual_seed(1)
    one = draw(rows[:50], VOCABULARY, 3)
    np.random.seed(2)
    torch.manual_seed(2)
    assert torch.equal(one.written, draw(rows[:50], VOCABULARY, 3).written)


@pytest.mark.parametrize(("context", "predicted"), [(128, 19), (8, 1), (3, 1), (512, 76)])
def test_fifteen_percent_of_a_row_are_predicted(context, predicted):
    assert count(context) == predicted
