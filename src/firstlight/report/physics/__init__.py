"""Physics-informed networks: the table in the terminal, and figures."""

from firstlight.report.physics.table import pinn_table
from firstlight.report.physics.write import write_pinn

__all__ = ["pinn_table", "write_pinn"]
