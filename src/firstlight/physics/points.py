"""How many points a network is trained on."""

from dataclasses import dataclass

from firstlight.errors import whole_number

#: Beyond which a number is a mistake.
_MOST = 10_000_000


@dataclass(frozen=True)
class Points:
    """Sizes of the sets of training points.

    Attributes:
        domain: inside, where the equation is asked for.
        boundary: on the sides, all of them together.
        initial: at the first time.

    Raises:
        OptionError: a number is negative, or there is no point inside.

    Example:
        >>> Points(domain=20000, boundary=1000, initial=500).scaled(2000)
        Points(domain=2000, boundary=100, initial=50)
    """

    domain: int
    boundary: int = 0
    initial: int = 0

    def __post_init__(self) -> None:
        for name, least in (("domain", 1), ("boundary", 0), ("initial", 0)):
            whole_number(getattr(self, name), f"{name} points", least, _MOST)

    @property
    def total(self) -> int:
        """All of them."""
        return self.domain + self.boundary + self.initial

    def scaled(self, domain: int) -> "Points":
        """The same proportions with so many points inside; 2 at least where there are any."""
        share = domain / self.domain

        def part(count: int) -> int:
            return max(2, round(count * share)) if count else 0

        return Points(domain, part(self.boundary), part(self.initial))
