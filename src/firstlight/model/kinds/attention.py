"""``nn.MultiheadAttention``: queries, keys and values, packed in one matrix or apart."""

from functools import partial
from typing import Any

from firstlight.model.kinds.fused import split_rows
from firstlight.model.kinds.treatment import Kept, Matrix, Treatment, Value


def attention(module: Any, *_: object) -> dict[str, Treatment]:
    """Describe the projections in; the one out is a Linear of its own."""
    width = module.embed_dim
    packed = partial(split_rows, labels="qkv", sizes=(width,) * 3)
    apart = {f"{part}_proj_weight": Matrix(f"attention {part}") for part in "qkv"}
    extra = Kept("attention bias", "a key or value of its own, not a bias of outputs")
    return {
        "in_proj_weight": Matrix("attention", packed),
        **apart,
        "in_proj_bias": Value("bias", 0.0),
        "bias_k": extra,
        "bias_v": extra,
    }
