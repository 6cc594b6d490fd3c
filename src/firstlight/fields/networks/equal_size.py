"""Networks with as many parameters as another one, so that comparisons are fair."""

from dataclasses import replace

from firstlight.fields.networks.network import MOST_WIDTH, Network


def sized_like(network: Network, other: Network, inputs: int, outputs: int) -> Network:
    """Return ``network`` with the width that brings its parameters nearest to ``other``'s.

    Only the width changes, and a hash grid's tables where they leave no room for its layers. Of two
    widths that are equally near, the narrower is taken.

    Example:
        >>> from firstlight.fields.networks.gauss import Gauss
        >>> from firstlight.fields.networks.wire import Wire
        >>> sized_like(Wire(), Gauss(width=128), 2, 1).width
        128

    Raises:
        OptionError: a size depends on a signal; call ``resolved`` first.
    """
    target = other.parameters(inputs, outputs)
    network = network.with_room(target, inputs, outputs)

    def held(width: int) -> int:
        return replace(network, width=width).parameters(inputs, outputs)

    def narrowest(parameters: int) -> int:
        """The narrowest network with as many parameters or more."""
        low, high = 1, MOST_WIDTH
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if held(middle) >= parameters else (middle + 1, high)
        return low

    above = narrowest(target)
    below = narrowest(held(max(1, above - 1)))
    width = min((below, above), key=lambda width: abs(held(width) - target))
    return replace(network, width=width)
