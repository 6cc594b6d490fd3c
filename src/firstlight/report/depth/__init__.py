"""What depth studies look like: a table and figures."""

from firstlight.report.depth.depth_table import depth_table
from firstlight.report.depth.write import write_depth

__all__ = ["depth_table", "write_depth"]
