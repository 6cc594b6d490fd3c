"""One audit in the terminal: what it is of, its layers, its verdicts with what mends them."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

from firstlight.auditing.result import Audit
from firstlight.auditing.text import loss_line, state
from firstlight.cli.show.layers import Layers
from firstlight.cli.show.notation import MARKS, STYLES, Write, counted, joined, short, writer


@dataclass(frozen=True)
class Single:
    """One audit, laid out for a terminal.

    Attributes:
        title: what the network is called, and how it starts.
        about: what the batch is.
        audit: of it.
    """

    title: str
    about: str
    audit: Audit

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        write, audit = writer(options), self.audit
        ending = write(f"{MARKS[audit.level]} {state(audit)}", STYLES[audit.level])
        yield joined(write(f"{self.title}: ", "bold"), ending)
        yield write(f"batch: {self.about}", "dim")
        yield write(_facts(audit), "dim")
        for line in (loss_line(audit), *further(audit)):
            yield write(line)
        yield write("")
        yield Layers(audit)
        yield write("")
        yield _verdicts(audit, write)

    def lines(self) -> list[str]:
        """Write what stands before the table in lines that can be searched."""
        return [f"{self.title}; batch: {self.about}", str(self.audit), *further(self.audit), ""]


def _facts(audit: Audit) -> str:
    found = [counted(len(audit.weights), "weight"), counted(len(audit.activations), "activation")]
    return f"{', '.join(found)}, {audit.dtype} on {audit.device}; {audit.how}"


def further(audit: Audit) -> list[str]:
    """Return a line on each of the tangent kernel and the Jacobian that was asked for."""
    lines = []
    if audit.kernel is not None:
        kernel = audit.kernel
        lines.append(
            f"tangent kernel: condition {short(kernel.condition)}, effective rank "
            f"{short(kernel.effective_rank)} of {kernel.points * kernel.outputs}, "
            f"trace {short(kernel.trace)} ({kernel.how})"
        )
    if audit.jacobian is not None:
        found = audit.jacobian
        lines.append(
            f"input-output Jacobian: singular values {short(found.smallest)} to "
            f"{short(found.largest)}, mean square {short(found.mean_square)} ({found.how})"
        )
    return lines


def _verdicts(audit: Audit, write: Write) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for verdict in (*audit.failures, *audit.warnings):
        mark = write(f"{MARKS[verdict.level]} {verdict.level}", STYLES[verdict.level])
        said = joined(write(f"{verdict.check}: ", "bold"), write(verdict.message))
        grid.add_row(mark, said)
        if verdict.advice:
            grid.add_row("", write(f"→ {verdict.advice}", "cyan"))
    fine = [verdict.check for verdict in audit.verdicts if verdict.level == "ok"]
    if fine:
        passed = ", ".join(dict.fromkeys(fine))
        grid.add_row(write(f"{MARKS['ok']} ok", STYLES["ok"]), write(passed, "dim"))
    return grid
