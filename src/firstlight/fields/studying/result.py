"""What a study found: rows of runs, plain and frozen."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from firstlight.errors import FirstlightError
from firstlight.fields.analysis.spectrum import InitialSpectrum
from firstlight.fields.analysis.tangent import Kernel
from firstlight.fields.networks.families import find_network
from firstlight.fields.networks.network import Network
from firstlight.fields.result import Point
from firstlight.runs.plain import from_plain, plain


class Over(NamedTuple):
    """A number over seeds: few seeds have a median and a range, and no interval to trust.

    Attributes:
        median: infinite where half of the seeds have none.
        low: least.
        high: largest; infinite where a seed has none.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> "Over | None":
        """Of what each seed has; None counts as infinite, and no values at all have nothing.

        Example:
            >>> Over.of([3, 1, None])
            Over(median=3, low=1, high=inf)
        """
        known = sorted(math.inf if each is None else each for each in values)
        return cls(statistics.median(known), known[0], known[-1]) if known else None


@dataclass(frozen=True)
class Snapshot:
    """A network at one step of a training.

    Attributes:
        step: updates before it.
        kernel: its tangent kernel on some of the signal's points; None where it has collapsed.
        shares: of the squared gradient, by weight layer.
    """

    step: int
    kernel: Kernel | None
    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Start:
    """A network before training.

    Attributes:
        spectra: of the initial function, along each coordinate.
        closed_form: kernel of ``theory.SineKernel`` on the points of the snapshots; None where
            there is none.
    """

    spectra: tuple[InitialSpectrum, ...]
    closed_form: Kernel | None


@dataclass(frozen=True)
class StudyRun:
    """One fit of a study.

    Attributes:
        seed: of its draws.
        learning_rate: of its optimizer.
        psnr: of the best step, in dB.
        measured: all measures of the signal's kind at that step.
        steps: updates before it.
        reached: updates before the target PSNR; None where it was not reached.
        seconds: of the whole fit, what was looked at on the way not counted.
        seconds_reached: seconds before the target PSNR.
        stopped: why it ended.
        curve: PSNR along training.
        notes: what was said about it.
        snapshots: along training; of the first seed alone.
        start: of the first seed alone.
    """

    seed: int
    learning_rate: float
    psnr: float
    measured: dict[str, float]
    steps: int
    reached: int | None
    seconds: float
    seconds_reached: float | None
    stopped: str
    curve: tuple[Point, ...]
    notes: tuple[str, ...]
    snapshots: tuple[Snapshot, ...] = ()
    start: Start | None = None

    @property
    def held_out_psnr(self) -> float | None:
        """PSNR on samples that were never fitted, in dB; None where all were."""
        return self.measured.get("held_out_psnr")


@dataclass(frozen=True)
class StudyRow:
    """All runs of one network.

    Attributes:
        label: unlike that of every other row.
        name: of the network; rows of one name differ in alpha.
        alpha: its weight scale, where that is one number.
        auto: whether ``choose_alpha`` chose it.
        network: what was built, every number filled in.
        parameters: trained numbers.
        learning_rate: of its runs.
        expected: PSNR between the samples that the kernel has for it, in dB; None where it
            computes none.
        runs: one for each seed.
        tuning: runs that the learning rate was chosen by.
    """

    label: str
    name: str
    alpha: float | None
    auto: bool
    network: Network
    parameters: int
    learning_rate: float
    expected: float | None
    runs: tuple[StudyRun, ...]
    tuning: tuple[StudyRun, ...] = ()

    @property
    def reached(self) -> Over | None:
        """Updates before the target PSNR."""
        return Over.of(run.reached for run in self.runs)

    @property
    def psnr(self) -> Over | None:
        """PSNR on what was fitted, in dB."""
        return Over.of(run.psnr for run in self.runs)

    @property
    def held_out(self) -> Over | None:
        """PSNR on what was held out, in dB; None where nothing was."""
        values = [run.held_out_psnr for run in self.runs]
        return None if None in values else Over.of(values)

    @property
    def seconds(self) -> Over | None:
        """Seconds of a fit."""
        return Over.of(run.seconds for run in self.runs)


@dataclass(frozen=True)
class StudyChoice:
    """What ``choose_alpha`` says of one network.

    Attributes:
        name: of the network.
        alpha: that was chosen.
        omega_0: that was chosen with it.
        line: why.
        expected: (alpha, PSNR between samples in dB), as the kernel has it.
        probed: the same of short fits; empty where none were possible.
    """

    name: str
    alpha: float
    omega_0: float
    line: str
    expected: tuple[tuple[float, float], ...]
    probed: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Study:
    """Networks or weight scales compared on one signal at equal budgets.

    Attributes:
        signal: where it came from.
        samples: that are fitted.
        held_out: samples that are not.
        target_psnr: at which a fit ends, in dB; None where it takes all steps.
        steps: at which it ends anyway.
        seeds: of the fits.
        learning_rates: that were tried; a single one was taken as it is.
        options: of ``fit``, the others.
        rows: in the order they were asked for.
        choices: of ``choose_alpha``, one for each network that it knows.
        versions: of what computed it.
    """

    signal: str
    samples: int
    held_out: int
    target_psnr: float | None
    steps: int
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    options: dict[str, Any]
    rows: tuple[StudyRow, ...]
    choices: tuple[StudyChoice, ...]
    versions: dict[str, str]

    def row(self, label: str) -> StudyRow:
        """The row with this label.

        Raises:
            FirstlightError: there is none.
        """
        for row in self.rows:
            if row.label == label:
                return row
        raise FirstlightError(
            f"the study has the rows {', '.join(row.label for row in self.rows)}; got {label!r}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: what ``from_dict`` reads."""
        found: dict[str, Any] = plain(self)
        return found

    @classmethod
    def from_dict(cls, data: Any) -> "Study":
        """Read what ``as_dict`` wrote.

        Raises:
            FirstlightError: it is something else.
        """
        try:
            return from_plain(cls, data, {Network: find_network})
        except ValueError as error:
            raise FirstlightError(f"this is not a study's JSON: {error}") from error
