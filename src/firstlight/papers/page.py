"""docs/reproduction.md: every claim beside what came out here, from the results on disk."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from firstlight.papers.entry import Entry
from firstlight.papers.finding import Finding
from firstlight.papers.reproduce import Reproduced

_PAPERS = {
    "sinusoidal": "Sinusoidal Initialization, Time for a New Start (arXiv 2505.12909)",
    "weight-scaling": "Fast Training of Sinusoidal Neural Fields via Scaling Initialization "
    "(arXiv 2410.04779)",
    "odd-sigmoid": "Beyond Gaussian Initializations: Signal Preserving Weight Initialization for "
    "Odd-Sigmoid Activations (arXiv 2509.23085)",
}
#: Findings of an entry beyond which the page folds all but the first.
_MANY, _SHOWN = 20, 12
_WORDS = {"same": "same", "differs": "**differs**", "open": "open", "answer": "answered"}
_KINDS = {
    "table": "Table",
    "figure": "Figure",
    "claim": "Claim",
    "question": "Open question",
    "check": "Suggested check",
}


def page(entries: Sequence[Entry], found: Mapping[str, Reproduced], figures: Path) -> str:
    """Return the page as Markdown.

    Args:
        entries: all of them, in their order.
        found: by name, what was measured.
        figures: folder of the results, as seen from the page.
    """
    parts = [_head(entries, found), _contents(entries, found), _differing(entries, found)]
    for paper, title in _PAPERS.items():
        parts.append(f"## {title}\n")
        for entry in entries:
            if entry.paper == paper:
                parts.append(_entry(entry, found.get(entry.name), figures))
    return "\n".join(parts).rstrip("\n") + "\n"


def _head(entries: Sequence[Entry], found: Mapping[str, Reproduced]) -> str:
    findings = [each for entry in entries for each in _findings(found, entry)]
    count = Counter(each.verdict for each in findings)
    presets = Counter(str(one.about["preset"]) for one in found.values())
    made = ", ".join(f"{number} at its {preset} preset" for preset, number in presets.items())
    missing = [entry.name for entry in entries if entry.name not in found]
    lines = [
        "# What the three papers claim, and what came out here",
        "",
        "Written by `firstlight reproduce --page docs/reproduction.md` from the results in",
        "`results/reproduction`; every entry is one command, which stands under its title.",
        "",
        f"{len(entries)} entries, {len(found)} measured ({made or 'none'}).",
        f"Of {len(findings)} findings, {count['same']} are as the paper says, {count['differs']} "
        f"differ, {count['open']} cannot be told at this budget, and {count['answer']} answer what "
        "the paper leaves open.",
        "",
        "*same*: the paper's sign or number was found, outside the interval of chance. *differs*: "
        "it was not. *open*: the budget of two processor cores cannot tell. *answered*: the paper "
        "does not say.",
        "",
        "Square brackets hold a 95 % interval of the mean or median before them. Round ones hold "
        "one of a mean over seeds, too, and behind a median the least and the most. Some entries "
        "ask with a prediction interval: does the paper's one number lie where one run of ours "
        "falls with 95 %? A margin that no paper gives is ours, one in all entries of a paper, and "
        "stands under *why*.",
        "",
    ]
    if missing:
        lines += [f"Not measured yet: {', '.join(missing)}.", ""]
    return "\n".join(lines)


def _contents(entries: Sequence[Entry], found: Mapping[str, Reproduced]) -> str:
    """Every entry with the number of its findings by verdict."""
    lines = ["## Entries", "", "| | asks | same | differs | open | answered |"]
    lines.append("|---|---|---|---|---|---|")
    for entry in entries:
        count: Counter[str] = Counter(each.verdict for each in _findings(found, entry))
        numbers = " | ".join(str(count[verdict] or "") for verdict in _WORDS)
        lines.append(f"| {_link(entry)} | {_cell(entry.asks)} | {numbers} |")
    return "\n".join([*lines, ""])


def _differing(entries: Sequence[Entry], found: Mapping[str, Reproduced]) -> str:
    """What did not come out as the papers say, together."""
    rows = [
        f"| {_link(entry)} | {_cell(each.claim)} | {_cell(each.published)} | {_cell(each.ours)} |"
        for entry in entries
        for each in _findings(found, entry)
        if each.verdict == "differs"
    ]
    if not rows:
        return ""
    head = ["## What came out differently", "", "| | claim | paper | here |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _findings(found: Mapping[str, Reproduced], entry: Entry) -> Sequence[Finding]:
    return found[entry.name].findings if entry.name in found else ()


def _anchor(entry: Entry) -> str:
    return entry.name.replace("/", "-")


def _link(entry: Entry) -> str:
    return f"[{entry.name}](#{_anchor(entry)})"


def _entry(entry: Entry, found: Reproduced | None, figures: Path) -> str:
    lines = [
        f'### <a id="{_anchor(entry)}"></a>{_KINDS[entry.kind]}: {entry.asks}',
        "",
        f"`{entry.name}` · {entry.where} · the paper: {entry.published or 'does not say'}",
        "",
    ]
    if found is None:
        return "\n".join([*lines, "Not measured yet.", ""])
    lines += [_origin(found), ""]
    lines += _table(found.findings)
    folder = figures / entry.name
    names = sorted(entry.draw(found.frame))
    lines += ["", *(f"![{entry.name}, {name}]({folder / name}.png)" for name in names)]
    if entry.needs:
        lines += ["", f"The paper's own setting (`--preset full`) needs {entry.needs}."]
    return "\n".join([*lines, ""])


def _table(findings: Sequence[Finding]) -> list[str]:
    """The findings as rows; of very many, those beyond the first are folded away."""
    head = ["| claim | paper | here | | why |", "|---|---|---|---|---|"]
    rows = [_row(each) for each in findings]
    if len(rows) <= _MANY:
        return head + rows
    folded = f"<details><summary>{len(rows) - _SHOWN} more, setting by setting</summary>"
    return [*head, *rows[:_SHOWN], "", folded, "", *head, *rows[_SHOWN:], "", "</details>"]


def _origin(found: Reproduced) -> str:
    about = found.about
    versions = about["versions"]
    words = ", ".join(
        f"{name} {versions[name]}" for name in ("firstlight", "torch") if name in versions
    )
    took = _duration(float(about.get("seconds") or 0))
    return f"`{about['command']}` ({took}; {words}{_adopted(about.get('adopted'))})"


def _adopted(earlier: Mapping[str, str] | str | None) -> str:
    """Where results lay before there were entries: a folder of all, or one for each part."""
    if not earlier:
        return ""
    by_part = earlier if isinstance(earlier, Mapping) else {"": earlier}
    folders = ", ".join(dict.fromkeys(f"`{each}`" for each in by_part.values()))
    parts = " of " + ", ".join(by_part) if isinstance(earlier, Mapping) else ""
    return (
        f"; the results{parts} were made earlier by the same code under another command and "
        f"adopted from {folders}"
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _row(finding: Finding) -> str:
    cells = [
        finding.claim,
        finding.published,
        finding.ours,
        _WORDS[finding.verdict],
        finding.why,
    ]
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
