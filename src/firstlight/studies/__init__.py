"""Studies of what a start does: how deep and how narrow a network can be.

Needs ``pip install 'firstlight[compare]'``.
"""

from firstlight.studies.deep_network import DeepNetwork
from firstlight.studies.depth import depth_study
from firstlight.studies.depth_options import DepthOptions
from firstlight.studies.depth_result import DepthRow, DepthStudy
from firstlight.studies.depth_start import DepthStart

__all__ = ["DeepNetwork", "DepthOptions", "DepthRow", "DepthStart", "DepthStudy", "depth_study"]
