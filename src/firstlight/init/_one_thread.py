"""Work whose roundings depend on the number of threads, done in one."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import torch

T = TypeVar("T")

_setting = threading.Lock()


def in_one_thread(work: Callable[[], T]) -> T:
    """Return what ``work`` returns where torch and its LAPACK have one thread.

    LAPACK's decompositions round otherwise in one thread than in two, and launchers such as
    torchrun give every rank one. Torch counts threads by the thread that asks, so a new one is
    told to take one, and what every other thread was told stays. Torch's modes stay behind, too.

    Example:
        >>> import torch
        >>> in_one_thread(torch.get_num_threads)
        1
    """

    def alone() -> T:
        with _setting:
            before = torch.get_num_threads()
            torch.set_num_threads(1)
            # a thread takes what any was told last when it first asks: those to come, as before
            _in_new_thread(lambda: torch.set_num_threads(before))
        return work()

    with _setting:
        torch.get_num_threads()  # so the caller has asked
    return _in_new_thread(alone)


def _in_new_thread(work: Callable[[], T]) -> T:
    """What ``work`` returns. Ctrl-C is passed on when it has ended, however often it is pressed.

    An interpreter that ends beside a thread in torch's code is aborted.
    """
    interrupted: KeyboardInterrupt | None = None
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    while not future.done():
        try:
            wait([future])
        except KeyboardInterrupt as error:
            interrupted = error
    pool.shutdown()
    if interrupted is not None:
        raise interrupted
    return future.result()
