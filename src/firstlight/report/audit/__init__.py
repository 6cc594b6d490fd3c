"""What an audit looks like: one offline HTML page, a PNG, Markdown and JSON."""

from firstlight.report.audit.write import write_audit

__all__ = ["write_audit"]
