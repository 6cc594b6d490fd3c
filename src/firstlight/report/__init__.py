"""What a comparison looks like: a table in the terminal, curves as PNG, one offline HTML file."""

from firstlight.report.table import table
from firstlight.report.write import write

__all__ = ["table", "write"]
