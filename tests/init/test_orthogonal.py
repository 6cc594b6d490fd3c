"""Orthogonal matrices of a stream: its own normal values, decomposed alike in any process."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from torch import nn

from firstlight.errors import OptionError
from firstlight.init import Block, Stream, looks_linear_, orthogonal_
from firstlight.init._draw import draw
from firstlight.init._one_thread import in_one_thread
from firstlight.init.distributions import Normal

SHAPES = [(8, 8), (12, 5), (5, 12), (6, 4, 3), (20, 2, 3, 3), (1, 7), (7, 1), (1, 1)]
every_shape = pytest.mark.parametrize("shape", SHAPES)
either_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
#: Also in a process of its own.
DIGEST = """
import hashlib, torch
from firstlight.init import Stream, orthogonal_
found = hashlib.sha256()
for shape in ((65, 33), (128, 300), (256, 256)):
    for dtype in (torch.float32, torch.float64):
        weight = orthogonal_(torch.empty(shape, dtype=dtype), generator=Stream(2))
        found.update(weight.numpy().tobytes())
digest = found.hexdigest()
"""


@pytest.fixture
def _two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@every_shape
@either_dtype
def test_a_streams_matrix_is_the_orthogonal_factor_of_its_normal_values(shape, dtype):
    flat = shape[0], int(np.prod(shape[1:]))
    normal = torch.empty(flat, dtype=dtype)
    normal = draw(normal, Block.whole(flat), Normal(1.0), Stream(3)).double().numpy()
    tall = normal.T if flat[0] < flat[1] else normal
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    expected = 1.5 * (q.T if flat[0] < flat[1] else q)
    found = orthogonal_(torch.empty(shape, dtype=dtype), gain=1.5, generator=Stream(3))
    tolerance = 200 * torch.finfo(dtype).eps
    np.testing.assert_allclose(found.flatten(1).numpy(), expected, atol=tolerance)


@pytest.mark.parametrize("fill", [orthogonal_, looks_linear_])
def test_every_bit_of_a_key_counts(fill):
    """A torch generator's seed held the low 32 of them."""
    keys = [1 + (1 << bit) for bit in (1, 31, 32, 63, 64, 127)]
    found = [fill(torch.empty(4, 6), generator=Stream(key)) for key in (1, *keys)]
    pairs = [(a, b) for i, a in enumerate(found) for b in found[:i]]
    assert not any(torch.equal(a, b) for a, b in pairs)


@every_shape
@either_dtype
def test_a_torch_generators_matrix_is_torchs(shape, dtype):
    expected, found = torch.empty(shape, dtype=dtype), torch.empty(shape, dtype=dtype)
    nn.init.orthogonal_(expected, gain=2.0, generator=torch.Generator().manual_seed(4))
    orthogonal_(found, gain=2.0, generator=torch.Generator().manual_seed(4))
    assert torch.equal(found, expected)
    torch.manual_seed(4)
    nn.init.orthogonal_(expected)
    torch.manual_seed(4)
    assert torch.equal(orthogonal_(found), expected)


@pytest.mark.usefixtures("_two_threads")
def test_a_process_of_one_thread_makes_the_same(monkeypatch):
    """As torchrun starts its ranks."""
    here = {}
    exec(DIGEST, here)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    alone = subprocess.run(
        [sys.executable, "-c", f"{DIGEST}print(digest, torch.get_num_threads())"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert alone.stdout.split() == [here["digest"], "1"]


@pytest.mark.usefixtures("_two_threads")
def test_threads_of_others_are_left_as_they_were():
    ready, done = threading.Event(), threading.Event()
    seen = []

    def other():
        seen.append(torch.get_num_threads())
        ready.set()
        done.wait(60)
        seen.append(torch.get_num_threads())

    beside = threading.Thread(target=other)
    beside.start()
    ready.wait(60)
    orthogonal_(torch.empty(20, 20), generator=Stream(1))
    done.set()
    beside.join()
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert [*seen, torch.get_num_threads()] == [2, 2, 2, 2]


@pytest.mark.usefixtures("_two_threads")
def test_many_callers_at_once_have_one_thread_each_and_leave_two():
    found = []

    def one():
        for _ in range(20):
            found.append(in_one_thread(torch.get_num_threads))
        found.append(torch.get_num_threads() - 1)

    callers = [threading.Thread(target=one) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert set(found) == {1}
    assert torch.get_num_threads() == 2


def test_an_error_in_the_one_thread_reaches_the_caller():
    before = torch.get_num_threads()

    def broken():
        raise MemoryError("no memory left")

    with pytest.raises(MemoryError, match="no memory left"):
        in_one_thread(broken)
    assert torch.get_num_threads() == before


def test_a_seed_in_place_of_a_generator_changes_nothing():
    weight = torch.full((4, 4), 7.0)
    with pytest.raises(OptionError, match="generator must be"):
        orthogonal_(weight, generator=0)
    assert (weight == 7).all()
