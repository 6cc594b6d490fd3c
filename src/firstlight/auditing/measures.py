"""What an audit measures: one frozen record for each weight, activation, norm and output."""

from dataclasses import dataclass

from firstlight.auditing.sketches import ActivationSketch, WeightSketch


@dataclass(frozen=True)
class WeightMeasures:
    """One logical weight matrix (out, in); the kernel of a convolution counts as inputs.

    Attributes:
        name: its name, with a mark such as [q] where a parameter holds several.
        parameter: the parameter that holds it.
        kind: linear, conv, attention ...
        role: "weight", "depthwise", "recurrent" or "table".
        shape: (out, in, *kernel).
        depth: weights before it on the longest way from the data; None where not traced.
        frozen: whether it is not to be trained.
        finite: whether every entry is a finite number.
        mean: of the entries.
        rms: root of their mean square.
        row_norm_smallest, row_norm_largest: Euclidean norms of rows.
        row_sum_rms: root mean square of the row sums S.
        row_sum_ratio: row_sum_rms / (rms sqrt(in)): about 1 for independent entries, 0 for rows
            that sum to zero.
        zero_rows: rows that are all zero: outputs that say nothing.
        constant_rows: rows whose entries are all the same, zero rows left out.
        twin_rows: rows that equal another one up to sign.
        blind_inputs: columns that are all zero: inputs that the layer cannot see.
        rank: numerical rank; None where it was not computed.
        full_rank: the largest rank that the shape allows.
        stable_rank: ||W||_F^2 / ||W||_2^2.
        condition: largest over smallest singular value; infinite below full rank.
        edge: largest singular value over the largest that independent entries of this size have,
            rms (sqrt(out) + sqrt(in)): far above 1 for what was trained.
        note: why something was not computed, or "".
        same_as: other layers with the same matrix, up to sign.
        gradient_norm: of the loss in the whole parameter; None without a backward pass.
        sketch: for pictures.
    """

    name: str
    parameter: str
    kind: str
    role: str
    shape: tuple[int, ...]
    depth: int | None
    frozen: bool
    finite: bool
    mean: float
    rms: float
    row_norm_smallest: float
    row_norm_largest: float
    row_sum_rms: float
    row_sum_ratio: float
    zero_rows: int = 0
    constant_rows: int = 0
    twin_rows: int = 0
    blind_inputs: int = 0
    rank: int | None = None
    full_rank: int = 0
    stable_rank: float | None = None
    condition: float | None = None
    edge: float | None = None
    note: str = ""
    same_as: tuple[str, ...] = ()
    gradient_norm: float | None = None
    sketch: WeightSketch | None = None


@dataclass(frozen=True)
class ActivationMeasures:
    """The pre-activations z of one activation f, over units, positions and samples.

    Attributes:
        path: the module in which it stands.
        activation: its name.
        place: its path, and where that is none or one of several, the weight before it, too.
        weight: the parameter whose outputs z it reads, perhaps through a norm; "" if several.
        parameters: that one, its bias, and the norm's; () if several weights are added up.
        depth: weights before it on the longest way from the data.
        units: features or channels.
        observations: samples times positions.
        finite: whether every z is a finite number.
        mean, second_moment: of z.
        output_second_moment: of f(z).
        skewed_10, skewed_30: share of units with |P(z > 0) - 1/2| above 0.1 and 0.3.
        skewed_10_predicted, skewed_30_predicted: what the general form of Theorem 1 of arXiv
            2505.12909 says they are for this weight and its inputs' means and variances; None where
            it does not apply.
        dead: share of units on which f is flat for every observation.
        saturated: share of elements on which f is flat, for functions flat on both sides.
        oui: how differently samples switch the units; None for one sample.
        effective_rank: exp of the entropy of the samples' normalised singular values.
        samples: how many samples oui, effective_rank and correlation compare.
        correlation: mean cosine between the z of two samples.
        gradient_norm: of the loss in z; None without a backward pass.
        chi: squared gradient norm here over that at the next activation; None where another
            branch or nothing follows.
        chi_predicted: the mean field's, sigma_w^2 E[f'(z)^2]; None where it does not apply.
        sketch: for pictures.
    """

    path: str
    activation: str
    weight: str
    depth: int
    units: int
    observations: int
    finite: bool
    mean: float
    second_moment: float
    output_second_moment: float | None
    skewed_10: float
    skewed_30: float
    dead: float
    saturated: float | None
    oui: float | None
    effective_rank: float | None
    samples: int
    correlation: float | None
    skewed_10_predicted: float | None = None
    skewed_30_predicted: float | None = None
    gradient_norm: float | None = None
    chi: float | None = None
    chi_predicted: float | None = None
    place: str = ""
    parameters: tuple[str, ...] = ()
    sketch: ActivationSketch | None = None


@dataclass(frozen=True)
class GradientMeasures:
    """The gradient of the loss in one parameter.

    Attributes:
        name: of the parameter.
        norm: Euclidean; None where no gradient arrives.
        value_norm: of the parameter itself.
        finite: whether every entry is a finite number.
    """

    name: str
    norm: float | None
    value_norm: float
    finite: bool = True


@dataclass(frozen=True)
class NormMeasures:
    """A norm that uses running statistics in this mode, on this batch.

    Attributes:
        path: the module.
        kind: its class.
        shift: mean over channels of |batch mean - running mean| / running standard deviation.
        spread: geometric mean over channels of batch variance / running variance.
    """

    path: str
    kind: str
    shift: float
    spread: float


@dataclass(frozen=True)
class AttentionMeasures:
    """A softmax over attention scores.

    Attributes:
        path: the module in which it stands.
        entropy: mean entropy of its rows over that of a uniform row: 1 looks everywhere alike,
            0 at one place.
        keys: how many places a row can look at, on average.
    """

    path: str
    entropy: float
    keys: float


@dataclass(frozen=True)
class OutputMeasures:
    """The network's output and the loss at step 0.

    Attributes:
        shape: of the output.
        finite: whether every number is finite.
        mean, second_moment: of its elements.
        spread: mean over samples of the standard deviation over classes or outputs.
        loss: at step 0; None where no loss is known.
        uninformed: the loss of an output that knows nothing: ln C for C classes.
        loss_name: which loss it is, and where it comes from.
        classes: C; None where it is no classification.
    """

    shape: tuple[int, ...]
    finite: bool
    mean: float
    second_moment: float
    spread: float | None
    loss: float | None = None
    uninformed: float | None = None
    loss_name: str = ""
    classes: int | None = None


@dataclass(frozen=True)
class InputMeasures:
    """One floating-point tensor of the batch.

    Attributes:
        name: argument name or position.
        shape: of the tensor.
        finite: whether every number is finite.
        mean, std: of its elements.
    """

    name: str
    shape: tuple[int, ...]
    finite: bool
    mean: float
    std: float
