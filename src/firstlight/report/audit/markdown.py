"""An audit as GitHub Markdown: verdicts, and the main columns of the layer table."""

import re
from collections.abc import Iterable

from firstlight.auditing.result import Audit
from firstlight.auditing.verdict import Verdict
from firstlight.report.audit.facts import facts, title
from firstlight.report.audit.grid import Cell, Grid
from firstlight.report.audit.layer_grid import layer_grid
from firstlight.report.audit.small_grids import small_grids
from firstlight.report.audit.subject import Subject
from firstlight.report.audit.verdicts import MARKS, WORDS, checks, headline, measured
from firstlight.report.notation import NONE

#: Names of layers in one verdict.
_NAMED = 8


def markdown(found: Subject, command: str) -> str:
    """Write an audit, or several, for a pull request or an issue.

    Args:
        found: the audits, laid out.
        command: how the audits were asked for, or "".

    Returns:
        The whole document.
    """
    lines = [f"# Audit of {escaped(title(found))}", ""]
    lines += [escaped(", ".join(f"{name} {value}" for name, value in facts(found))) + ".", ""]
    if found.several:
        lines += [*_overview(found), ""]
    for scheme, audit in found.audits.items():
        name = f"{escaped(scheme)}: " if found.several else "Verdict: "
        lines += [f"## {name}{headline(audit)}", "", *_verdicts(audit)]
    lines += ["## Weights", "", *_table(layer_grid(found)), ""]
    for heading, grids in small_grids(found)[:1]:  # the output
        lines += [f"## {heading}", "", *(line for one in grids for line in _table(one)), ""]
    if command:
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", command)), default=0))
        lines += ["## Asked for by", "", f"{fence}text", command, fence, ""]
    return "\n".join(lines)


def escaped(text: str) -> str:
    r"""Keep Markdown, and the HTML in it, from reading anything into a text.

    Example:
        >>> print(escaped("a|b <script> *x*"))
        a\|b \<script\> \*x\*
    """
    return re.sub(r"([\\`*_\[\]<>#|~&$])", r"\\\1", " ".join(text.split()))


def code(text: str, *, in_table: bool = False) -> str:
    r"""Write a name in code, whatever it holds; a pipe would end the cell of a table.

    Example:
        >>> code("blocks.0.mlp"), code("a`b"), code("a|b", in_table=True)
        ('`blocks.0.mlp`', '``a`b``', '`a\\|b`')
    """
    line = " ".join(text.split())
    line = line.replace("|", r"\|") if in_table else line
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    pad = " " if line[:1] == "`" or line[-1:] == "`" or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _overview(found: Subject) -> list[str]:
    names = ["Check", *map(escaped, found.schemes)]
    rows = [
        [escaped(check.name), *(f"{MARKS[x]} {WORDS[x]}" if x else NONE for x in check.levels)]
        for check in checks(found)
        if not check.fine
    ]
    return _rows(names, [False] * len(names), rows) if rows else ["Every check is ok."]


def _verdicts(audit: Audit) -> list[str]:
    lines = []
    for verdict in (*audit.failures, *audit.warnings):
        lines += _verdict(verdict)
    fine = [verdict.check for verdict in audit.verdicts if verdict.level == "ok"]
    if fine:
        lines.append(f"- {MARKS['ok']} ok: {escaped(', '.join(dict.fromkeys(fine)))}.")
    return [*lines, ""] if lines else []


def _verdict(verdict: Verdict) -> list[str]:
    mark, word = MARKS[verdict.level], WORDS[verdict.level].capitalize()
    lines = [f"- {mark} **{word}: {escaped(verdict.check)}.** {escaped(verdict.message)}"]
    where = [code(name) for name in verdict.where[:_NAMED]]
    if where:
        more = len(verdict.where) - len(where)
        lines.append(f"  Where: {', '.join(where)}{f' and {more} more' if more else ''}.")
    said = "; ".join(part for part in (measured(verdict), verdict.source) if part)
    lines += [f"  {escaped(said[:1].upper() + said[1:])}."] * bool(said)
    lines += [f"  Remedy: {code(verdict.advice)}"] * bool(verdict.advice)
    return ["  \n".join(lines)]


def _table(shown: Grid) -> list[str]:
    kept = [index for index, (_, _, brief) in enumerate(shown.heads) if brief]
    heads = [shown.heads[index] for index in kept]
    rows = [
        [_cell(line.cells[index], shown.heads[index][1]) for index in kept] for line in shown.lines
    ]
    return _rows(
        [escaped(head) for head, _, _ in heads], [k == "number" for _, k, _ in heads], rows
    )


def _cell(cell: Cell, kind: str) -> str:
    if kind == "name":
        return code(cell.text, in_table=True)
    return escaped(f"{cell.text} {cell.note}".strip()) if kind != "number" else cell.text


def _rows(heads: list[str], right: Iterable[bool], rows: list[list[str]]) -> list[str]:
    rule = ["---:" if number else ":---" for number in right]
    return [f"| {' | '.join(row)} |" for row in (heads, rule, *rows)]
