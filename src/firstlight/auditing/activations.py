"""From what was seen at each activation to its measures, with theory's prediction beside them."""

import math
from dataclasses import replace
from typing import Any

from firstlight.auditing.features import Features
from firstlight.auditing.measures import ActivationMeasures, ActivationSketch
from firstlight.auditing.predicted import Layer, Layers, chi, on_probability, skewed, thresholds
from firstlight.auditing.probe import Seen
from firstlight.auditing.signal import Scale, Signal
from firstlight.auditing.sites import Site

#: Units of the picture of row sums.
_UNITS = 2048


def activation_measures(
    sites: list[Site], seen: Seen, layers: Layers, *, sketches: bool = True
) -> tuple[ActivationMeasures, ...]:
    """Put the measures of every activation together, in order of execution."""
    known = [site for site in sites if site.root in seen.signals]
    found = [_one(site, seen, layers, sketches) for site in known]
    return tuple(replace(one, place=place(one, found)) for one in found)


def place(one: ActivationMeasures, every: list[ActivationMeasures]) -> str:
    """Name an activation so that no other one has its name, where a weight before it tells."""
    twins = sum(other.path == one.path for other in every)
    own = one.path or one.activation
    if one.path and twins == 1:
        return own
    behind = one.weight.removesuffix(".weight")
    return f"{own} behind {behind}" if behind else f"{own} at depth {one.depth}"


def _one(site: Site, seen: Seen, layers: Layers, sketches: bool) -> ActivationMeasures:
    found = seen.signals[site.root]
    end = seen.scales.get(site.end)
    layer = layers.layer(site.names) if site.plain else None
    source = seen.scales.get(site.source) if site.source is not None else None
    applies = layer is not None and source is not None and layer.sound and source.sound
    expected = _skew(layer, source, seen.features.get(site.source or 0)) if applies else {}
    return ActivationMeasures(
        path=site.activation.path,
        activation=site.activation.name,
        weight=layers.weight(site.names),
        parameters=site.parameters,
        depth=site.depth,
        units=found.units,
        observations=found.observations,
        finite=found.scale.finite,
        mean=found.scale.mean,
        second_moment=found.scale.second,
        output_second_moment=end.second if end else None,
        skewed_10=found.skewed(0.1),
        skewed_30=found.skewed(0.3),
        dead=found.dead,
        saturated=found.saturated,
        oui=found.oui,
        effective_rank=found.effective_rank,
        samples=found.samples,
        correlation=found.correlation,
        gradient_norm=seen.gradients.get(site.root),
        sketch=_sketch(found, layer, source if applies else None) if sketches else None,
        **expected,
        **_chi(site, seen, layers),
    )


def _skew(layer: Layer | None, source: Scale | None, inputs: Features | None) -> dict[str, Any]:
    assert layer is not None
    assert source is not None
    probability = on_probability(layer, source, inputs)
    return {
        "skewed_10_predicted": skewed(probability, 0.1),
        "skewed_30_predicted": skewed(probability, 0.3),
    }


def gradient_ratio(site: Site, seen: Seen) -> float | None:
    """Return the factor by which the squared gradient norm grows backwards through one layer."""
    here = seen.gradients.get(site.root)
    after = seen.gradients.get(site.next) if site.next is not None else None
    if here is None or not after or not (math.isfinite(here) and math.isfinite(after)):
        return None
    return (here / after) ** 2


def _chi(site: Site, seen: Seen, layers: Layers) -> dict[str, Any]:
    layer = layers.layer(site.next_names) if site.next_plain else None
    second = seen.signals[site.root].scale.second
    return {
        "chi": gradient_ratio(site, seen),
        "chi_predicted": chi(site, layer, second) if layer and layer.sound else None,
    }


def _sketch(found: Signal, layer: Layer | None, source: Scale | None) -> ActivationSketch:
    if layer is None or len(layer.matrix) != found.units:
        return ActivationSketch(found.picture)
    step = math.ceil(found.units / _UNITS)
    sums = layer.matrix.sum(1)[::step].tolist()
    shares = found.on_share[::step].tolist()
    limits = thresholds(layer, source) if source is not None else (None, None)
    return ActivationSketch(
        found.picture,
        tuple(float(f"{x:.6g}") for x in sums),
        tuple(float(f"{x:.6g}") for x in shares),
        *limits,
    )
