"""How numbers and verdicts are written, also where a terminal has letters only."""

import math
import re
from collections.abc import Callable

from rich.console import ConsoleOptions
from rich.text import Text

from firstlight.auditing.verdict import Level

NONE, MINUS, TIMES = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
#: Its mark, its word in full and in a table, and its colour: never the colour alone.
MARKS: dict[Level, str] = {"ok": "✓", "warning": "▲", "failure": "✗"}
BRIEF: dict[Level, str] = {"ok": "ok", "warning": "warn", "failure": "fail"}
STYLES: dict[Level, str] = {"ok": "green", "warning": "yellow", "failure": "bold red"}

_ASCII = str.maketrans(
    {NONE: "-", MINUS: "-", TIMES: "x", "²": "^2", "∞": "inf", "→": "->", "…": "~"}
    | {"✓": ".", "▲": "!", "✗": "x"}
)

Write = Callable[..., Text]


def writer(options: ConsoleOptions) -> Write:
    """Return what turns words and a style into Rich's text, in letters where it must be.

    Example:
        >>> from rich.console import Console
        >>> options = Console().options.copy()
        >>> options.encoding = "ascii"
        >>> writer(options)("E z² → ∞").plain
        'E z^2 -> inf'
    """
    return _letters if options.ascii_only else Text


def _letters(words: str, style: str = "") -> Text:
    return Text(words.translate(_ASCII), style)


def joined(first: Text, second: Text) -> Text:
    """Put two texts after each other, each in its own style."""
    return Text().append_text(first).append_text(second)


def short(value: float | None, digits: int = 3) -> str:
    """Write a number of any size in little room.

    Example:
        >>> [short(x) for x in (0.0312345, 12345.0, 3.21e-07, -0.5, float("inf"), None)]
        ['0.0312', '1.23e4', '3.21e-7', '−0.5', '∞', '–']
    """
    if value is None or math.isnan(value):
        return NONE
    if math.isinf(value):
        return f"{MINUS * (value < 0)}∞"
    head, mark, power = f"{value:.{digits}g}".partition("e")
    return head.replace("-", MINUS) + (f"e{int(power)}" if mark else "")


def percent(share: float | None) -> str:
    """Write a share in whole percent; what is not quite nothing, or all, does not look like it.

    Example:
        >>> percent(0.527), percent(0.001), percent(0.9999), percent(0.0), percent(None)
        ('53', '<1', '>99', '0', '–')
    """
    if share is None or math.isnan(share):
        return NONE
    if 0 < share < 0.005:
        return "<1"
    return ">99" if 0.995 <= share < 1 else f"{100 * share:.0f}"


def shortened(name: str, room: int) -> str:
    """Shorten the words of a dotted name, the first ones first; its numbers stay.

    Example:
        >>> shortened("blocks.10.attention.in_proj[q]", 20), shortened("layer3.0.downsample.0", 14)
        ('b.10.a.in_proj[q]', 'l3.0.d.0')
        >>> shortened("encoder", 4)
        'e…er'
    """
    words = name.split(".")
    for at, word in enumerate(words[:-1]):
        if len(".".join(words)) <= room:
            break
        words[at] = re.sub(r"^([A-Za-z_])\D*", r"\1", word)
    made = ".".join(words)
    return made if len(made) <= room else f"{made[:1]}…{made[2 - room :]}"


def counted(number: int, noun: str) -> str:
    """Write a number of things.

    Example:
        >>> counted(1, "failure"), counted(2, "weight")
        ('1 failure', '2 weights')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
