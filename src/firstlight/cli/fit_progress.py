"""How far a fit is, on the terminal or line by line in a log."""

import math
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.table import Column

from firstlight.cli.shown_progress import ShownProgress

if TYPE_CHECKING:
    from firstlight.fields.training import Moment

#: Seconds between two looks of a terminal, and between two lines of a log.
_ON_TERMINAL, _IN_LOG = 0.1, 10.0


class FitProgress(ShownProgress):
    """One bar from the beginning to the expected end; plain lines where no one looks.

    Attributes:
        moment: the last one that was told; None before the first step.
    """

    def __init__(self, console: Console, name: str) -> None:
        self.moment: Moment | None = None
        self._every = _ON_TERMINAL if console.is_terminal else _IN_LOG
        self._shown = -math.inf
        super().__init__(
            console,
            # first: the whole of the text is what a narrow terminal needs
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            task=f"reading {name}",
        )

    def begin(self, text: str) -> None:
        """Say what is being done, until there is a step to tell of."""
        self._progress.update(self._task, description=text, total=None)

    def show(self, moment: "Moment") -> None:
        """Move the bar, or print a line, where it is time to."""
        self.moment = moment
        if moment.seconds - self._shown < self._every:
            return
        self._shown = moment.seconds
        if not self._console.is_terminal:
            self.note(told(moment))
            return
        total = None if moment.left is None else max(moment.seconds + moment.left, 1e-9)
        self._progress.update(
            self._task, description=told(moment), completed=moment.seconds, total=total
        )


def told(moment: "Moment") -> str:
    """A moment in words.

    Example:
        >>> from firstlight.cli.fit_progress import told
        >>> from firstlight.fields.training import Moment
        >>> told(Moment(step=120, psnr=31.238, best=31.3, seconds=75.2, left=4000))
        'step 120, 31.24 dB, best 31.30 dB, 1:15 gone, 1:06:40 left'
    """
    parts = [f"step {moment.step}", level(moment.psnr), f"best {level(moment.best)}"]
    parts.append(f"{clock(moment.seconds)} gone")
    if moment.left is not None:
        parts.append(f"{clock(moment.left)} left")
    return ", ".join(parts)


def level(psnr: float) -> str:
    """A PSNR with its unit.

    Example:
        >>> from firstlight.cli.fit_progress import level
        >>> level(31.238), level(math.inf), level(-math.inf)
        ('31.24 dB', 'exact', 'not finite')
    """
    if math.isfinite(psnr):
        return f"{psnr:.2f} dB"
    return "exact" if psnr > 0 else "not finite"


def clock(seconds: float) -> str:
    """A duration as on a clock.

    Example:
        >>> from firstlight.cli.fit_progress import clock
        >>> clock(75.2), clock(4000)
        ('1:15', '1:06:40')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
