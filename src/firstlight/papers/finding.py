"""One claim of a paper beside what was measured here."""

from dataclasses import dataclass
from typing import Literal

#: same: what the paper says was found; differs: it was not; open: this budget cannot tell;
#: answer: the paper says nothing, or asks.
Verdict = Literal["same", "differs", "open", "answer"]


@dataclass(frozen=True)
class Finding:
    """A claim, what the paper says of it, and what came out here.

    Attributes:
        claim: what is claimed or asked, in one line.
        published: the paper's number or statement; "" where it has none.
        ours: our number with its interval, or what was seen.
        verdict: same, differs, open or answer.
        why: in a sentence or two: on what it rests, and why it differs where it does.
    """

    claim: str
    published: str
    ours: str
    verdict: Verdict
    why: str = ""
