"""The whole tangent kernel: layer by layer where it can be, and row by row where not."""

from dataclasses import dataclass

from torch import Tensor

from firstlight.auditing.derivatives.kernel_layers import independent, layer_pieces
from firstlight.auditing.derivatives.kernel_rows import row_pieces
from firstlight.auditing.derivatives.kernel_total import Total
from firstlight.auditing.derivatives.kernel_uses import Use
from firstlight.auditing.derivatives.network import Network


@dataclass(frozen=True, eq=False)
class Exact:
    """The kernel and where it comes from.

    Attributes:
        kernel: Theta (rows, rows), in float64.
        traces: by parameter.
        how: in words.
    """

    kernel: Tensor
    traces: dict[str, float]
    how: str


class Prepared:
    """One run of a network, and what it says of the ways to its kernel.

    Attributes:
        tied: whether samples depend on each other, so that each row needs the whole batch.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._outputs = network.first()
        found = network.uses.of(network.parameters, network.samples)
        self._uses: dict[str, list[Use]] = independent(self._outputs, found)
        rest = [name for name in network.parameters if name not in self._uses]
        self.tied = bool(rest) and not network.separable(self._outputs)

    def kernel(self) -> Exact:
        """Compute the kernel.

        Each way is checked parameter by parameter; what fails takes the next. The last, a backward
        pass through the whole batch for each row, is right whatever the model does.
        """
        network, outputs, total = self._network, self._outputs, self._total()
        left = [name for name in network.parameters if name not in self._uses]
        left += total.gather(layer_pieces(outputs, self._uses))
        alone, whole = ([], left) if self.tied else (left, [])
        if alone:
            whole = list(total.gather(row_pieces(network, alone)))
        for _ in total.gather(row_pieces(network, whole, outputs), check=False):
            pass
        return Exact(total.kernel, total.traces, self._how(len(left) - len(whole), len(whole)))

    def _total(self) -> Total:
        return Total(self._outputs, self._network.parameters)

    def _how(self, alone: int, whole: int) -> str:
        count = len(self._network.parameters)
        ways = [
            (count - alone - whole, "layer by layer"),
            (alone, "sample by sample"),
            (whole, "row by row through the whole batch"),
        ]
        used = [(number, way) for number, way in ways if number]
        if len(used) == 1:
            return f"exact, {used[0][1]}"
        return "exact, " + ", ".join(f"{n} of {count} parameters {way}" for n, way in used)
