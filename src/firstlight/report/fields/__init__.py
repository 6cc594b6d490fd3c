"""What studies of neural fields look like: a table and figures; the extra ``fields`` is enough."""

from firstlight.report.fields.study_table import study_table
from firstlight.report.fields.write import write_study

__all__ = ["study_table", "write_study"]
