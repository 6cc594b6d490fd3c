"""Beyond Gaussian Initializations: odd-sigmoid activations (arXiv 2509.23085)."""

from firstlight.papers.entry import Entry
from firstlight.papers.odd_sigmoid.benchmarks import BENCHMARKS, FEW_SAMPLES
from firstlight.papers.odd_sigmoid.bifurcation import BIFURCATION
from firstlight.papers.odd_sigmoid.calibration import CALIBRATION
from firstlight.papers.odd_sigmoid.chi import CHI, SIGNALS
from firstlight.papers.odd_sigmoid.elsewhere import CNN_TRANSFORMER, RECURRENT, RELU_GELU, RESIDUAL
from firstlight.papers.odd_sigmoid.full_training import FULL_TRAINING
from firstlight.papers.odd_sigmoid.gradient_norms import GRADIENT_NORMS
from firstlight.papers.odd_sigmoid.hard_case import HARD_CASE, NORMS
from firstlight.papers.odd_sigmoid.histograms import HISTOGRAMS
from firstlight.papers.odd_sigmoid.learning_rate import LEARNING_RATE
from firstlight.papers.odd_sigmoid.narrow import NARROW
from firstlight.papers.odd_sigmoid.pinn import ALLEN_CAHN, BURGERS, DIFFUSION, POISSON
from firstlight.papers.odd_sigmoid.rates import NEGATIVE_RATE, TARGET_RATE
from firstlight.papers.odd_sigmoid.robustness import NOISE_SCALE, WRONG_OMEGA

#: In the paper's order.
ENTRIES: tuple[Entry, ...] = (
    BIFURCATION,
    CALIBRATION,
    HISTOGRAMS,
    GRADIENT_NORMS,
    SIGNALS,
    CHI,
    NEGATIVE_RATE,
    NOISE_SCALE,
    WRONG_OMEGA,
    LEARNING_RATE,
    BENCHMARKS,
    FEW_SAMPLES,
    HARD_CASE,
    BURGERS,
    ALLEN_CAHN,
    DIFFUSION,
    POISSON,
    CNN_TRANSFORMER,
    TARGET_RATE,
    RELU_GELU,
    RESIDUAL,
    RECURRENT,
    FULL_TRAINING,
    NORMS,
    NARROW,
)
