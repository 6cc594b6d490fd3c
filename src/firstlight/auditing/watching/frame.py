"""The history of a watcher as a data frame."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from firstlight.auditing.watching.watched import Watched
from firstlight.errors import FirstlightError, check_choice

if TYPE_CHECKING:
    import pandas as pd


def frame(history: Iterable[Watched], of: str) -> "pd.DataFrame":
    """Return a row for each step and each thing that was measured.

    Raises:
        OptionError: there are no such measures.
        FirstlightError: pandas is not installed.
    """
    check_choice(of, ("activations", "weights", "attentions"), "of")
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise FirstlightError("to_frame needs pandas: pip install 'firstlight[compare]'") from error
    return pd.DataFrame([row for watched in history for row in _rows(watched, of)])


def _rows(watched: Watched, of: str) -> Iterator[dict[str, Any]]:
    names = watched.names if of == "activations" else ()
    for at, record in enumerate(getattr(watched, of)):
        fields = [f.name for f in dataclasses.fields(record) if f.name != "sketch"]
        own = {"name": names[at]} if names else {}
        yield {"step": watched.step, **own, **{name: getattr(record, name) for name in fields}}
