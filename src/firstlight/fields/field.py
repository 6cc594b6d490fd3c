"""A fitted network together with the form that its values go back into."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.fields.networks.network import Network
from firstlight.fields.packages import needed_for
from firstlight.fields.signals.places import Places
from firstlight.fields.signals.samples import Samples
from firstlight.fields.signals.signal import Form

#: Places whose values are computed at once: their activations stay in the cache.
_AT_ONCE = 4096


class Field(nn.Module):
    """A signal as a function of its coordinates.

    Attributes:
        network: coordinates in [-1, 1]^inputs to values in [-1, 1], both float32.
        spec: what the network is built from, every number filled in.
        form: how values become an image, a sound, a mesh or a file of the sphere.
        inputs: number of coordinates.
        outputs: number of values at a place.

    Example:
        >>> from firstlight.fields.networks.sine import Sine
        >>> from firstlight.fields.signals.image import ImageForm
        >>> form = ImageForm(height=4, width=6, mode="L", bits=8)
        >>> field = Field(Sine(width=16, depth=3, alpha=1.5), form, inputs=2, outputs=1)
        >>> field.render(scale=2).shape
        (8, 12, 1)
    """

    def __init__(
        self, spec: Network, form: Form, *, inputs: int, outputs: int, seed: int = 0
    ) -> None:
        super().__init__()
        self.network = spec.build(inputs, outputs, seed)
        self.spec, self.form, self.inputs, self.outputs = spec, form, inputs, outputs

    def forward(self, x: Tensor) -> Tensor:
        """Values at coordinates: (n, inputs) to (n, outputs)."""
        return self.network(x)

    def predict(self, places: Places) -> Tensor:
        """Values at all places, in their order, on the CPU: (len(places), outputs)."""
        return self._values(places, None, len(places))

    def predict_samples(self, samples: Samples) -> Tensor:
        """Values at the places of samples, in their order, on the CPU."""
        return self._values(samples.places, samples.chosen, len(samples))

    def render(self, path: str | Path | None = None, **options: Any) -> Any:
        """What the field shows, in its own form, at any resolution.

        Args:
            path: file to write; its ending says which kind.
            **options: the form's: ``scale`` or a size, a rate, a resolution.

        Returns:
            The array or mesh, or the path written.
        """
        with needed_for("rendering this"):
            if path is None:
                return self.form.render(self.predict, **options)
            return self.form.save(self.predict, Path(path), **options)

    @torch.no_grad()
    def _values(self, places: Places, chosen: Tensor | None, count: int) -> Tensor:
        device = next(self.network.parameters()).device
        values = torch.empty(count, self.outputs)
        for start in range(0, count, _AT_ONCE):
            stop = min(start + _AT_ONCE, count)
            rows = torch.arange(start, stop, device=device)
            numbers = rows if chosen is None else chosen[start:stop].to(device, torch.long)
            values[start:stop] = self.network(places.at(numbers))
        return values
