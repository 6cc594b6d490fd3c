"""All entries by name."""

from firstlight.errors import OptionError
from firstlight.papers import odd_sigmoid, sinusoidal, weight_scaling
from firstlight.papers.entry import Entry

ENTRIES: dict[str, Entry] = {
    entry.name: entry
    for paper in (sinusoidal, weight_scaling, odd_sigmoid)
    for entry in paper.ENTRIES
}


def find(names: list[str]) -> list[Entry]:
    """Return the entries that names and names of papers stand for; all of them for none.

    Raises:
        OptionError: no such entry.

    Example:
        >>> find(["no/such"])
        Traceback (most recent call last):
        firstlight.errors.OptionError: no entry is called 'no/such': firstlight reproduce --list
    """
    found: list[Entry] = []
    for name in names:
        meant = [entry for entry in ENTRIES.values() if name in (entry.name, entry.paper)]
        if not meant:
            raise OptionError(f"no entry is called {name!r}: firstlight reproduce --list")
        found += [entry for entry in meant if entry not in found]
    return found if names else list(ENTRIES.values())
