"""The network that was audited: its activations and weights, each under every scheme."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from firstlight.auditing.measures import ActivationMeasures, WeightMeasures
from firstlight.auditing.result import Audit
from firstlight.errors import OptionError
from firstlight.report.palette import Style, styles

#: What one audit alone is called.
ALONE = "this model"

T = TypeVar("T")


@dataclass(frozen=True)
class Site:
    """One activation, under each scheme that has it.

    Attributes:
        number: its place in order of execution, from 1.
        name: its path, with a mark where one module calls several.
        activation: which function it is.
        found: its measures by scheme.
    """

    number: int
    name: str
    activation: str
    found: Mapping[str, ActivationMeasures]

    @property
    def label(self) -> str:
        """Number, path and function."""
        return f"{self.number}: {self.name} ({self.activation})"


@dataclass(frozen=True)
class Matrix:
    """One weight, under each scheme that has it."""

    name: str
    found: Mapping[str, WeightMeasures]


@dataclass(frozen=True)
class Subject:
    """Audits of one network by scheme, laid out for showing."""

    audits: Mapping[str, Audit]

    @cached_property
    def looks(self) -> dict[str, Style]:
        """The look of each scheme."""
        found = styles(self.audits)
        return {scheme: found[scheme] for scheme in self.audits}

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes in the order in which they were given."""
        return tuple(self.audits)

    @property
    def several(self) -> bool:
        """Whether there is more than one scheme."""
        return len(self.audits) > 1

    @property
    def first(self) -> Audit:
        """The first audit: all are of one network."""
        return next(iter(self.audits.values()))

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """All activations, in order of execution."""
        keyed = self._aligned(
            lambda audit: audit.activations, lambda one: (one.path, one.activation)
        )
        return tuple(
            Site(number, marked(path or "(root)", occurrence), activation, found)
            for number, (((path, activation), occurrence), found) in enumerate(keyed.items(), 1)
        )

    @cached_property
    def matrices(self) -> tuple[Matrix, ...]:
        """All weights, in order."""
        keyed = self._aligned(lambda audit: audit.weights, lambda one: one.name)
        return tuple(Matrix(name, found) for (name, _), found in keyed.items())

    @cached_property
    def following(self) -> dict[tuple[str, str], tuple[Site, ActivationMeasures]]:
        """The first activation behind each (scheme, parameter)."""
        found: dict[tuple[str, str], tuple[Site, ActivationMeasures]] = {}
        for site in self.sites:
            for scheme, one in site.found.items():
                if one.weight:
                    found.setdefault((scheme, one.weight), (site, one))
        return found

    def _aligned(
        self, take: Callable[[Audit], Iterable[T]], key: Callable[[T], object]
    ) -> dict[tuple, dict[str, T]]:
        """Put what has the same key, for the same time, side by side."""
        found: dict[tuple, dict[str, T]] = {}
        for scheme, audit in self.audits.items():
            seen: Counter[object] = Counter()
            for one in take(audit):
                seen[key(one)] += 1
                found.setdefault((key(one), seen[key(one)]), {})[scheme] = one
        return found


def marked(name: str, occurrence: int) -> str:
    """Tell the later uses of one name apart.

    Example:
        >>> marked("act", 1), marked("act", 3)
        ('act', 'act [3]')
    """
    return name if occurrence == 1 else f"{name} [{occurrence}]"


def subject(audits: Audit | Mapping[str, Audit]) -> Subject:
    """Check what is to be shown, and lay it out.

    Raises:
        OptionError: there is nothing, or something else than audits of one network.
    """
    named = {ALONE: audits} if isinstance(audits, Audit) else audits
    if not isinstance(named, Mapping) or not named:
        raise OptionError(
            "audits must be an Audit, or a mapping of at least one scheme to its Audit; "
            f"got {named!r:.80}"
        )
    for scheme, audit in named.items():
        if not isinstance(scheme, str) or not scheme or not isinstance(audit, Audit):
            raise OptionError(f"audits must map names to Audits, got {scheme!r:.40}: {audit!r:.40}")
    _check_same(named)
    return Subject(dict(named))


def _check_same(audits: Mapping[str, Audit]) -> None:
    (first, expected), *others = audits.items()
    for scheme, audit in others:
        if audit.model != expected.model:
            found, wanted = audit.model, expected.model
        elif _shapes(audit) != _shapes(expected):
            different = sorted(_shapes(audit) ^ _shapes(expected))
            found, wanted = f"another {different[0][0]}", "the same weights"
        else:
            continue
        raise OptionError(
            f"audits must be of one network: {scheme} has {found} where {first} has {wanted}"
        )


def _shapes(audit: Audit) -> set[tuple[str, tuple[int, ...]]]:
    return {(weight.name, weight.shape) for weight in audit.weights}
