"""``scheme="auto"``: which scheme each weight gets, and the comparison that supports it.

The table below is all there is: rows are tried from the top, the first that holds decides, and
where none does the framework's own start stays. Every row names the folder in results/ with the
comparison that stands behind it, and the command that made it; ``DATA`` and ``SMALL`` are CIFAR-10
as results/README.md says. A row without a scheme says that a comparison was made, and found nothing
to prefer to the framework's start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from firstlight.model.setting import Setting


@dataclass(frozen=True)
class Rule:
    """One row.

    Attributes:
        what: the weights that it is for, in words.
        holds: whether a weight is one of them.
        scheme: what they get; None keeps the framework's start.
        evidence: folders in results/.
        found: what was found there.
        command: what made it.
        options: of the scheme, from the weight's setting.
    """

    what: str
    holds: Callable[[Setting], bool]
    scheme: str | None
    evidence: str
    found: str
    command: str
    options: Callable[[Setting], Mapping[str, Any]] = lambda _: {}


_PLAIN = "PYTHONPATH=experiments firstlight compare --data digits --tune-lr --model "

RULES: tuple[Rule, ...] = (
    Rule(
        what="sine network",
        holds=lambda at: at.omega is not None,
        scheme="siren",
        options=lambda at: {"omega": at.omega},
        evidence="sine-networks-unseen",
        found="11.5 dB better on unseen pixels than the framework's start, p < 0.001, 8 seeds",
        command="UNSEEN=1 python experiments/sine_networks.py --out results/sine-networks-unseen",
    ),
    Rule(
        what="plain odd-sigmoid network, 10 layers or more",
        holds=lambda at: at.odd_sigmoid is not None and at.trace.depth >= 10,
        scheme="orthogonal",
        evidence="deep-tanh-adamw, deep-tanh-sgd, deep-tanh-100, deep-tanh-narrow-adamw",
        found="at 100 layers 96.5 % against 93.0 % for diagonal_plus_noise (p = 0.002) and 10.3 % "
        "for the framework's start; 16 units wide 93.0 against 82.2 and 14.4 at 30 layers; 8 seeds",
        command=_PLAIN + "plain:narrow_tanh_30,plain:narrow_tanh_100 --optimizers adamw --seeds 8 "
        "--learning-rate 0.0001",
    ),
    Rule(
        what="plain odd-sigmoid network, 4 to 9 layers",
        holds=lambda at: at.odd_sigmoid is not None and 4 <= at.trace.depth < 10,
        scheme="diagonal_plus_noise",
        options=lambda at: {"activation": at.odd_sigmoid},
        evidence="deep-tanh-sgd, deep-tanh-adamw",
        found="97.1 % against 94.6 % for the framework's start at 4 layers with SGD, p < 0.001, "
        "8 seeds; with AdamW nothing differs",
        command=_PLAIN + "plain:tanh_4 --optimizers sgd --learning-rate 0.03 --seeds 8",
    ),
    Rule(
        what="plain ReLU network, 20 layers or more",
        holds=lambda at: at.in_plain_mlp("relu") and at.trace.depth >= 20,
        scheme="orthogonal",
        options=lambda _: {"gain": "relu"},
        evidence="plain-deep-adamw",
        found="92.7 % against 81.9 % for He and 10.3 % for the framework's start at 30 layers, "
        "p < 0.001, 8 seeds",
        command=_PLAIN + "plain:relu_30 --optimizers adamw --seeds 8",
    ),
    Rule(
        what="plain ReLU or GELU network, 3 to 19 layers",
        holds=lambda at: at.in_plain_mlp("relu", "gelu", "gelu_tanh") and 3 <= at.trace.depth < 20,
        scheme="he_normal",
        evidence="plain-relu-adamw, plain-relu-sgd, plain-deep-adamw",
        found="98.0 % against 97.6 % for the framework's start at 4 layers, 96.1 against 79.9 at "
        "10, p < 0.03, 8 to 10 seeds",
        command=_PLAIN + "mlp,plain:relu_10,plain:gelu_10 --optimizers sgd,adamw --seeds 10",
    ),
    Rule(
        what="residual ReLU network without norms whose branches start at zero",
        holds=lambda at: at.in_residual_mlp("relu") and at.zero_branches(),
        scheme="harmonic",
        evidence="zero-residual-no-norm",
        found="97.4 % against 96.3 % for the framework's start, p = 0.03, 10 seeds",
        command="NORM=none python experiments/zero_residual.py --out results/zero-residual-no-norm",
    ),
    Rule(
        what="vision transformer",
        holds=lambda at: at.vision_transformer,
        scheme="glorot_uniform",
        evidence="pre-norm-transformer-adamw",
        found="86.7 % against 67.9 % for torch's start and 64.0 % for N(0, 0.02^2), p = 0.005, "
        "6 seeds",
        command="firstlight compare --model small_vit --optimizers adamw --tune-lr --seeds 6 "
        "--epochs 5 --schemes default,glorot_uniform,truncated_normal:gain=0.2,sinusoidal",
    ),
    Rule(
        what="LSTM's own past",
        holds=lambda at: at.in_lstm and at.view.role == "recurrent",
        scheme="orthogonal",
        evidence="recurrent",
        found="with Glorot inputs 0.029 nats per byte better than the framework's start, p = 0.02, "
        "6 seeds; a forget bias of 1 adds nothing",
        command="python experiments/recurrent.py --seeds 6 --rates 0.003 0.01 0.03 --out ...",
    ),
    Rule(
        what="LSTM's inputs",
        holds=lambda at: at.in_lstm,
        scheme="glorot_uniform",
        evidence="recurrent",
        found="as in the row above",
        command="python experiments/recurrent.py --seeds 6 --rates 0.003 0.01 0.03 --out ...",
    ),
    Rule(
        what="transformer that reads no images",
        holds=lambda at: at.trace.attends and not at.trace.convolves,
        scheme=None,
        evidence="causal-lm",
        found="no start differs from GPT-2's own",
        command="python experiments/causal_lm.py --out results/causal-lm",
    ),
    Rule(
        what="depthwise filter",
        holds=lambda at: at.view.depthwise,
        scheme=None,
        evidence="depthwise",
        found="no start differs from He's but the identity, which is worse",
        command="python experiments/depthwise.py --data DATA --optimizers adamw --out ...",
    ),
    Rule(
        what="convolution behind batch norm",
        holds=lambda at: at.trace.normalised and "conv" in at.view.kind,
        scheme=None,
        evidence="batch-norm-resnet-adamw, batch-norm-resnet-sgd",
        found="harmonic 40.9 % against 39.2 % for the framework's start, p = 0.83; with SGD 38.7 "
        "against 36.4, p = 0.47; 6 seeds of 4,000 images",
        command="firstlight compare --model small_resnet --data SMALL --train-size 4000 "
        "--optimizers adamw --seeds 6 --epochs 3 "
        "--schemes default,he_normal,orthogonal,sinusoidal,harmonic",
    ),
)

#: What is said where no row holds.
NO_EVIDENCE = "no evidence for another start: the framework's stays"


def rule_for(at: Setting) -> Rule | None:
    """Return the first row that holds for a weight."""
    return next((rule for rule in RULES if rule.holds(at)), None)


def why(rule: Rule | None) -> str:
    """Return what a plan says of a weight that a rule was found for, or none."""
    if rule is None:
        return NO_EVIDENCE
    start = f"{rule.what}: " if rule.scheme else f"{rule.what}: the framework's start stays, "
    return f"{start}results/{rule.evidence}"
