"""Run a function of this folder in real processes, one for each rank, over gloo.

One process imports torch and then forks the ranks, since importing takes longer than most tests.
"""

import contextlib
import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

HERE = Path(__file__).parent
#: Exit code of a rank that a signal ended.
KILLED = -1
#: Of Linux' prctl: the signal that a process gets when its parent ends.
PARENT_ENDS = 1


def run(body, world, folder, *args, timeout=120):
    """Call ``body`` ("module:function") with (rank, world, folder, *args) in ``world`` processes.

    Returns what each rank printed; fails where one of them did.
    """
    codes, outputs = start(body, world, folder, *args, timeout=timeout)
    said = [f"--- rank {rank}\n{text}" for rank, text in enumerate(outputs)]
    assert codes == [0] * world, "\n".join([f"exit codes {codes}", *said])
    return outputs


def start(body, world, folder, *args, timeout=120):
    """As ``run``, but return exit codes and outputs, whatever they are."""
    own = Path(tempfile.mkdtemp(prefix="ranks-", dir=folder))
    command = [sys.executable, __file__, body, *map(str, (world, timeout, own, folder, *args))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    # a session of its own, so that all of them can be ended at once
    forks = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        assert forks.wait(timeout) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(forks.pid, signal.SIGKILL)
    outputs = [(own / f"rank-{rank}.txt").read_text() for rank in range(world)]
    return json.loads((own / "codes.json").read_text()), outputs


def main():
    body, world, timeout, own, folder, *args = sys.argv[1:]
    end_by_yourself(int(timeout))
    import torch._dynamo  # noqa: F401 - an Embedding on the meta device does, in every rank

    sys.path.insert(0, str(HERE))
    module, function = body.split(":")
    called = getattr(importlib.import_module(module), function)
    given = (int(world), Path(own), Path(folder), args)
    children = [_fork(called, int(timeout), rank, *given) for rank in range(int(world))]
    statuses = [os.waitpid(child, 0)[1] for child in children]
    codes = [os.WEXITSTATUS(s) if os.WIFEXITED(s) else KILLED for s in statuses]
    (Path(own) / "codes.json").write_text(json.dumps(codes))


def end_by_yourself(timeout):
    """Make this process end with its parent, and in ``timeout`` seconds at the latest.

    A pytest that is killed has no time to end a session that is not its own. The alarm is for
    systems without prctl, and for a parent that was gone before the call.
    """
    signal.alarm(timeout)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_ENDS, signal.SIGKILL)


def _fork(called, timeout, rank, world, own, folder, args):
    child = os.fork()
    if child:
        return child
    end_by_yourself(timeout)  # neither is inherited
    log = os.open(own / f"rank-{rank}.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    code = 1
    try:
        _be_rank(called, rank, world, own, folder, args)
        code = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # what gloo's own threads do at the end is none of a test's business


def _be_rank(called, rank, world, own, folder, args):
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    store = dist.FileStore(str(own / "store"), world)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world)
    called(rank, world, folder, *args)
    dist.barrier()


if __name__ == "__main__":
    main()
