"""The results of a sweep's folder as one table."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from firstlight.errors import FirstlightError
from firstlight.sweeps.store import RunStore

INDEX = "index.parquet"


def read_results(out: str | Path, *, tuning: bool = False, failed: bool = False) -> pd.DataFrame:
    """Return one row per run, or two where a run belongs to two forms of the comparison.

    Runs that an earlier spec or other code left in the folder are not among them.

    Args:
        out: folder of a sweep.
        tuning: also the runs that chose learning rates, judged on held-out training data.
        failed: also the runs that crashed or were lost.

    Raises:
        FirstlightError: the folder holds no sweep.

    Example:
        >>> read_results("no/such/folder")
        Traceback (most recent call last):
        firstlight.errors.FirstlightError: no/such/folder holds no sweep: it has no index.parquet
    """
    out = Path(out)
    path = out / INDEX
    if not path.exists():
        raise FirstlightError(f"{out} holds no sweep: it has no {INDEX}")
    try:
        index = pd.read_parquet(path, columns=["key", "form", "tuning"])
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise FirstlightError(f"{path} cannot be read: {error}") from error
    store = RunStore(out)
    runs = store.frame(index["key"])
    if failed:
        others = store.failures()
        runs = pd.concat([runs, others[~others["key"].isin(set(runs["key"]))]])
    found = index.merge(runs, on="key", how="inner", sort=False)
    found = found if tuning else found[~found["tuning"]]
    return found.drop(columns=[] if tuning else ["tuning"]).reset_index(drop=True)
