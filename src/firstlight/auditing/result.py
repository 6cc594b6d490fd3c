"""The result of an audit: measures and verdicts, as text, JSON and data frames."""

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firstlight.auditing.derivatives.jacobian import InputJacobian
from firstlight.auditing.derivatives.kernel import TangentKernel
from firstlight.auditing.measures import (
    ActivationMeasures,
    AttentionMeasures,
    GradientMeasures,
    InputMeasures,
    NormMeasures,
    OutputMeasures,
    WeightMeasures,
)
from firstlight.auditing.verdict import Level, Verdict
from firstlight.errors import FirstlightError, check_choice

if TYPE_CHECKING:
    import pandas as pd


class UnhealthyError(FirstlightError):
    """An audit found failures; the message names them and their remedies."""


@dataclass(frozen=True)
class Audit:
    """One model on one batch, before it trains.

    Attributes:
        model: its class.
        samples: in the batch.
        device: of its parameters.
        dtype: of most of its parameters.
        how: how its data flow was learnt, or why it was not.
        weights, activations, norms, attentions, gradients: the measures, in order of execution
            or registration.
        inputs: of the batch's floating-point tensors.
        output: of what the network returns, and the loss.
        verdicts: of every check, failures first.
        kernel: the empirical neural tangent kernel, where asked for.
        jacobian: of the output by the input, where asked for.
        versions: of what computed it.
    """

    model: str
    samples: int
    device: str
    dtype: str
    how: str
    weights: tuple[WeightMeasures, ...]
    activations: tuple[ActivationMeasures, ...]
    gradients: tuple[GradientMeasures, ...]
    inputs: tuple[InputMeasures, ...]
    output: OutputMeasures
    norms: tuple[NormMeasures, ...] = ()
    attentions: tuple[AttentionMeasures, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    kernel: TangentKernel | None = None
    jacobian: InputJacobian | None = None
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def level(self) -> Level:
        """The worst level of all verdicts."""
        levels = {verdict.level for verdict in self.verdicts}
        return "failure" if "failure" in levels else "warning" if "warning" in levels else "ok"

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """Verdicts that are failures."""
        return tuple(v for v in self.verdicts if v.level == "failure")

    @property
    def warnings(self) -> tuple[Verdict, ...]:
        """Verdicts that are warnings."""
        return tuple(v for v in self.verdicts if v.level == "warning")

    def assert_healthy(self, *, warnings: bool = False) -> None:
        """Raise unless no check failed: for CI.

        Args:
            warnings: whether warnings count, too.

        Raises:
            UnhealthyError: a check failed; the message names each with its remedy.
        """
        found = (*self.failures, *(self.warnings if warnings else ()))
        if found:
            raise UnhealthyError("; ".join(map(str, found)))

    def to_dict(self, *, sketches: bool = False) -> dict[str, Any]:
        """Return everything as plain data; the pictures' data only where asked for.

        Infinite and undefined numbers become None, as JSON has none.
        """
        return {"level": self.level, **_plain(self, sketches)}

    def to_json(self, *, sketches: bool = False) -> str:
        """Return everything as JSON."""
        return json.dumps(self.to_dict(sketches=sketches), indent=2)

    def to_frame(self, of: str = "weights") -> "pd.DataFrame":
        """Return one kind of measures as a pandas data frame, a row each.

        Args:
            of: weights, activations, gradients, norms, attentions, inputs or verdicts.

        Raises:
            OptionError: there are no such measures.
            FirstlightError: pandas is not installed.
        """
        kinds: dict[str, Callable[[], tuple[Any, ...]]] = {
            "weights": lambda: self.weights,
            "activations": lambda: self.activations,
            "gradients": lambda: self.gradients,
            "norms": lambda: self.norms,
            "attentions": lambda: self.attentions,
            "inputs": lambda: self.inputs,
            "verdicts": lambda: self.verdicts,
        }
        check_choice(of, kinds, "of")
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            raise FirstlightError(
                "to_frame needs pandas: pip install 'firstlight[compare]'"
            ) from error
        rows = [_shallow(record) for record in kinds[of]()]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        from firstlight.auditing.text import text

        return text(self)


def _shallow(record: Any) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(record) if field.name != "sketch"]
    return {name: getattr(record, name) for name in names}


def _plain(value: Any, sketches: bool) -> Any:
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return {
            name: _plain(getattr(value, name), sketches)
            for name in names
            if sketches or name != "sketch"
        }
    if isinstance(value, (tuple, list)):
        return [_plain(part, sketches) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
