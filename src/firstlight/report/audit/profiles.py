"""Depth profiles: each measure of the activations in order of execution."""

from typing import NamedTuple

from firstlight.report.audit.panel import Panel, Scale, Values, panel
from firstlight.report.audit.subject import Site, Subject

#: What the horizontal axis counts.
AXIS = "activation number"


class Profile(NamedTuple):
    """A measure of an activation that is worth a panel."""

    measure: str
    title: str
    scale: Scale
    predicted: str = ""
    reference: float | None = None


PROFILES = (
    Profile("second_moment", "Second moment of z", "log"),
    Profile("gradient_norm", "Gradient norm in z", "log"),
    Profile("chi", "Gradient factor χ", "log", "chi_predicted", 1.0),
    Profile("skewed_10", "Skewed units, degree 0.1", "share", "skewed_10_predicted"),
    Profile("skewed_30", "Skewed units, degree 0.3", "share", "skewed_30_predicted"),
    Profile("oui", "OUI: how differently samples switch", "unit"),
    Profile("correlation", "Correlation of samples", "unit"),
    Profile("effective_rank", "Effective rank of samples", "linear"),
    Profile("dead", "Dead units", "share"),
    Profile("saturated", "Saturated elements", "share"),
)


def profiles(found: Subject) -> tuple[tuple[Panel, ...], tuple[str, ...]]:
    """Lay out all profiles.

    Returns:
        The panels, and the titles of the measures that no scheme has.
    """
    shown, missing = [], []
    for profile in PROFILES:
        made = panel(
            profile.measure,
            profile.title,
            _values(found, profile.measure),
            x=AXIS,
            scale=profile.scale,
            predicted=_values(found, profile.predicted) if profile.predicted else None,
            reference=profile.reference,
        )
        if made is None:
            missing.append(profile.title)
        else:
            shown.append(made)
    return tuple(shown), tuple(missing)


def _values(found: Subject, measure: str) -> dict[str, Values]:
    def value(site: Site, scheme: str) -> float | None:
        one = site.found.get(scheme)
        return None if one is None else getattr(one, measure)

    return {scheme: tuple(value(site, scheme) for site in found.sites) for scheme in found.schemes}
