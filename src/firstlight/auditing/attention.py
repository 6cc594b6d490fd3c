"""How sharply attention looks: the entropy of its softmax."""

import inspect
import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from firstlight.auditing.measures import AttentionMeasures

#: What looks around.
ATTENDS = ("softmax", "scaled_dot_product_attention", "multi_head_attention_forward")
#: Rows of scores that are looked at.
_ROWS = 4096
#: Samples of which torch's whole attention layer is run again.
_SAMPLES = 4


def attention_entropy(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any, path: str
) -> AttentionMeasures | None:
    """Measure one softmax over scores, or one attention in one step.

    Returns None for a softmax over other things: over less than two places, or the network's own
    output of shape (samples, classes).
    """
    with torch.no_grad():
        if name == "softmax":
            probabilities = output.detach() if output.ndim >= 3 else None
        elif name == "multi_head_attention_forward":
            probabilities = _of_a_few(args, kwargs)
        else:
            probabilities = _recomputed(args, kwargs)
        if probabilities is None or probabilities.ndim < 2 or probabilities.shape[-1] < 2:
            return None
        looks = probabilities.reshape(-1, *probabilities.shape[-2:])
        looks = looks[: max(1, _ROWS // looks.shape[1])].float()
        # a mask hides a place from every sample; where just some probabilities are zero, all is
        # spent elsewhere
        places = (looks > 0).any(0).sum(-1)
        free = places > 1
        if not bool(free.any()):
            one = float(looks.amax(-1).mean())
            return AttentionMeasures(path, 0.0, 1.0) if one > 0.999 else None
        shares = torch.special.entr(looks[:, free]).sum(-1) / places[free].float().log()
        return AttentionMeasures(path, float(shares.mean()), float(places[free].float().mean()))


def _of_a_few(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Return the probabilities of the first samples, which torch's whole attention layer drops."""
    function = functional.multi_head_attention_forward
    named = inspect.signature(function).bind(*args, **kwargs).arguments
    if named["query"].ndim != 3:
        return None
    for name in ("query", "key", "value"):
        named[name] = named[name].detach()[:, :_SAMPLES]
    if named.get("key_padding_mask") is not None:
        named["key_padding_mask"] = named["key_padding_mask"][:_SAMPLES]
    mask = named.get("attn_mask")
    if mask is not None and mask.ndim == 3:
        named["attn_mask"] = mask[: _SAMPLES * named["num_heads"]]
    named |= {"dropout_p": 0.0, "need_weights": True, "average_attn_weights": False}
    return function(**named)[1]


def _recomputed(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Return the probabilities of the first heads, which the fused kernel keeps to itself."""
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
    named: dict[str, Any] = dict(zip(names, args, strict=False))
    named |= kwargs
    query, key, mask = named["query"].detach(), named["key"].detach(), named.get("attn_mask")
    if query.ndim < 3 or query.shape[:-2] != key.shape[:-2]:
        return None  # grouped queries: the heads differ in number
    scale = named.get("scale") or 1 / math.sqrt(query.shape[-1])
    query, key = query[:1].float(), key[:1].float()
    scores = query @ key.transpose(-2, -1) * scale
    if named.get("is_causal"):
        allowed = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        scores = scores.masked_fill(~allowed, -math.inf)
    if isinstance(mask, Tensor):
        mask = mask[:1] if mask.ndim == query.ndim and len(mask) > 1 else mask
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(-1)
