"""CPU time of training deep, narrow networks stacked, against a plain loop over each of them.

Three seeds at six learning rates, batches of 64, Adam, one thread; what is compared is the time of
an update of one network. Plain: torch eager, one network after another, `torch.optim.Adam`. Both in
turn in one process. The bar is for 16 wide; wider ones have less to gain. Run by `make bench`.
"""

import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from torch.nn.functional import cross_entropy

from firstlight.comparison.data import load
from firstlight.studies import DeepNetwork
from firstlight.studies.depth_training import Samples, train_replicas

SEEDS, RATES, BATCH = (0, 1, 2), (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3), 64
#: Width, hidden layers, and updates to time.
CASES = ((16, 50, 40), (16, 100, 20), (16, 1000, 3), (64, 50, 10))
REPEATS = 2
BAR = 0.2


def plain(network: DeepNetwork, x: torch.Tensor, y: torch.Tensor) -> Callable[[int], None]:
    """The loop that everyone writes, over one network."""
    module = network.build()
    optimizer = torch.optim.Adam(module.parameters(), lr=RATES[0])

    def loop(steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            cross_entropy(module(x), y).backward()
            optimizer.step()

    return loop


def stacked(network: DeepNetwork, samples: Samples) -> Callable[[int], float]:
    """Ours: seconds of so many updates of all networks, without the judging before and after."""
    modules = [network.build() for _ in SEEDS]

    def train(steps: int) -> float:
        marks: list[float] = []
        train_replicas(
            modules,
            SEEDS,
            RATES,
            samples,
            optimizer="adam",
            batch_size=BATCH,
            judged_at=(steps + 1,),
            after_step=lambda _: marks.append(time.process_time()),
        )
        return marks[-1] - marks[0]  # the first update also makes the moments

    return train


def share(width: int, depth: int, steps: int, samples: Samples) -> tuple[float, float]:
    """Milliseconds of an update of one network: plain, and ours; the least of several turns."""
    network = DeepNetwork(64, 10, (width,), depth)
    loop = plain(network, samples.first(BATCH), samples.train.labels[:BATCH])
    train = stacked(network, samples)
    loop(2)
    theirs, ours = [], []
    for _ in range(REPEATS):
        begin = time.process_time()
        loop(steps)
        theirs.append((time.process_time() - begin) / steps)
        ours.append(train(steps) / steps / (len(SEEDS) * len(RATES)))
    return 1000 * min(theirs), 1000 * min(ours)


def main() -> int:
    torch.set_num_threads(1)
    samples = Samples.of(load("digits"), None)
    table = Table(title=f"CPU time of an update, {len(SEEDS) * len(RATES)} networks at once")
    for heading in ("network", "plain loop, ms", "ours, ms a network", "ours / plain"):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    ratios = {}
    for width, depth, steps in CASES:
        theirs, ours = share(width, depth, steps, samples)
        ratios[width, depth] = ours / theirs
        found = (f"{theirs:.2f}", f"{ours:.3f}", f"{ours / theirs:.3f}")
        table.add_row(f"{width} wide, {depth} layers", *found)
    Console().print(table)
    worst = max(ratio for (width, _), ratio in ratios.items() if width == 16)
    met = worst <= BAR
    print(f"16 wide: at most {worst:.3f} of the plain loop's time (bar {BAR}): ", end="")
    print("ok" if met else "MISSED")
    return int(not met)


if __name__ == "__main__":
    raise SystemExit(main())
