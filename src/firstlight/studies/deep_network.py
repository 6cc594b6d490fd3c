"""Deep and narrow networks: plain, with batch or layer norm, or with residual connections."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from firstlight.errors import OptionError, check_choice, whole_number
from firstlight.studies.scaled_activation import scaled_activation
from firstlight.theory.activations import named

#: What a network may have besides its layers.
STRUCTURES = ("plain", "batch_norm", "layer_norm", "residual")
#: Widths and depths beyond which a number is a mistake.
MOST = 100_000


@dataclass(frozen=True)
class DeepNetwork:
    """A network of ``depth`` hidden layers, whose widths go round, and a linear output layer.

        h_0 = x,  h_l = f(norm(W_l h_(l-1) + b_l)),  output = W h_depth + b

    A residual network adds h_(l-k) to the first layer of every round of k widths but the first.

    Attributes:
        inputs: numbers in a sample.
        classes: outputs.
        widths: of the hidden layers, in turn: (16,) are all 16 wide, (16, 4) are 16, 4, 16, ...
        depth: hidden layers, so there are depth + 1 weights.
        activation: f, a name of ``theory.ACTIVATIONS`` or as in "tanh(2x)" or "tanh:scale=2".
        structure: plain, batch_norm, layer_norm or residual.

    Raises:
        OptionError: one of them is out of range.

    Example:
        >>> DeepNetwork(64, 10, (16, 4), 5, "tanh").sizes
        (64, 16, 4, 16, 4, 16, 10)
    """

    inputs: int
    classes: int
    widths: tuple[int, ...]
    depth: int
    activation: str = "tanh"
    structure: str = "plain"

    def __post_init__(self) -> None:
        check_choice(self.structure, STRUCTURES, "structure")
        if not isinstance(self.widths, tuple) or not self.widths:
            raise OptionError(f"widths must be a tuple of whole numbers, got {self.widths!r}")
        for what in ("inputs", "classes", "depth"):
            whole_number(getattr(self, what), what, 1, MOST)
        for width in self.widths:
            whole_number(width, "a width", 1, MOST)
        if len(self.widths) > self.depth:
            raise OptionError(
                f"a network of depth {self.depth} cannot have {len(self.widths)} widths in turn; "
                "give fewer widths or more layers"
            )
        scaled_activation(self.activation)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Widths of input, hidden layers and output."""
        hidden = [self.widths[layer % len(self.widths)] for layer in range(self.depth)]
        return (self.inputs, *hidden, self.classes)

    def build(self) -> "DeepModule":
        """Make the network with the framework's own start."""
        return DeepModule(self)

    def skips(self, layer: int) -> int | None:
        """Number of the hidden layer that is added to ``layer``, from 0; None where none is."""
        if self.structure != "residual" or layer == 0 or layer % len(self.widths):
            return None
        return layer - len(self.widths)


class DeepModule(nn.Module):
    """The network that a ``DeepNetwork`` describes; samples of any shape are flattened."""

    def __init__(self, network: DeepNetwork) -> None:
        super().__init__()
        self.network = network
        sizes = network.sizes
        pairs = list(pairwise(sizes))
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairs[:-1])
        self.norms = nn.ModuleList(_norms(network.structure, sizes[1:-1]))
        self.output = nn.Linear(*pairs[-1])
        self.activation = named(scaled_activation(network.activation))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, classes) of samples (B, ...)."""
        hidden: list[Tensor] = []
        h = x.flatten(1)
        for number, layer in enumerate(self.layers):
            h = layer(h)
            if self.norms:
                h = self.norms[number](h)
            h = self.activation(h)
            skipped = self.network.skips(number)
            if skipped is not None:
                h = h + hidden[skipped]
            hidden.append(h)
        return self.output(h)


def _norms(structure: str, widths: tuple[int, ...]) -> Iterator[nn.Module]:
    makers = {"batch_norm": nn.BatchNorm1d, "layer_norm": nn.LayerNorm}
    if structure in makers:
        yield from (makers[structure](width) for width in widths)


def parameters(network: DeepNetwork) -> int:
    """Trained numbers.

    Example:
        >>> parameters(DeepNetwork(4, 2, (3,), 2))
        35
    """
    sizes = network.sizes
    norms = 2 * sum(sizes[1:-1]) if network.structure in ("batch_norm", "layer_norm") else 0
    return norms + sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))
