"""What a model is made of: its weights as canonical matrices, and giving them a new start."""

from firstlight.model.initialize import initialize
from firstlight.model.match_variance import match_variance
from firstlight.model.views import WeightView, views

__all__ = ["WeightView", "initialize", "match_variance", "views"]
