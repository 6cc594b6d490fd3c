"""Which start suits the blocks of a small GPT-2?

A byte-level GPT-2 (Hugging Face's, 2 blocks of width 64) learns WikiText-2's validation text for
300 steps of AdamW; the loss is measured on the test text, while tuning is judged on validation
text that is not trained on. Embeddings keep their N(0, 0.02^2); only the weights inside the blocks
differ. `, scaled` divides those that end a residual branch by sqrt(2 L), as the default does.
`python experiments/causal_lm.py --out results/...`
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from _paired import TUNING_SEED, run
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from firstlight.init import SCHEMES, parse_scheme
from firstlight.init.schemes import Place
from firstlight.model import _torchvision

_torchvision.prepare()  # transformers imports it
from transformers import GPT2Config, GPT2LMHeadModel  # noqa: E402
from transformers.pytorch_utils import Conv1D  # noqa: E402

TEXT = Path("../shared/data/text")
CONTEXT, BATCH, STEPS, WIDTH, BLOCKS = 64, 16, 300, 64, 2


def text(name: str) -> Tensor:
    content = (TEXT / f"wikitext2-{name}.txt").read_bytes()
    return torch.from_numpy(np.frombuffer(content, dtype=np.uint8).astype(np.int64))


VALID, TEST = text("valid"), text("test")
CUT = len(VALID) * 9 // 10


def windows(source: Tensor, count: int, seed: int) -> Tensor:
    """Return ``count`` pieces of one byte more than the context."""
    starts = np.random.default_rng(seed).integers(0, len(source) - CONTEXT - 1, count)
    return source[torch.from_numpy(starts)[:, None] + torch.arange(CONTEXT + 1)]


def network() -> nn.Module:
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=256,
            n_positions=CONTEXT,
            n_embd=WIDTH,
            n_layer=BLOCKS,
            n_head=2,
            resid_pdrop=0,
            embd_pdrop=0,
            attn_pdrop=0,
            bos_token_id=None,
            eos_token_id=None,
        )
    )


def start(model: nn.Module, scheme: str, seed: int) -> None:
    """Fill the blocks' weights; query, key and value are three matrices."""
    name, _, scaled = scheme.partition(", ")
    if name == "default":
        return
    name, options = parse_scheme(name)
    generator = torch.Generator().manual_seed(seed)
    convolutions = [m for m in model.named_modules() if isinstance(m[1], Conv1D)]
    layer = 0
    for path, module in convolutions:
        matrix = module.weight.data.T  # Conv1D holds (in, out)
        for part in matrix.split(WIDTH) if path.endswith("c_attn") else [matrix]:
            place = Place("hidden", 4 * BLOCKS, layer, generator)
            SCHEMES[name](part, place, options)
            layer += 1
        if scaled and path.endswith("c_proj"):
            module.weight.data.div_(math.sqrt(2 * BLOCKS))


def loss(model: nn.Module, batch: Tensor) -> Tensor:
    logits = model(batch[:, :-1]).logits
    return cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())


def train(scheme: str, rate: float, seed: int) -> Iterator[float]:
    """Yield the loss in nats per byte after every tenth of the steps."""
    torch.manual_seed(seed)
    model = network()
    start(model, scheme, seed)
    judged = windows(VALID[CUT:] if seed >= TUNING_SEED else TEST, 256, 0)
    batches = windows(VALID[:CUT], STEPS * BATCH, seed).split(BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.01, fused=True)
    for step, batch in enumerate(batches, 1):
        optimizer.zero_grad()
        loss(model, batch).backward()
        optimizer.step()
        if step % (STEPS // 10) == 0:
            with torch.no_grad():
                yield loss(model, judged).item()


if __name__ == "__main__":
    run(
        __doc__,
        train,
        [
            "default",
            "glorot_uniform",
            "glorot_uniform, scaled",
            "he_normal",
            "sinusoidal",
            "sinusoidal, scaled",
            "harmonic:gain=1",
            "harmonic:gain=1, scaled",
        ],
        rates=[1e-3, 3e-3, 1e-2],
        measure="loss, nats per byte",
        larger=False,
        context=CONTEXT,
        batch=BATCH,
        steps=STEPS,
        width=WIDTH,
        blocks=BLOCKS,
    )
