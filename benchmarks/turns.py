"""Timing of rivals side by side."""

import math
import time
from collections.abc import Callable, Mapping


def least_seconds(actions: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Time every action in turn, so that a slow moment hits all of them."""
    least = dict.fromkeys(actions, math.inf)
    for turn in range(repeats + 1):
        for name, action in actions.items():
            begin = time.perf_counter()
            action()
            if turn > 0:  # the first turn warms caches and thread pools
                least[name] = min(least[name], time.perf_counter() - begin)
    return least
