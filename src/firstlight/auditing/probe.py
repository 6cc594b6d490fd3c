"""One forward and one backward pass, and what is seen on the way."""

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.auditing.attention import ATTENDS, attention_entropy
from firstlight.auditing.features import Features, features
from firstlight.auditing.measures import AttentionMeasures, NormMeasures
from firstlight.auditing.running_statistics import stale
from firstlight.auditing.signal import Scale, Signal, scale, signal
from firstlight.auditing.sites import Site
from firstlight.model.trace.graph import Graph
from firstlight.model.trace.recorder import Recorder


@dataclass(eq=False)
class Seen:
    """What a run showed, by node."""

    signals: dict[int, Signal] = field(default_factory=dict)
    scales: dict[int, Scale] = field(default_factory=dict)
    features: dict[int, Features] = field(default_factory=dict)
    gradients: dict[int, float] = field(default_factory=dict)
    attentions: list[AttentionMeasures] = field(default_factory=list)
    norms: list[NormMeasures] = field(default_factory=list)


class Probe(Recorder):
    """Measures the signals at the sites while the run is written down; keeps none of them."""

    def __init__(self, names: Mapping[int, str], sites: list[Site]) -> None:
        super().__init__(Graph("a run on the batch"), names, self._look)
        self.seen = Seen()
        self.failure: Exception | None = None  # of ours, not of the model's
        self._pictures = True
        self._roots = {site.root: site for site in reversed(sites)}
        self._scaled = {site.end for site in sites}
        plain = [site for site in sites if site.plain and site.source is not None]
        self._features = {site.source: site.axis for site in plain}
        self._scaled |= {site.source for site in sites if site.source is not None}

    def _add(self, *call: Any) -> None:
        self._muted += 1  # in a module's hook the mode is on, and this is no part of the network
        with self._ours():
            self._aside(*call)
        self._muted -= 1
        super()._add(*call)

    @contextlib.contextmanager
    def _ours(self) -> Iterator[None]:
        """Tell a failure of ours from one of the model's."""
        try:
            yield
        except Exception as error:
            self.failure = error
            raise

    def _aside(
        self,
        name: str,
        _func: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        output: Any,
        path: str,
        module: nn.Module | None = None,
    ) -> None:
        """Measure what is no signal before an activation: attention, running statistics."""
        if name in ATTENDS:
            found = attention_entropy(name, args, kwargs, output, path)
            self.seen.attentions += [found] if found else []
        if isinstance(module, nn.modules.batchnorm._NormBase):
            measured = stale(module, args[0], path)
            self.seen.norms += [measured] if measured else []

    def _look(self, index: int, value: Tensor) -> None:
        with self._ours():
            self._measure(index, value)

    def _measure(self, index: int, value: Tensor) -> None:
        if not value.is_floating_point() or not value.numel():
            return
        site = self._roots.get(index)
        if site is not None and index not in self.seen.signals:
            with torch.no_grad():
                self.seen.signals[index] = signal(
                    value, site.axis, site.dead, site.saturated, picture=self._pictures
                )
            self._follow(index, value)
        if index in self._scaled:
            with torch.no_grad():
                self.seen.scales[index] = scale(value)
        if index in self._features:
            with torch.no_grad():
                self.seen.features[index] = features(value, self._features[index])

    def _follow(self, index: int, value: Tensor) -> None:
        """Note the norm of the gradient when it comes."""
        if not value.requires_grad:
            return

        def note(gradient: Tensor) -> None:
            self.seen.gradients[index] = norm(gradient)

        value.register_hook(note)


def norm(x: Tensor) -> float:
    """Return the Euclidean norm, also where its square is out of range.

    Example:
        >>> f"{norm(torch.tensor([3e30, 4e30])):.3g}"
        '5e+30'
    """
    x = torch.view_as_real(x.detach()) if x.is_complex() else x.detach()
    kind = torch.float64 if x.dtype == torch.float64 else torch.float32
    found = float(torch.linalg.vector_norm(x, dtype=kind))
    if math.isfinite(found) and found > 1e-18:
        return found
    return float(torch.linalg.vector_norm(x, dtype=torch.float64))
