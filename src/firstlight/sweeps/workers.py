"""Runs in several processes of this machine, each of which may die without the others."""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from multiprocessing import get_context
from typing import Any

from firstlight.errors import FirstlightError, OptionError
from firstlight.sweeps.execution import Context, Lost, Row
from firstlight.sweeps.job import Job
from firstlight.sweeps.run_job import run_job


class Workers:
    """So many processes of one run each.

    Args:
        count: of workers.
        gpus: share of a GPU that a run takes; workers are spread over the GPUs.

    Raises:
        OptionError: there are fewer GPUs than that.
        FirstlightError: Pebble is not installed.
    """

    def __init__(self, count: int, gpus: float = 0) -> None:
        try:
            import pebble
        except ImportError as error:
            raise FirstlightError(
                "several workers need pebble: pip install 'firstlight[compare]'"
            ) from error
        self.name = f"{count} workers"
        self._devices = [visible_devices(slot, gpus) for slot in range(count)]
        self._make = pebble.ProcessPool
        # a pool each: a new process in the place of a dead one has the same GPU
        self._pools = [self._pool(slot) for slot in range(count)]

    def run(self, queue: "deque[Job]", context: Context) -> Iterator[tuple[Job, Row | Lost]]:
        """Run the jobs of ``queue``."""
        idle = list(range(len(self._pools)))
        running: dict[Future[Row], tuple[Job, int]] = {}
        while queue or running:
            while queue and idle:
                slot, job = idle.pop(0), queue.popleft()
                running[self._send(slot, job, context)] = job, slot
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                job, slot = running.pop(future)
                idle.append(slot)
                yield job, _outcome(future)

    def _send(self, slot: int, job: Job, context: Context) -> "Future[Row]":
        try:
            return self._pools[slot].schedule(run_job, args=(job, context))
        except RuntimeError:  # its process died while it took or gave a message
            self._pools[slot] = self._pool(slot)
        return self._pools[slot].schedule(run_job, args=(job, context))

    def _pool(self, slot: int) -> Any:
        return self._make(
            max_workers=1,
            context=get_context("spawn"),  # a fork of a process that has used CUDA is broken
            initializer=_prepare,
            initargs=(os.getpid(), self._devices[slot]),
        )

    def close(self) -> None:
        """End the workers."""
        for pool in self._pools:
            pool.stop()
        for pool in self._pools:
            pool.join()


def visible_devices(slot: int, gpus: float) -> str | None:
    """Return the GPUs that a worker may see, as CUDA_VISIBLE_DEVICES; None where it needs none.

    Raises:
        OptionError: there are not so many.

    Example:
        >>> visible_devices(3, 0) is None
        True
    """
    if not gpus:
        return None
    import torch

    known = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(
        map(str, range(torch.cuda.device_count()))
    )
    devices = known.split(",") if known else []
    whole = max(1, round(gpus))
    first = slot * whole if gpus >= 1 else slot // int(1 / gpus + 1e-9)
    if first + whole > len(devices):
        raise OptionError(
            f"{slot + 1} runs at once of {gpus:g} GPUs each need {first + whole} GPUs, this "
            f"machine shows {len(devices)}: fewer workers, or gpus: 0"
        )
    return ",".join(devices[first : first + whole])


def _prepare(parent: int, devices: str | None) -> None:
    """Set up a new worker: its GPU, and that it ends when the sweep does, whatever ends that."""
    if devices is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = devices
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the sweep's, which ends the workers

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _outcome(future: "Future[Row]") -> Row | Lost:
    try:
        return future.result()
    except FirstlightError as error:
        return Lost(str(error))
    except Exception as error:  # the process died, or its answer could not be sent
        from pebble import ProcessExpired

        if isinstance(error, ProcessExpired):
            code = error.exitcode
            how = f"by signal {-code}" if code and code < 0 else f"with code {code}"
            return Lost(f"its worker ended {how}")
        return Lost(f"{type(error).__name__}: {error}")
