"""What is said of a measurement: ok, a warning or a failure, with the number and the remedy."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "failure"]
LEVELS: tuple[Level, ...] = ("ok", "warning", "failure")


@dataclass(frozen=True)
class Verdict:
    """One check of one audit.

    Attributes:
        check: its name, such as "twin rows".
        level: "ok", "warning" or "failure".
        message: one line: what was found.
        where: the layers concerned, the worst first; () for the whole network, or where all is ok.
        number: the worst value found; None where nothing could be measured.
        threshold: the value from which on it is a warning.
        source: where the threshold comes from.
        advice: one line that names the call that mends it; "" where all is ok.
    """

    check: str
    level: Level
    message: str
    where: tuple[str, ...] = ()
    number: float | None = None
    threshold: float | None = None
    source: str = ""
    advice: str = ""

    def __str__(self) -> str:
        line = f"{self.level}: {self.check}: {self.message}"
        return f"{line} -> {self.advice}" if self.advice else line
