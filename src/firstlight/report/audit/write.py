"""Write the report of one audit, or of several side by side, into a directory."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from firstlight.errors import OptionError
from firstlight.report.write import encoded, folder, put

if TYPE_CHECKING:
    from firstlight.auditing.result import Audit


def write_audit(
    audits: "Audit | Mapping[str, Audit]",
    out: str | os.PathLike[str],
    *,
    command: str = "",
) -> list[Path]:
    """Write ``profiles.png``, ``audit.md``, ``audit.json`` and ``report.html``.

    Every file appears whole or not at all, and nothing is written before all is drawn. The same
    audits always give the same bytes.

    Args:
        audits: what ``firstlight.audit`` returned, or scheme names and what it returned for the
            same network under each.
        out: a directory; it is made where missing.
        command: how the audits were asked for, to be shown on the page.

    Returns:
        The files written, ``report.html`` last.

    Raises:
        OptionError: there is no audit, the audits are of different networks, or ``out`` is not a
            directory.
        FirstlightError: the directory cannot be written to.
    """
    # Plotly, Matplotlib and Jinja2 take a while to load; other reports may not need them.
    from firstlight.report.audit.facts import title
    from firstlight.report.audit.markdown import markdown
    from firstlight.report.audit.page import page
    from firstlight.report.audit.picture import picture
    from firstlight.report.audit.profiles import profiles
    from firstlight.report.audit.subject import subject

    directory = folder(out)
    if not isinstance(command, str):
        raise OptionError(f"command must be text, got {command!r:.80}")
    found = subject(audits)
    panels, _ = profiles(found)
    drawn = picture(title(found), panels, found.looks)
    plain = {scheme: audit.to_dict() for scheme, audit in found.audits.items()}
    files = {
        "profiles.png": drawn,
        "audit.md": encoded(markdown(found, command)),
        "audit.json": encoded(json.dumps(plain, indent=2) + "\n"),
        "report.html": encoded(page(found, drawn, command)),
    }
    return put(directory, files)
