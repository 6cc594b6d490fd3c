"""Should weights that are zero on purpose, at the ends of residual branches, stay zero?

A residual network of 16 blocks, x + W2 relu(W1 norm(x)), whose W2 start at zero, learns digits for
10 epochs of AdamW. `, filled` gives W2 the scheme too; the others keep the zeros.
`python experiments/zero_residual.py --out results/...`; NORM=none drops the layer norms.
"""

import os
from collections.abc import Iterator

import torch
from _digits import accuracies
from _paired import run
from torch import Tensor, nn

import firstlight

NORM = os.environ.get("NORM", "layer")
WIDTH, BLOCKS, EPOCHS = 64, 16, 10


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.Identity() if NORM == "none" else nn.LayerNorm(WIDTH)
        self.up, self.end = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.end(torch.relu(self.up(self.norm(x))))


def network() -> nn.Sequential:
    blocks = [Block() for _ in range(BLOCKS)]
    head = [nn.Identity() if NORM == "none" else nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 10)]
    return nn.Sequential(nn.Flatten(), nn.Linear(64, WIDTH), *blocks, *head)


def start(model: nn.Module, scheme: str, seed: int) -> None:
    name, _, filled = scheme.partition(", ")
    if name != "default":
        name, options = firstlight.init.parse_scheme(name)
        firstlight.initialize(model, name, seed=seed, **options)
    if not filled:
        for module in model.modules():
            if isinstance(module, Block):
                nn.init.zeros_(module.end.weight)
                nn.init.zeros_(module.end.bias)


def train(scheme: str, rate: float, seed: int) -> Iterator[float]:
    """Yield the accuracy in % after every epoch."""
    torch.manual_seed(seed)
    model = network()
    start(model, scheme, seed)
    yield from accuracies(model, rate, seed, EPOCHS)


if __name__ == "__main__":
    run(
        __doc__,
        train,
        [
            "default",
            "default, filled",
            "he_normal",
            "he_normal, filled",
            "harmonic",
            "harmonic, filled",
        ],
        rates=[1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
        measure="accuracy, %",
        larger=True,
        norm=NORM,
        width=WIDTH,
        blocks=BLOCKS,
        epochs=EPOCHS,
    )
