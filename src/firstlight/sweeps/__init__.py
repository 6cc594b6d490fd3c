"""Many runs from one file: in this process, on several workers, or on a Ray cluster.

Needs ``pip install 'firstlight[compare]'``, and ``'firstlight[ray]'`` for Ray.
"""

from firstlight.sweeps.read_spec import read_spec
from firstlight.sweeps.results import read_results
from firstlight.sweeps.spec import SweepSpec
from firstlight.sweeps.sweep import sweep

__all__ = ["SweepSpec", "read_results", "read_spec", "sweep"]
