"""The networks of ``firstlight fields study``: a list of words becomes networks of equal size."""

import re
from typing import TYPE_CHECKING

from firstlight.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firstlight.fields.networks.network import Network
    from firstlight.fields.signals.signal import Signal

#: A comma between two networks: behind it comes a word that is no option and no number.
_BETWEEN = re.compile(r",(?=\s*[a-z_]+\s*(?:[:,]|$))")
#: Parameters that differ by more than this part are told.
_UNEQUAL = 0.1


def parse_networks(text: str, width: int | None, depth: int | None) -> "dict[str, Network]":
    """Read networks separated by commas.

    Args:
        text: as in ``sine,gauss:sigma=20,wire``.
        width: of the first one; the others are made as large as it.
        depth: of all that do not say another.

    Raises:
        OptionError: a network is not one, or is there twice.

    Example:
        >>> from firstlight.cli.study_networks import parse_networks
        >>> found = parse_networks("sine:alpha=2,1.5,1,gauss:depth=3", width=64, depth=4)
        >>> [(name, each.depth) for name, each in found.items()]
        [('sine:alpha=2,1.5,1', 4), ('gauss:depth=3', 3)]
    """
    from firstlight.fields.network_text import parse_network

    found: dict[str, Network] = {}
    for number, part in enumerate(each.strip() for each in _BETWEEN.split(text)):
        more = {"width": width} if number == 0 and width is not None else {}
        if depth is not None and not re.search(r"[:,]\s*depth\s*=", part):
            more["depth"] = depth
        if part in found:
            raise OptionError(f"--networks names {part!r} twice")
        found[part] = parse_network(part, {name: str(value) for name, value in more.items()})
    return found


def with_equal_sizes(
    networks: "dict[str, Network]", signal: "Signal", note: "Callable[[str], None]"
) -> "dict[str, Network]":
    """Give every network as many parameters as the first; those that say their width keep it."""
    from firstlight.fields import sized_like

    inputs, outputs = signal.inputs, signal.outputs
    first, *others = [(name, each.resolved(signal)) for name, each in networks.items()]
    found = dict([first])
    target = first[1].parameters(inputs, outputs)
    for name, network in others:
        if not re.search(r"[:,]\s*width\s*=", name):
            network = sized_like(network, first[1], inputs, outputs)
        found[name] = network
        held = network.parameters(inputs, outputs)
        if abs(held - target) > _UNEQUAL * target:
            note(f"{name} has {held:,} parameters, {first[0]} {target:,}")
    return found
