"""What an audit looks like in the terminal; it needs no optional package."""

from firstlight.cli.show.side_by_side import SideBySide
from firstlight.cli.show.single import Single

__all__ = ["SideBySide", "Single"]
