"""One watched step: its first forward pass, the backward passes behind it, the update."""

from dataclasses import replace
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.auditing.activations import activation_measures, gradient_ratio
from firstlight.auditing.measures import ActivationMeasures
from firstlight.auditing.probe import Seen
from firstlight.auditing.sites import Site
from firstlight.auditing.watching.pass_probe import PassProbe, apart, without_modes
from firstlight.auditing.watching.plan import Plan, Structure, plan
from firstlight.auditing.watching.watched import Watched
from firstlight.auditing.watching.weights import WeightLook


class Looker:
    """Opens looks at a model; keeps what is known of it from one to the next.

    Attributes:
        scripted: whether parts of the model cannot be seen into.
    """

    def __init__(self, model: nn.Module, *, everything: bool) -> None:
        self._model, self._everything = model, everything
        self._structure: Structure | None = None
        self._plan: Plan | None = None
        self.scripted = any(isinstance(m, torch.jit.ScriptModule) for m in model.modules())

    @property
    def expects(self) -> bool:
        """Whether there are activations that the next pass may show."""
        return self._plan is not None and bool(self._plan.sites)

    def open(self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> PassProbe:
        """Prepare to look, from inside the model's call."""
        first: Tensor | None = next(self._model.parameters(), None)
        kind = first.device.type if first is not None else "cpu"
        with without_modes(kind):
            return self._open(args, kwargs, kind, frame)

    def _open(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], kind: str, frame: FrameType
    ) -> PassProbe:
        if self._structure is None or not self._structure.fits(self._model):
            self._structure, self._plan = Structure(self._model), None
        if self._plan is None:
            self._plan = self._structure.foresee(self._model, args, kwargs)
        return PassProbe(self._structure.names, self._plan, kind, frame)

    def close(self, probe: PassProbe, step: int, scale: float) -> "Look":
        """Return what was seen, and learn the way that the pass took if it was another one."""
        assert self._structure is not None
        with apart(probe.kind):
            look = Look(probe, self._structure, step, scale, everything=self._everything)
            if not probe.plan.covers(probe.places.ops):
                self._plan = plan(probe.graph, self._structure.tensors)
        return look


class Look:
    """What is known of one step so far.

    Attributes:
        step: its number.
        names: of the activations that were seen.
        weights: those of the model.
        half: whether the pass was in float16.
        stepped: whether its weights have been updated.
    """

    def __init__(
        self, probe: PassProbe, structure: Structure, step: int, scale: float, *, everything: bool
    ) -> None:
        self.step, self._scale = step, scale
        self.half, self.stepped = probe.half, False
        self._seen = _valid(probe)
        pairs = [
            (site, name)
            for site, name in zip(probe.plan.sites, probe.plan.names, strict=True)
            if site.root in self._seen.signals
        ]
        self._sites: list[Site] = [site for site, _ in pairs]
        self.names = tuple(name for _, name in pairs)
        self._found = activation_measures(self._sites, self._seen, structure.layers, sketches=False)
        self._seen.signals = {}
        self.weights = WeightLook(structure.views, everything=everything)

    def result(self) -> Watched:
        """Return what was seen, gradients included as far as they came."""
        return Watched(
            self.step,
            tuple(map(self._with_gradient, self._found, self._sites)),
            self.weights.result(stepped=self.stepped),
            tuple(self._seen.attentions),
            self.names,
        )

    def _with_gradient(self, found: ActivationMeasures, site: Site) -> ActivationMeasures:
        norm = self._seen.gradients.get(site.root)
        return replace(
            found,
            gradient_norm=None if norm is None else norm / self._scale,
            chi=gradient_ratio(site, self._seen),
        )


def _valid(probe: PassProbe) -> Seen:
    """Keep what lies in modules that did what was planned."""
    ops, seen, known = probe.places.ops, probe.seen, probe.plan
    seen.signals = {i: one for i, one in seen.signals.items() if known.holds(i, ops)}
    seen.scales = {i: one for i, one in seen.scales.items() if known.holds(i, ops)}
    return seen
