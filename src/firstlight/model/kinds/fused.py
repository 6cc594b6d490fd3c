"""Projections fused into one matrix: which of its rows are queries, keys, values, gates.

Libraries fuse in three ways: one part after the other (``qkv``), the same with fewer keys and
values than queries (grouped-query attention), or head by head (``query_key_value``). The names
below are those of timm, torchvision, Hugging Face and the authors of ViT-PyTorch; sizes are read
off the modules around. Where the sizes do not add up the matrix stays whole.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from firstlight.model.kinds.treatment import Part, Split

_QKV = frozenset({"qkv", "to_qkv", "Wqkv", "c_attn", "qkv_proj", "in_proj_qkv", "W_pack"})
_PER_HEAD = frozenset({"query_key_value"})
_KV = frozenset({"kv", "to_kv", "kv_proj"})
_GATED = frozenset({"gate_up_proj", "w12", "Wi"})
#: Attention whose queries and keys are narrower than its values, in an order of its own.
_UNEQUAL = ("key_dim", "key_attn_dim", "qk_dim")
#: Modules whose first layer holds a gate and a value one after the other, by class.
_GATED_CLASSES = frozenset({"GluMlp"})
#: Attention that was trained in several shards, each with its own parts, by class.
_SHARDED = {"CodeGenAttention": (4, "qvk")}


def fused_rows(parent: nn.Module, local: str, outputs: int, inputs: int) -> Split | None:
    """Return the split of a fused projection called ``local`` in ``parent``; None if it is none.

    Example:
        >>> from torch import nn
        >>> fused_rows(nn.Module(), "qkv", 12, 4)(nn.Linear(4, 12).weight)[1].label
        '[k]'
    """
    if local in _QKV and not any(hasattr(parent, name) for name in _UNEQUAL):
        sharded = _SHARDED.get(type(parent).__name__)
        if sharded is not None:
            return _per_shard(*sharded, outputs)
        # GPT-BigCode's c_attn goes head by head unless all heads share one key
        one_key = getattr(parent, "multi_query", True)
        if getattr(parent, "head_first", False) or not one_key:
            return _per_head(parent, outputs)
        return _in_runs("qkv", _qkv_sizes(parent, outputs, inputs))
    if local in _PER_HEAD:
        return _per_head(parent, outputs)
    if local in _KV and outputs % 2 == 0:
        return _in_runs("kv", (outputs // 2, outputs // 2))
    gated = local in _GATED or (local == "fc1" and type(parent).__name__ in _GATED_CLASSES)
    if gated and outputs % 2 == 0:
        labels = ("up", "gate") if getattr(parent, "gate_last", False) else ("gate", "up")
        return _in_runs(labels, (outputs // 2, outputs // 2))
    return None


def _qkv_sizes(parent: nn.Module, outputs: int, inputs: int) -> tuple[int, ...] | None:
    heads, groups, size = (_number(parent, names) for names in (_HEADS, _KEY_HEADS, _HEAD_SIZE))
    size = size or (inputs // heads if heads else 0)
    if heads and groups and size and (heads + 2 * groups) * size == outputs:
        return heads * size, groups * size, groups * size
    if outputs == inputs + 2 * size and getattr(parent, "multi_query", False):
        return inputs, size, size
    if outputs == 2 * inputs:
        return None  # keys and values alone, or groups that nothing tells of
    return (outputs // 3,) * 3 if outputs % 3 == 0 else None


def _per_head(parent: nn.Module, outputs: int) -> Split | None:
    """Return the split of GPT-NeoX, Bloom and Falcon: q, k and v of one head, then the next."""
    heads, groups, size = (_number(parent, names) for names in (_HEADS, _KEY_HEADS, _HEAD_SIZE))
    if not heads or not size:
        return None
    one_key = bool(getattr(parent, "multi_query", False))
    new = bool(getattr(parent, "new_decoder_architecture", False))
    if one_key and not new and outputs == (heads + 2) * size:
        return _in_runs("qkv", (heads * size, size, size))
    groups = groups if new and groups else heads
    shares = heads // groups
    if outputs != groups * (shares + 2) * size:
        return None
    return partial(_split_heads, groups=groups, shares=shares, size=size)


def _split_heads(weight: Tensor, groups: int, shares: int, size: int) -> list[Part]:
    runs = weight.unflatten(0, (groups, shares + 2, size))
    queries = runs[:, :shares].flatten(1, 2)
    return [
        Part("[q]", queries, runs=True),
        Part("[k]", runs[:, shares], runs=True),
        Part("[v]", runs[:, shares + 1], runs=True),
    ]


def _per_shard(shards: int, labels: str, outputs: int) -> Split | None:
    if outputs % (shards * len(labels)):
        return None
    return partial(_split_shards, shards=shards, labels=labels)


def _split_shards(weight: Tensor, shards: int, labels: str) -> list[Part]:
    runs = weight.unflatten(0, (shards, len(labels), -1))
    return [Part(f"[{label}]", runs[:, place], runs=True) for place, label in enumerate(labels)]


def _in_runs(labels: Sequence[str], sizes: tuple[int, ...] | None) -> Split | None:
    return partial(split_rows, labels=labels, sizes=sizes) if sizes else None


def split_rows(weight: Tensor, labels: Sequence[str], sizes: Sequence[int]) -> list[Part]:
    """Return consecutive rows as matrices of their own.

    Example:
        >>> import torch
        >>> [part.shape for part in split_rows(torch.empty(6, 5), "kv", (4, 2))]
        [(4, 5), (2, 5)]
    """
    return [
        Part(f"[{label}]", rows)
        for label, rows in zip(labels, weight.split(list(sizes)), strict=True)
    ]


_HEADS = ("num_heads", "num_attention_heads", "n_heads", "n_head", "heads")
_KEY_HEADS = ("num_key_value_heads", "num_kv_heads", "kv_heads", "n_kv_heads")
_HEAD_SIZE = ("head_dim", "head_size", "dim_head")


def _number(parent: nn.Module, names: Sequence[str]) -> int:
    """Return the first of the whole numbers called ``names``, in the module or its config."""
    for owner in (parent, getattr(parent, "config", None)):
        for name in names:
            found: Any = getattr(owner, name, None)
            if isinstance(found, int) and found > 0:
                return found
    return 0
