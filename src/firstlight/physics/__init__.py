"""Physics-informed networks on DeepXDE: starts, problems with references, and training.

Importing it imports DeepXDE where that is installed, quietly and with its PyTorch backend.
"""

from firstlight.physics.deepxde import preload
from firstlight.physics.initialize import initialize
from firstlight.physics.initializers import initializer, register
from firstlight.physics.points import Points
from firstlight.physics.problem import Problem
from firstlight.physics.problems import PROBLEMS, find_problem
from firstlight.physics.reference.solution import Solution
from firstlight.physics.result import PinnRun
from firstlight.physics.specification import PinnSpec
from firstlight.physics.study import study
from firstlight.physics.study_result import PinnStudy
from firstlight.physics.training import step_zero, train

preload()

__all__ = [
    "PROBLEMS",
    "PinnRun",
    "PinnSpec",
    "PinnStudy",
    "Points",
    "Problem",
    "Solution",
    "find_problem",
    "initialize",
    "initializer",
    "register",
    "step_zero",
    "study",
    "train",
]
