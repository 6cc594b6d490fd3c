"""How much memory a network's training step takes, and how many samples fit into it at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from firstlight.errors import FirstlightError

#: What a chunk's activations may take on a CPU, so that they stay in its caches.
_CACHED = 2**24
#: The part of free memory that activations may take.
_SHARE = 0.4
#: Samples that are computed at once even where memory is short.
_LEAST = 64
#: Copies of the weights: themselves, gradients, the best ones, Adam's two moments.
_COPIES = 5
#: How Linux calls the limits and the use of memory in its two kinds of control groups.
_GROUPS = (
    ("", "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    (
        "memory",
        "/sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)


def bytes_per_sample(network: nn.Module, inputs: int) -> int:
    """Bytes that backpropagation keeps for one more sample, counted in a small forward pass.

    Example:
        >>> bytes_per_sample(nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)), 2)
        40
    """
    few, more = (_kept(network, count, inputs) for count in (8, 72))
    return max(4 * inputs, (more - few) // 64)


def _kept(network: nn.Module, count: int, inputs: int) -> int:
    """Bytes of the storages that autograd keeps for a backward pass."""
    storages: dict[int, int] = {}
    device = next(network.parameters()).device

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = network(torch.zeros(count, inputs, device=device))
        total = sum(storages.values())
    del kept
    return total


def free_memory(device: torch.device) -> int:
    """Bytes that this process may still take on a device: what the system and its limits leave."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    import psutil

    left = [psutil.virtual_memory().available, *_left_of_limits(), *_left_of_groups()]
    return max(min(left), 0)


def _left_of_limits() -> list[int]:
    """What the limits of this process (``ulimit -v`` and ``-d``) leave."""
    import psutil

    try:
        import resource
    except ImportError:  # Windows has none
        return []
    used = psutil.Process().memory_info()
    limits = ((resource.RLIMIT_AS, "vms"), (resource.RLIMIT_DATA, "data"))
    return [
        limit - getattr(used, name)
        for kind, name in limits
        if (limit := resource.getrlimit(kind)[0]) != resource.RLIM_INFINITY and hasattr(used, name)
    ]


def _left_of_groups(own: Path = Path("/proc/self/cgroup"), root: Path = Path("/")) -> list[int]:
    """What the control groups that this process is in leave: a container's memory, for one."""
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:  # not on Linux
        return []
    left = []
    for controller, mount, *names in _GROUPS:
        for _, controllers, inside in (line for line in lines if len(line) == 3):
            if controller not in controllers.split(","):
                continue
            top = root / mount.lstrip("/")
            below = Path(inside.lstrip("/"))
            # in a container the path is that of the host, and its own group stands at the top
            for folder in (top / below, *(top / each for each in below.parents)):
                left += _left_of_group(folder, *names)
    return left


def _left_of_group(folder: Path, most: str, used: str, idle: str) -> list[int]:
    try:
        limit, taken = (int((folder / name).read_text()) for name in (most, used))
        statistics = (folder / "memory.stat").read_text().split()
    except (OSError, ValueError):  # no such group, or "max": no limit
        return []
    counted = dict(zip(statistics[::2], statistics[1::2], strict=False))
    # files that were read count as used, but make room
    return [limit - taken + int(counted.get(idle, 0))]


def chunk_size(per_sample: int, samples: int, device: torch.device) -> int:
    """Samples whose gradients are computed at once.

    On a CPU as many as its caches hold, on other devices as many as memory holds; their sum is
    the same. Where memory counts it is a power of two, so that a little less free memory does not
    change the order of the sum.

    Example:
        >>> chunk_size(8192, 65536, torch.device("cpu"))
        2048
    """
    room = int(_SHARE * free_memory(device)) // per_sample
    most = max(_LEAST, 1 << (room.bit_length() - 1) if room else 0)
    if device.type == "cpu":
        most = max(_LEAST, min(most, _CACHED // per_sample))
    return max(1, min(samples, most))


def check_weights(numbers: int, device: torch.device) -> None:
    """Raise ``FirstlightError`` unless a network of so many numbers can be trained here."""
    _check(_COPIES * 4 * numbers, device, f"{numbers:,} weights and their gradients and moments")


def check_chunk(per_sample: int, chunk: int, device: torch.device) -> None:
    """Raise ``FirstlightError`` unless a chunk's activations fit."""
    _check(per_sample * chunk, device, f"the activations of {chunk} samples at once")


@contextmanager
def memory_told(what: str) -> Iterator[None]:
    """Say in one line that memory ran out.

    Raises:
        FirstlightError: something within could not get memory.

    Example:
        >>> with memory_told("fitting"):
        ...     raise MemoryError
        Traceback (most recent call last):
        firstlight.errors.FirstlightError: memory ran out while fitting; take a smaller network, \
signal or batch
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch on a CPU has no type of its own for this
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        raise FirstlightError(
            f"memory ran out while {what}; take a smaller network, signal or batch"
        ) from error


def _check(needed: int, device: torch.device, what: str) -> None:
    if needed > (free := free_memory(device)):
        raise FirstlightError(
            f"too little memory: {what} take {_mebibytes(needed)}, and {_mebibytes(free)} are free "
            f"on {device}; take a smaller width or depth"
        )


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"
