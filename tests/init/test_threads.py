"""Fills use torch's threads, leave its settings alone, and give the same values in any number."""

import faulthandler
import os
import random
import signal
import threading
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from firstlight.init import Stream, harmonic_, orthogonal_, sinusoidal_, variance_scaling_

SHAPE = (1200, 1500)
FILLS = {
    "normal": lambda w: variance_scaling_(w, generator=Stream(1)),
    "truncated": lambda w: variance_scaling_(
        w, distribution="truncated_normal", generator=Stream(1)
    ),
    "harmonic": harmonic_,
    "sinusoidal": sinusoidal_,
    "orthogonal": lambda w: orthogonal_(w, generator=Stream(1)),
}
every_fill = pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS)


@pytest.fixture(autouse=True)
def _threads_again():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@every_fill
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_do_not_depend_on_the_number_of_threads(fill, dtype):
    found = []
    for threads in (1, 2, 3, 8):
        torch.set_num_threads(threads)
        found.append(fill(torch.empty(SHAPE, dtype=dtype)))
        assert torch.get_num_threads() == threads
    assert all(torch.equal(found[0], other) for other in found[1:])


def test_torchs_settings_and_the_processs_threads_are_left_as_they_were():
    torch.set_num_threads(2)
    before = torch.get_num_threads(), torch.get_num_interop_threads(), threading.active_count()
    for fill in FILLS.values():
        fill(torch.empty(SHAPE))
    assert before == (
        torch.get_num_threads(),
        torch.get_num_interop_threads(),
        threading.active_count(),
    )


def test_several_threads_are_at_work(monkeypatch):
    from firstlight.init import distributions

    seen = set()
    real = distributions.Normal.fill

    def noted(self, words, out):
        seen.add(threading.get_ident())
        real(self, words, out)

    monkeypatch.setattr(distributions.Normal, "fill", noted)
    torch.set_num_threads(2)
    FILLS["normal"](torch.empty(3000, 3000))
    assert len(seen) == 2
    assert threading.get_ident() not in seen


def test_an_error_in_a_thread_reaches_the_caller(monkeypatch):
    from firstlight.init import distributions

    def broken(self, words, out):
        raise MemoryError("no memory left")

    monkeypatch.setattr(distributions.Normal, "fill", broken)
    torch.set_num_threads(2)
    with pytest.raises(MemoryError, match="no memory left"):
        FILLS["normal"](torch.empty(SHAPE))


@every_fill
def test_fills_of_several_callers_at_once_are_right(fill):
    expected, found = fill(torch.empty(SHAPE)), [None] * 4

    def one(place):
        found[place] = fill(torch.empty(SHAPE))

    callers = [threading.Thread(target=one, args=(place,)) for place in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert all(torch.equal(expected, weight) for weight in found)


@every_fill
def test_a_fork_fills_the_same_values(fill, tmp_path):
    """Torch's threads do not outlive a fork, and a child that waits for them never ends."""
    torch.set_num_threads(2)
    before = _system_threads()
    expected, log = fill(torch.empty(SHAPE)), tmp_path / "child.txt"
    log.touch()
    _wait(lambda: _system_threads() <= before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads, from 3.12 on
        child = os.fork()
    if child == 0:
        _in_the_child(fill, expected, log)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, log.read_text()


def _system_threads():
    """Count the threads of this process as the system sees them; 0 where it does not tell."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 0


def _wait(over, seconds=0.5):
    """Wait until threads that Python has joined are gone.

    They end a moment later, and a child that is forked in that moment inherits the C library's
    locks as they hold them: its next thread would wait for ever.
    """
    end = time.monotonic() + seconds
    while not over() and time.monotonic() < end:
        time.sleep(0.005)


def _in_the_child(fill, expected, log):
    """End this process whatever happens: a child that went on would be a second pytest."""
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # pytest's own handler would raise
        signal.alarm(60)  # ends it, if it waits
        with log.open("w") as file:
            faulthandler.dump_traceback_later(40, file=file)
            torch.set_num_threads(2 if fill in (FILLS["normal"], FILLS["truncated"]) else 1)
            same = (fill(torch.empty(SHAPE)).numpy() == expected.numpy()).all()
            code = 0 if same else 1
    except BaseException:
        log.write_text(traceback.format_exc())
    finally:
        os._exit(code)


@every_fill
def test_modes_of_the_caller_hold_in_the_threads(fill):
    expected = fill(torch.empty(SHAPE, dtype=torch.float16))
    with torch.inference_mode():
        assert torch.equal(fill(torch.empty(SHAPE, dtype=torch.float16)), expected)
    with torch.no_grad():
        assert torch.equal(fill(torch.empty(SHAPE, dtype=torch.float16)), expected)
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    weight = torch.nn.Parameter(torch.empty(SHAPE, dtype=torch.float16))
    assert torch.equal(fill(weight), expected)
    assert weight.is_leaf
    with torch.device("meta"):
        assert torch.equal(fill(torch.empty(SHAPE, dtype=torch.float16, device="cpu")), expected)


@every_fill
def test_parameters_of_which_no_matrix_is_a_view(fill):
    """Their rows are copied in by the threads, which must not record that."""
    torch.set_num_threads(2)
    shape = (200, 300, 3, 3)
    weight = torch.nn.Parameter(torch.empty(shape).to(memory_format=torch.channels_last))
    assert fill(weight).grad_fn is None
    assert torch.equal(weight, fill(torch.empty(shape)))


@every_fill
def test_autograd_is_told_of_the_write(fill):
    weight = torch.zeros(SHAPE, requires_grad=True)
    value = (weight * weight).sum()
    fill(weight)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


@every_fill
@pytest.mark.parametrize("shape", [(7, 9), SHAPE])
def test_a_tensors_version_rises(fill, shape):
    weight = torch.empty(shape)
    before = weight._version
    fill(weight)
    assert weight._version > before


def test_a_torch_generator_is_advanced_and_repeatable():
    def drawn(seed):
        generator = torch.Generator().manual_seed(seed)
        states = [generator.get_state()]
        for _ in range(2):
            yield variance_scaling_(torch.empty(SHAPE), generator=generator)
            states.append(generator.get_state())
        assert not torch.equal(states[0], states[1])
        assert not torch.equal(states[1], states[2])

    (first, second), again, (other, _) = drawn(1), [*drawn(1)], drawn(2)
    assert torch.equal(first, again[0])
    assert torch.equal(second, again[1])
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


def test_global_random_states_are_left_alone_by_a_stream():
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    for fill in FILLS.values():
        fill(torch.empty(SHAPE))
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()
    assert (before[2] == np.random.get_state()[1]).all()


def test_torchs_seed_governs_where_nothing_is_given():
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append((variance_scaling_(torch.empty(9, 9)), variance_scaling_(torch.empty(9, 9))))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
    assert not torch.equal(found[0][0], found[0][1])
    assert not torch.equal(found[0][0], found[2][0])
