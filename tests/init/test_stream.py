"""Words by their place: the published generators, named, repeatable, and of distinct streams."""

import hashlib
import math
from itertools import combinations

import numpy as np
import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.init import Stream

keys = st.integers(0, 2**128 - 1)
ONES = 2**64 - 1
#: Known answers that come with Random123: counter, key, output.
KNOWN = [
    (
        (0, 0, 0, 0),
        (0, 0),
        (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B),
    ),
    (
        (ONES, ONES, ONES, ONES),
        (ONES, ONES),
        (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
    ),
    (  # digits of pi
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
        (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_the_reference_gives_the_known_answers(counter, key, expected):
    assert reference.philox(counter, key) == expected


@given(keys, st.integers(0, 2**64), st.integers(0, 300), st.integers(0, 8))
def test_words_are_the_references(key, lane, start, count):
    words = Stream(key).words(lane, start, count)
    assert words.dtype == np.uint64
    assert words.tolist() == reference.words(key, lane, start, count)


@given(keys, st.integers(0, 5), st.integers(0, 2**100), st.integers(0, 500), st.integers(0, 500))
def test_words_from_any_number_on_are_those_of_one_long_call(key, lane, start, skipped, count):
    whole = Stream(key).words(lane, start, skipped + count)
    assert (Stream(key).words(lane, start + skipped, count) == whole[skipped:]).all()


def test_words_far_away_are_those_of_the_leap():
    """2^k steps of x -> a x + c are the steps of a^(2^k) x + c (a^(2^k) - 1) / (a - 1)."""
    a, b, c, d = reference.philox((4, 0, 0, 0), (9, 0))
    state, increment = a << 64 | b, c << 64 | d | 1
    factor, added = 0xDA942042E4DD58B5, increment
    for _ in range(90):
        factor, added = factor * factor % 2**128, (factor + 1) * added % 2**128
    far = reference.dxsm((factor * state + added) % 2**128, increment)
    assert Stream(9).words(4, 2**90, 3).tolist() == [next(far) for _ in range(3)]


@given(st.integers(-(2**70), 2**70), st.text())
def test_a_named_streams_key_is_a_hash_of_seed_and_name(seed, name):
    name = name.encode("utf-8", "ignore").decode()
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=16)
    assert Stream.named(seed, name).key == int.from_bytes(digest.digest(), "little")


def test_a_named_stream_is_the_same_in_every_version():
    stream = Stream.named(0, "layers.3.weight")
    assert stream.key == 0xD56738226756AC254C60359D777078AF
    assert stream.words(1, 1000, 2).tolist() == [15857596636039972860, 3721495098667619789]


def test_a_stream_is_taken_as_it_is():
    stream = Stream(5)
    assert Stream.of(stream) is stream


def test_a_generator_gives_one_stream_after_the_other():
    def keys(seed):
        generator = torch.Generator().manual_seed(seed)
        return [Stream.of(generator).key for _ in range(3)]

    assert keys(0) == keys(0)
    assert len({*keys(0), *keys(1)}) == 6
    assert all(0 <= key < 2**128 for key in keys(0))


def test_all_bits_of_a_generators_key_vary():
    generator = torch.Generator().manual_seed(0)
    drawn = [Stream.of(generator).key for _ in range(400)]
    ones = [sum(key >> bit & 1 for key in drawn) for bit in range(128)]
    assert all(abs(count - 200) < 5 * 10 for count in ones)  # sigma is 10


def test_manual_seed_governs_where_no_generator_is_given():
    torch.manual_seed(3)
    first = [Stream.of(None) for _ in range(2)]
    torch.manual_seed(3)
    assert [Stream.of(None) for _ in range(2)] == first
    assert first[0] != first[1]


def test_a_generator_leaves_torchs_own_alone():
    before = torch.get_rng_state()
    Stream.of(torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_default_device_does_not_matter():
    torch.manual_seed(3)
    expected = Stream.of(None)
    torch.manual_seed(3)
    with torch.device("meta"):
        assert Stream.of(None) == expected


def neighbours():
    """Words of streams that differ in the least."""
    streams = [(Stream.named(seed, name), 0) for seed in (0, 1, -1) for name in ("a", "b", "a.b")]
    streams += [(Stream(7), lane) for lane in range(4)]
    streams += [(Stream(key), 0) for key in (0, 1, 2, 1 << 64, 1 << 127)]
    return [stream.words(lane, 0, 20_000) for stream, lane in streams]


def test_distinct_streams_agree_in_half_of_their_bits():
    for a, b in combinations(neighbours(), 2):
        for shift in (0, 1):  # nor is one a step behind another
            differ = np.unpackbits((a[shift:] ^ b[: len(b) - shift]).view(np.uint8))
            assert abs(differ.mean() - 0.5) < 5 * 0.5 / math.sqrt(len(differ))


def test_distinct_streams_are_uncorrelated():
    words = np.stack(neighbours()) / 2.0**64
    for values in (words, (words - 0.5) ** 2):
        correlation = np.corrcoef(values) - np.eye(len(values))
        assert np.abs(correlation).max() < 5 / math.sqrt(words.shape[1])


def test_a_streams_words_are_uncorrelated_with_those_after_them():
    words = Stream(1).words(0, 0, 200_000) / 2.0**64
    for lag in (1, 2, 3, 8, 256, 512):
        both = np.corrcoef(words[:-lag], words[lag:])[0, 1]
        assert abs(both) < 4 / math.sqrt(len(words))


@pytest.mark.parametrize("key", [-5, 2**128, 2**200, "x", 1.0, True, None])
def test_a_key_is_a_whole_number_of_128_bits(key):
    with pytest.raises(OptionError, match="stream's key must be a whole number from 0 to"):
        Stream(key)


@pytest.mark.parametrize("seed", [True, "x", "1", 1.5, None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(OptionError, match="stream's seed must be a whole number"):
        Stream.named(seed, "weight")


def test_numpys_whole_numbers_are_whole_numbers():
    assert Stream.named(np.int64(7), "weight") == Stream.named(7, "weight")
    assert (Stream(np.int64(7)).words(0, 0, 3) == Stream(7).words(0, 0, 3)).all()


@pytest.mark.parametrize("generator", [0, 5, 1.5, "x", np.random.default_rng(0), (1,)])
def test_what_is_no_source_of_randomness_is_refused(generator):
    with pytest.raises(
        OptionError, match=r"generator must be a torch\.Generator, a Stream or None"
    ):
        Stream.of(generator)
