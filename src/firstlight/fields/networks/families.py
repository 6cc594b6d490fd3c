"""Networks by name: what a checkpoint or a specification says becomes a network again."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from firstlight.errors import OptionError
from firstlight.fields.networks.finer import Finer
from firstlight.fields.networks.fourier_features import FourierFeatures
from firstlight.fields.networks.gauss import Gauss
from firstlight.fields.networks.hash_grid import HashGrid
from firstlight.fields.networks.multiplicative_filter import MultiplicativeFilter
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.sinc import Sinc
from firstlight.fields.networks.sine import Sine
from firstlight.fields.networks.tuner import Tuner
from firstlight.fields.networks.wire import Wire

#: Every family by the name that ``as_dict`` writes.
FAMILIES: dict[str, type[Network]] = {
    each.family: each
    for each in (
        Sine,
        Tuner,
        Finer,
        Gauss,
        Sinc,
        Wire,
        FourierFeatures,
        MultiplicativeFilter,
        HashGrid,
    )
}


def find_network(described: Mapping[str, Any]) -> Network:
    """Return the network that ``as_dict`` described; a field that is left out has its default.

    Raises:
        OptionError: the family, a field or a value is not one that there is.

    Example:
        >>> find_network({"family": "gauss", "width": 32}).width
        32
    """
    if not isinstance(described, Mapping):
        raise OptionError(f"a network is described by a mapping, got {_short(described)}")
    given = dict(described)
    name = given.pop("family", None)
    if not isinstance(name, str) or name not in FAMILIES:
        raise OptionError(f"family must be one of {', '.join(FAMILIES)}; got {_short(name)}")
    family: Any = FAMILIES[name]
    known = [field.name for field in fields(family)]
    for field in given:
        if field not in known:
            raise OptionError(f"{name} has {', '.join(known)}; it has no {_short(field)}")
    # a file has lists where a network has tuples
    options = {
        field: tuple(value) if isinstance(value, list) else value for field, value in given.items()
    }
    network: Network = family(**options)
    return network


def _short(value: object) -> str:
    """A value as one line of a message, however long it is."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
