"""Signs that a fit goes nowhere, and what to change."""

import math

#: A fit is stuck while its error is above this part of the error of the best constant.
_STUCK = 0.98
#: Looks before a fit is called stuck.
_PATIENCE = 200
#: A fall of so many dB below the best is a jump.
_JUMP = 6.0
#: Jumps before they are told.
_JUMPS = 3
#: Looks without 0.1 dB more, after which a fit without other limits ends.
_STALLED = 1000


class Collapse:
    """What has been seen of a fit's error so far.

    Attributes:
        notes: one line for each fault found.
        fatal: whether going on is senseless: the error is no number.

    Example:
        >>> watch = Collapse(variance=1.0)
        >>> watch.look(7, math.nan)
        'the loss is not a number at step 7: take a smaller learning_rate'
        >>> watch.fatal
        True
    """

    def __init__(self, variance: float) -> None:
        self.notes: list[str] = []
        self.fatal = False
        self._variance = variance
        self._looks = self._jumps = 0
        self._best = self._marked = -math.inf
        self._since = 0
        self._fallen = False

    @property
    def stalled(self) -> bool:
        """Whether there has been no progress for 1000 looks."""
        return self._since >= _STALLED

    def look(self, step: int, error: float) -> str | None:
        """Judge the mean squared error at a step; returns a line where something is wrong."""
        self._looks += 1
        if not math.isfinite(error):
            self.fatal = True
            return self._note(
                f"the loss is not a number at step {step}: take a smaller learning_rate"
            )
        level = -10 * math.log10(error) if error > 0 else math.inf
        self._since = 0 if level > self._marked + 0.1 else self._since + 1
        if self._since == 0:
            self._marked = level
        self._best = max(self._best, level)
        return self._stuck(step) or self._jumped(step, level)

    def _stuck(self, step: int) -> str | None:
        if self._looks != _PATIENCE or not self._variance:
            return None
        if 10 ** (-self._best / 10) < _STUCK * self._variance:
            return None
        return self._note(
            f"after {step} steps the field is still no better than the signal's mean: its "
            "frequencies do not reach the signal's; take a larger alpha or omega_0, or "
            "omega_0='nyquist'"
        )

    def _jumped(self, step: int, level: float) -> str | None:
        fallen = level < self._best - _JUMP
        self._jumps += fallen and not self._fallen
        new, self._fallen = fallen and not self._fallen, fallen
        if not new or self._jumps != _JUMPS:
            return None
        return self._note(
            f"the loss has jumped up {_JUMPS} times, last at step {step}: take a smaller "
            "learning_rate or a smaller alpha"
        )

    def _note(self, line: str) -> str:
        self.notes.append(line)
        return line
