"""Finished parts of a measurement, kept on disk so that the same command goes on with the rest."""

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from firstlight.files import write_atomically
from firstlight.papers.work import Work
from firstlight.sweeps.job import code_version

if TYPE_CHECKING:
    import pandas as pd

#: Settings that list the parts: another list changes none of them.
_LISTS = ("schemes", "seeds", "models")


def part(
    work: Work, name: str, make: Callable[[], "pd.DataFrame"], what: str = ""
) -> "pd.DataFrame":
    """Return a part that is on disk, or make it and put it there.

    Args:
        work: whose settings it belongs to: under others it is made anew, but for those that list
            schemes, seeds and models.
        name: of the part, with its scheme, seed and model; of letters that a file name may have.
        make: measures it.
        what: else decides it, as what a model's name stands for.

    Example:
        >>> import pandas as pd
        >>> len(part(Work({}), "one", lambda: pd.DataFrame({"x": [1, 2]})))
        2
    """
    import pandas as pd

    if work.runs is None:
        return make()
    own = {key: value for key, value in work.settings.items() if key not in _LISTS}
    data = str(work.data and work.data.absolute())
    settings = json.dumps([own, what, data, code_version()], sort_keys=True).encode()
    path = work.runs / f"{name}-{hashlib.blake2b(settings, digest_size=6).hexdigest()}.parquet"
    if path.exists():
        return pd.read_parquet(path)
    made = make()
    write_atomically(path, lambda temporary: made.to_parquet(temporary, index=False))
    return made
