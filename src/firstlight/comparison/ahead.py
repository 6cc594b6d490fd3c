"""Work done in other threads before its results are asked for."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def ahead(
    function: Callable[[_Item], _Result], items: Iterable[_Item], *, workers: int, depth: int
) -> Generator[_Result, None, None]:
    """Yield ``function(item)`` of each item, in their order.

    What ``function`` raises is raised here, in its turn. However the iteration ends, no thread
    is left: each call of ``function`` that has begun is waited for, the others never begin.

    Args:
        function: what to do; it is called in other threads.
        items: taken one by one, in this thread.
        workers: threads.
        depth: results that are made before they are asked for, at most.

    Example:
        >>> from firstlight.comparison.ahead import ahead
        >>> list(ahead(abs, range(-2, 3), workers=2, depth=2))
        [2, 1, 0, 1, 2]
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="firstlight-ahead")
    waiting: deque[Future[_Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
