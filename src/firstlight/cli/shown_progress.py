"""A bar on the terminal that goes away when the work is done, and lines above it."""

from types import TracebackType
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn

T = TypeVar("T", bound="ShownProgress")


class ShownProgress:
    """A spinner and columns over one task; hidden where no one looks.

    Args:
        console: where it is shown.
        columns: what stands right of the spinner.
        task: what is being done at first.
        options: of ``rich.progress.Progress``.
    """

    def __init__(
        self, console: Console, *columns: ProgressColumn, task: str, **options: Any
    ) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            *columns,
            expand=True,
            console=console,
            transient=True,
            disable=not console.is_terminal,
            **options,
        )
        self._task = self._progress.add_task(task, total=None)

    def __enter__(self: T) -> T:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
