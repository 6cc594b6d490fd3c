"""Run a function of this folder in real processes, one for each rank, over gloo.

One process imports torch and then forks the ranks, since importing takes longer than most tests.
"""

import contextlib
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
    command = [sys.executable, __file__, body, str(world), own, folder, *map(str, args)]
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
    import torch._dynamo  # noqa: F401 - an Embedding on the meta device does, in every rank

    body, world, own, folder, *args = sys.argv[1:]
    sys.path.insert(0, str(HERE))
    module, function = body.split(":")
    called = getattr(importlib.import_module(module), function)
    children = [
        _fork(called, rank, int(world), Path(own), Path(folder), args) for rank in range(int(world))
    ]
    statuses = [os.waitpid(child, 0)[1] for child in children]
    codes = [os.WEXITSTATUS(s) if os.WIFEXITED(s) else KILLED for s in statuses]
    (Path(own) / "codes.json").write_text(json.dumps(codes))


def _fork(called, rank, world, own, folder, args):
    child = os.fork()
    if child:
        return child
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
