"""Which start suits a small LSTM or GRU, and does its forget gate want a bias of one?

A byte-level network (one recurrent layer of width 128) learns WikiText-2's validation text for 300
steps of AdamW, as experiments/causal_lm.py does. A start names the fill of the recurrent weights,
gate by gate; input weights are Glorot's then, and biases zero. `forget` sets the bias of the
forget gate (a GRU's update gate) to one. `python experiments/recurrent.py --out results/...`;
CELL=GRU for the GRU.
"""

import os
from collections.abc import Iterator

import torch
from _paired import TUNING_SEED, run
from causal_lm import BATCH, CONTEXT, CUT, STEPS, TEST, VALID, windows
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from firstlight.init import harmonic_, orthogonal_, variance_scaling_

CELL = os.environ.get("CELL", "LSTM")
WIDTH, EMBEDDING = 128, 64


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(256, EMBEDDING)
        self.cell = getattr(nn, CELL)(EMBEDDING, WIDTH, batch_first=True)
        self.head = nn.Linear(WIDTH, 256)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cell(self.embed(x))[0])


@torch.no_grad()
def start(model: Network, scheme: str, seed: int) -> None:
    """Fill the recurrent layer; embedding and head stay the framework's."""
    fill, _, forget = scheme.partition(", ")
    cell, generator = model.cell, torch.Generator().manual_seed(seed)
    if fill != "default":
        for part in cell.weight_ih_l0.split(WIDTH):
            variance_scaling_(part, mode="fan_avg", distribution="uniform", generator=generator)
        for layer, part in enumerate(cell.weight_hh_l0.split(WIDTH)):
            if fill == "orthogonal":
                orthogonal_(part, generator=generator)
            elif fill == "harmonic":
                harmonic_(part, layer=layer)
            else:
                variance_scaling_(part, mode="fan_avg", distribution="uniform", generator=generator)
        cell.bias_ih_l0.zero_()
        cell.bias_hh_l0.zero_()
    if forget:  # gates are stacked as i, f, g, o in an LSTM and as r, z, n in a GRU
        cell.bias_ih_l0[WIDTH : 2 * WIDTH] = 1
        cell.bias_hh_l0[WIDTH : 2 * WIDTH] = 0


def loss(model: nn.Module, batch: Tensor) -> Tensor:
    return cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())


def train(scheme: str, rate: float, seed: int) -> Iterator[float]:
    """Yield the loss in nats per byte after every tenth of the steps."""
    torch.manual_seed(seed)
    model = Network()
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
            "default, forget",
            "glorot",
            "orthogonal",
            "orthogonal, forget",
            "harmonic",
            "harmonic, forget",
        ],
        rates=[1e-3, 3e-3, 1e-2, 3e-2],
        measure="loss, nats per byte",
        larger=False,
        cell=CELL,
        context=CONTEXT,
        batch=BATCH,
        steps=STEPS,
        width=WIDTH,
    )
