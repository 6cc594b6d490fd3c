"""What comparisons and audits look like: tables, pictures, one offline HTML file each.

Studies of neural fields: ``firstlight.report.fields``, which needs the extra ``fields`` alone.
"""

try:
    from firstlight.report.audit import write_audit
    from firstlight.report.table import table
    from firstlight.report.write import write
except ModuleNotFoundError as error:  # the extra ``compare`` is not installed
    if (error.name or "").partition(".")[0] == "firstlight":
        raise

__all__ = ["table", "write", "write_audit"]
