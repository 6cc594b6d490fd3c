"""What a model is made of: its weights as canonical matrices, and giving them a new start."""

from firstlight.model.initialize import initialize
from firstlight.model.match_variance import match_variance
from firstlight.model.plan import Assignment, Plan
from firstlight.model.planning import plan
from firstlight.model.prediction import Prediction
from firstlight.model.trace import Trace, trace
from firstlight.model.usual_values import set_usual_values
from firstlight.model.views import WeightView, views

__all__ = [
    "Assignment",
    "Plan",
    "Prediction",
    "Trace",
    "WeightView",
    "initialize",
    "match_variance",
    "plan",
    "set_usual_values",
    "trace",
    "views",
]
