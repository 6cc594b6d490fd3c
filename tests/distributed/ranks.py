"""Run a function of this folder in real processes, one for each rank, over gloo."""

import importlib
import os
import subprocess
import sys
import traceback
from pathlib import Path

HERE = Path(__file__).parent


def run(body, world, folder, *args, timeout=240):
    """Call ``body`` ("module:function") with (rank, world, folder, *args) in ``world`` processes.

    Returns what each rank printed; fails where one of them did.
    """
    codes, outputs = start(body, world, folder, *args, timeout=timeout)
    assert all(code == 0 for code in codes), "\n".join(outputs)
    return outputs


def start(body, world, folder, *args, timeout=240):
    """As ``run``, but return exit codes and outputs, whatever they are."""
    store = folder / f"store-{world}-{len(list(folder.iterdir()))}"
    ranks = [
        subprocess.Popen(
            [sys.executable, __file__, body, str(rank), str(world), store, folder, *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for rank in range(world)
    ]
    try:
        outputs = [rank.communicate(timeout=timeout)[0] for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    return [rank.returncode for rank in ranks], outputs


def main():
    import torch
    import torch.distributed as dist

    body, rank, world, store, folder, *args = sys.argv[1:]
    module, function = body.split(":")
    sys.path.insert(0, str(HERE))
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", store=dist.FileStore(store, int(world)), rank=int(rank), world_size=int(world)
    )
    code = 0
    try:
        getattr(importlib.import_module(module), function)(
            int(rank), int(world), Path(folder), *args
        )
        dist.barrier()
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # what gloo's own threads do at the end is none of a test's business


if __name__ == "__main__":
    main()
