"""What a fit returns."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from firstlight.fields.field import Field
from firstlight.fields.networks.network import Network

if TYPE_CHECKING:
    from firstlight.fields.specification import FitSpec


class Point(NamedTuple):
    """One point of the curve.

    Attributes:
        step: updates of the weights before it.
        seconds: since the fit began.
        psnr: on all samples that are fitted, in dB.
    """

    step: int
    seconds: float
    psnr: float


@dataclass(frozen=True)
class Fit:
    """A fitted field, and how it came about.

    Attributes:
        field: the network at its best step, and the way back to a file.
        psnr: of that step, in dB, on what was fitted.
        measured: all measures of the signal's kind: "psnr", "held_out_psnr", "ssim", ...
        steps: updates of the weights before that step.
        seconds: from the beginning to the end, the choice of alpha included.
        curve: PSNR along training.
        stopped: "target", "steps", "seconds", "stalled", "interrupted" or "collapsed".
        network: what was built, every number filled in.
        spec: what the fit was asked for.
        notes: one line for each thing that was chosen or went wrong.

    Example:
        >>> import numpy as np
        >>> from firstlight import fields
        >>> ramp = fields.load(np.linspace(0, 255, 64).astype("uint8").reshape(8, 8), kind="image")
        >>> fit = fields.fit(ramp, fields.Sine(width=32, depth=3, alpha=1.5), steps=5)
        >>> fit.steps, fit.stopped, len(fit.curve)
        (5, 'steps', 6)
    """

    field: Field
    psnr: float
    measured: dict[str, float]
    steps: int
    seconds: float
    curve: tuple[Point, ...]
    stopped: str
    network: Network
    spec: "FitSpec"
    notes: tuple[str, ...] = ()

    @property
    def held_out_psnr(self) -> float | None:
        """PSNR on samples that were never fitted, in dB; None where all were."""
        return self.measured.get("held_out_psnr")

    def steps_to(self, psnr: float) -> int | None:
        """Updates before the curve first reaches a PSNR; None where it never does."""
        return next((point.step for point in self.curve if point.psnr >= psnr), None)

    def seconds_to(self, psnr: float) -> float | None:
        """Seconds before the curve first reaches a PSNR; None where it never does."""
        return next((point.seconds for point in self.curve if point.psnr >= psnr), None)

    def save(self, path: str | Path) -> Path:
        """Write the field as a checkpoint, for ``load_field`` and ``firstlight render``."""
        from firstlight.fields.checkpoint import write_field

        return write_field(
            self.field, Path(path), measured=self.measured, notes=self.notes, fit=self.record()
        )

    def record(self) -> dict[str, Any]:
        """How the field was made, as plain values; a checkpoint keeps it beside the network."""
        return {
            "spec": self.spec.as_dict(),
            "steps": self.steps,
            "seconds": self.seconds,
            "psnr": self.psnr,
            "stopped": self.stopped,
            # importing it would reach the layers above
            "firstlight": sys.modules["firstlight"].__version__,
            "torch": str(torch.__version__),
        }
