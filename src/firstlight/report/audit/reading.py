"""What each measure means, in one line each, with the paper that it is from."""

from typing import NamedTuple


class Measure(NamedTuple):
    """A measure in plain words.

    Attributes:
        name: as the page writes it.
        meaning: one line.
        papers: arXiv numbers.
    """

    name: str
    meaning: str
    papers: tuple[str, ...] = ()


READING = (
    Measure(
        "Second moment of z, E z²",
        "Mean square of what an activation reads; level over depth is healthy, growth or decay is "
        "not.",
        ("1502.01852", "1611.01232"),
    ),
    Measure(
        "Gradient norm",
        "Of the loss in z, or in a parameter; orders of magnitude between layers mean that some "
        "learn much faster than others.",
        ("1211.5063",),
    ),
    Measure(
        "χ, gradient factor",
        "Squared gradient norm at one activation over that at the next; 1 keeps its size. "
        "Predicted: σ² E f'(z)², the mean field's.",
        ("1606.05340", "1611.01232"),
    ),
    Measure(
        "Skewed units",
        "Share of units with |P(z > 0) - ½| above 0.1 or 0.3: nearly always on, or nearly always "
        "off. Predicted: from row sums and the inputs' mean.",
        ("2505.12909",),
    ),
    Measure(
        "OUI",
        "How differently two samples switch the units: 0 alike, 1 as unlike as coin tosses.",
        ("2504.17160", "2505.12909"),
    ),
    Measure(
        "Correlation",
        "Mean cosine between the z of two samples; near 1 the network cannot tell them apart.",
        ("1611.01232",),
    ),
    Measure(
        "Effective rank",
        "How many directions the samples fill: exp of the entropy of their singular values "
        "(Roy and Vetterli, 2007).",
        ("2003.01652",),
    ),
    Measure(
        "Dead, saturated",
        "Units on which the activation is flat for every observation; elements on its flat ends.",
        ("1903.06733",),
    ),
    Measure(
        "S and λ",
        "S is the sum of a unit's weights; theory says that the unit is skewed of degree 0.1, or "
        "0.3, exactly if |S| is above λ(0.1), or λ(0.3).",
        ("2505.12909",),
    ),
    Measure(
        "S ratio",
        "Root mean square of S over that of independent weights of this size: about 1 if random, "
        "0 if every row cancels.",
        ("2505.12909",),
    ),
    Measure(
        "Zero, constant, twin rows; blind inputs",
        "Units that say nothing, see only the sum, or repeat another up to sign; inputs that no "
        "unit sees.",
        ("2110.12661",),
    ),
    Measure(
        "Rank, stable rank, condition, edge",
        "Numerical rank; squared Frobenius over squared spectral norm; largest over smallest "
        "singular value; the largest over what independent entries of this size have.",
        ("1312.6120", "1011.3027"),
    ),
    Measure(
        "Loss at step 0",
        "A network that knows nothing has ln C for C classes; well above it, the first steps undo "
        "the start.",
    ),
    Measure(
        "Shift, batch over running variance",
        "How far a norm's stored statistics are from this batch: 0 and 1 where they agree.",
        ("1502.03167",),
    ),
    Measure(
        "Attention entropy",
        "1 looks everywhere alike, 0 at one place.",
        ("2303.06296",),
    ),
    Measure(
        "Neural tangent kernel",
        "Gradient descent learns along its eigenvectors, each at the pace of its eigenvalue.",
        ("1806.07572",),
    ),
    Measure(
        "Input-output Jacobian",
        "How much a small change of the input is stretched; all singular values near 1 train best.",
        ("1711.04735",),
    ),
)
