"""Train one network under several initializations, side by side, with statistics.

Needs ``pip install 'firstlight[compare]'``.
"""

from firstlight.comparison.compare import compare
from firstlight.comparison.comparison import Comparison
from firstlight.comparison.spec import RunResult, RunSpec

__all__ = ["Comparison", "RunResult", "RunSpec", "compare"]
