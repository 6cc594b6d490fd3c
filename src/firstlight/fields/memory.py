"""How much memory a network's training step takes, and how many samples fit into it at once."""

import resource
from pathlib import Path

import torch
from torch import Tensor, nn

#: What a chunk's activations may take on a CPU, so that they stay in its caches.
_CACHED = 2**24
#: The part of free memory that activations may take.
_SHARE = 0.4


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

    free = psutil.virtual_memory().available
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        free = min(free, limit - psutil.Process().memory_info().vms)
    group = Path("/sys/fs/cgroup")
    try:
        most, used = (int((group / f"memory.{name}").read_text()) for name in ("max", "current"))
        free = min(free, most - used)
    except (OSError, ValueError):  # no such group, or "max": no limit
        pass
    return max(free, 0)


def chunk_size(per_sample: int, samples: int, device: torch.device) -> int:
    """Samples whose gradients are computed at once.

    On a CPU as many as its caches hold, on other devices as many as memory holds; their sum is
    the same.

    Example:
        >>> chunk_size(8192, 65536, torch.device("cpu"))
        2048
    """
    room = int(_SHARE * free_memory(device))
    if device.type == "cpu":
        room = min(room, _CACHED)
    return max(1, min(samples, max(room // per_sample, 64)))
