"""What comparisons and audits look like: tables, pictures, one offline HTML file each."""

from firstlight.report.audit import write_audit
from firstlight.report.table import table
from firstlight.report.write import write

__all__ = ["table", "write", "write_audit"]
