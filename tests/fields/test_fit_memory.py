"""What a step takes, against what torch allocates; free memory under limits; room for chunks."""

import math
import subprocess
import sys

import pytest
import torch
from small_fits import NETWORKS
from torch.utils._python_dispatch import TorchDispatchMode

from firstlight.errors import FirstlightError
from firstlight.fields import memory
from firstlight.fields.memory import (
    bytes_per_sample,
    check_chunk,
    check_weights,
    chunk_size,
    free_memory,
    memory_told,
)

CPU = torch.device("cpu")


class Held(TorchDispatchMode):
    """Counts the bytes of all storages that operations make and that are still alive."""

    def __init__(self):
        super().__init__()
        self.peak, self._alive = 0, {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        from torch.multiprocessing.reductions import StorageWeakRef
        from torch.utils._pytree import tree_leaves

        made = function(*args, **(kwargs or {}))
        for each in tree_leaves(made):
            if isinstance(each, torch.Tensor):
                storage = each.untyped_storage()
                self._alive[StorageWeakRef(storage)] = storage.nbytes()
        self._alive = {ref: size for ref, size in self._alive.items() if not ref.expired()}
        self.peak = max(self.peak, sum(self._alive.values()))
        return made


def peak_of_a_step(network, count):
    with Held() as held:
        network(torch.zeros(count, 2)).square().sum().backward()
    return held.peak


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("width", [24, 96])
def test_bytes_are_near_what_a_step_really_takes(name, width):
    from dataclasses import replace

    module = replace(
        NETWORKS[name], width=width, depth=5, **({"band": 60} if name == "tuner" else {})
    ).build(2, 1)
    module(torch.zeros(4, 2)).sum().backward()  # gradients are there already
    few, many = (peak_of_a_step(module, count) for count in (1024, 2048))
    counted, real = bytes_per_sample(module, 2), (many - few) / 1024
    # what the backward pass holds for a moment comes on top
    assert counted <= 1.05 * real
    assert real <= 1.7 * counted + 200


def test_bytes_of_a_network_that_can_be_counted_by_hand():
    module = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    assert bytes_per_sample(module, 2) == 4 * (2 + 8)
    linear = torch.nn.Linear(3, 1)
    assert bytes_per_sample(linear, 3) == 12


@pytest.mark.parametrize("free", [0, 1, 10**4, 10**6, 2**40])
@pytest.mark.parametrize("per_sample", [4, 1000, 10**9])
@pytest.mark.parametrize("samples", [1, 63, 10**6])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_chunk_is_never_empty_nor_more_than_there_is(
    monkeypatch, free, per_sample, samples, device
):
    monkeypatch.setattr(memory, "free_memory", lambda _: free)
    chunk = chunk_size(per_sample, samples, torch.device(device))
    assert 1 <= chunk <= samples
    assert chunk <= 64 or chunk * per_sample <= 0.4 * free
    if device == "cpu":
        assert chunk <= 64 or chunk * per_sample <= 2**24


def test_a_little_less_free_memory_does_not_change_the_chunks(monkeypatch):
    chunks = set()
    for free in (1.7e9, 1.8e9, 1.9e9):
        monkeypatch.setattr(memory, "free_memory", lambda _, free=free: int(free))
        chunks.add(chunk_size(5000, 10**9, torch.device("cuda")))
    assert len(chunks) == 1
    assert chunks.pop() > 64


LIMITED = """
import resource, sys, torch
from firstlight.fields.memory import free_memory
import psutil
psutil.virtual_memory()
kind = getattr(resource, sys.argv[1])
before = free_memory(torch.device("cpu"))
used = psutil.Process().memory_info()
used = used.vms if sys.argv[1] == "RLIMIT_AS" else used.data
resource.setrlimit(kind, (used + 2**28, resource.RLIM_INFINITY))
print(before, free_memory(torch.device("cpu")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
@pytest.mark.parametrize("kind", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_limits_of_the_process_count(kind):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, kind], capture_output=True, text=True, check=True
    )
    before, after = map(int, done.stdout.split())
    assert before > 2**28 >= after > 2**28 - 2**25


def group(root, path, **files):
    folder = root / path.lstrip("/")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(str(text))


def left(tmp_path, lines):
    own = tmp_path / "cgroup"
    own.write_text(lines)
    return memory._left_of_groups(own, tmp_path)


def test_the_group_and_those_above_it_count(tmp_path):
    stat = "anon 5\ninactive_file 300\n"
    top = "/sys/fs/cgroup"
    group(tmp_path, f"{top}/a", memory_max=5000, memory_current=2000, memory_stat=stat)
    group(tmp_path, f"{top}/a/b", memory_max="max", memory_current=1500, memory_stat=stat)
    assert left(tmp_path, "0::/a/b\n") == [3300]  # files that were read make room
    group(tmp_path, f"{top}/a/b", memory_max=1600)
    assert sorted(left(tmp_path, "0::/a/b\n")) == [400, 3300]


def test_a_container_has_its_group_at_the_top(tmp_path):
    group(tmp_path, "/sys/fs/cgroup", memory_max=900, memory_current=100, memory_stat="")
    assert left(tmp_path, "0::/docker/1234\n") == [800]


def test_the_older_kind_of_groups(tmp_path):
    folder = tmp_path / "sys/fs/cgroup/memory/job"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("1000")
    (folder / "memory.usage_in_bytes").write_text("700")
    (folder / "memory.stat").write_text("total_inactive_file 50")
    assert left(tmp_path, "4:cpu,cpuacct:/x\n3:memory:/job\n") == [350]


@pytest.mark.parametrize("lines", ["", "0::/\n", "nonsense\n"])
def test_no_group_has_no_limit(tmp_path, lines):
    assert left(tmp_path, lines) == []


def test_free_memory_is_the_least_of_all(monkeypatch):
    monkeypatch.setattr(memory, "_left_of_groups", lambda: [10**6, 777])
    assert free_memory(CPU) == 777
    monkeypatch.setattr(memory, "_left_of_groups", lambda: [-5])
    assert free_memory(CPU) == 0


def test_what_does_not_fit_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda _: 10 * 2**20)
    check_weights(10**5, CPU)
    check_chunk(1000, 1000, CPU)
    with pytest.raises(FirstlightError, match=r"1,000,000 weights .* take 19 MiB, and 10 MiB are"):
        check_weights(10**6, CPU)
    with pytest.raises(FirstlightError, match=r"activations of 64 samples at once take 61 MiB"):
        check_chunk(10**6, 64, CPU)


def test_running_out_is_said_in_one_line():
    with (
        pytest.raises(FirstlightError, match="memory ran out while fitting; take a smaller"),
        memory_told("fitting"),
    ):
        torch.empty(2**55)
    with pytest.raises(RuntimeError, match="other"), memory_told("fitting"):
        raise RuntimeError("other")
    assert math.isfinite(free_memory(CPU))
