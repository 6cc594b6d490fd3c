"""``firstlight.audit``: one forward and one backward pass, measured and judged."""

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from firstlight.auditing.activations import activation_measures
from firstlight.auditing.derivatives.jacobian import input_jacobian
from firstlight.auditing.derivatives.kernel import tangent_kernel
from firstlight.auditing.judge import judge
from firstlight.auditing.measures import InputMeasures, OutputMeasures
from firstlight.auditing.objective import Loss, Value, objective
from firstlight.auditing.passes import passes
from firstlight.auditing.predicted import Layers
from firstlight.auditing.result import Audit
from firstlight.auditing.signal import scale
from firstlight.auditing.untouched import untouched
from firstlight.auditing.weights import measure_weights
from firstlight.errors import OptionError
from firstlight.model.names import unwrapped
from firstlight.model.slots import slots
from firstlight.model.views import views


def audit(
    model: nn.Module,
    batch: Any,
    *,
    loss: Loss = None,
    ntk: bool = False,
    jacobian: bool = False,
    spectra: bool = False,
) -> Audit:
    """See what a network is like before it trains: weights, signals, gradients, output, verdicts.

    One forward and one backward pass on the batch, in the mode in which the model is, dropout off.
    The model comes back as it was: modes, buffers, statistics, gradients, hooks, random states.

    Args:
        model: any module.
        batch: what the model takes, a tensor, a tuple of arguments or a dict; or a pair
            (inputs, targets).
        loss: "cross_entropy", "mse", "l1", "bce_with_logits", or a callable of output and targets,
            or of the output alone. Without one it is cross-entropy for whole-numbered targets,
            the mean square for others, the model's own loss where it returns one, and else a
            random direction of the output.
        ntk: whether the empirical neural tangent kernel is wanted, too.
        jacobian: whether the singular values of the output's Jacobian by the input are.
        spectra: whether ranks of matrices with a shorter side above 2048 are, which take minutes.

    Returns:
        An ``Audit``: print it, ``assert_healthy()`` it, take its ``to_frame()``.

    Raises:
        OptionError: the loss is not known, or the batch is empty.
        FirstlightError: the model or the loss cannot be run on the batch.

    Example:
        >>> import firstlight
        >>> net = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 4))
        >>> _ = firstlight.initialize(net, "orthogonal")
        >>> found = firstlight.audit(net, (torch.randn(32, 8), torch.randint(4, (32,))))
        >>> found.level, found.activations[0].activation, found.output.loss_name
        ('ok', 'tanh', 'cross_entropy')
    """
    if not isinstance(model, nn.Module):
        raise OptionError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    model = unwrapped(model)
    check_placed(model)
    task = objective(model, batch, loss)
    _check_filled(task.inputs)
    found = slots(model)
    with untouched(model):
        looked = passes(model, task, found)
    matrices = views(model, tables=True, found=found)
    weights = measure_weights(matrices, looked.trace.facts, spectra=spectra)
    norms = {one.name: one.norm for one in looked.gradients}
    made = Audit(
        model=type(model).__name__,
        samples=_samples(task.inputs),
        device=_most(str(p.device) for p in model.parameters()),
        dtype=_most(str(p.dtype).removeprefix("torch.") for p in model.parameters()),
        how=looked.trace.how,
        weights=tuple(replace(one, gradient_norm=norms.get(one.parameter)) for one in weights),
        activations=activation_measures(looked.sites, looked.seen, Layers(matrices, found)),
        gradients=looked.gradients,
        inputs=tuple(_inputs(task.inputs)),
        output=_output(looked.output, looked.value),
        norms=tuple(looked.seen.norms),
        attentions=tuple(looked.seen.attentions),
        kernel=tangent_kernel(model, task.inputs) if ntk else None,
        jacobian=input_jacobian(model, task.inputs) if jacobian else None,
        versions=(("python", platform.python_version()), ("torch", torch.__version__)),
    )
    return replace(made, verdicts=judge(made, looked.trace))


def check_placed(model: nn.Module) -> None:
    """Raise ``OptionError`` where a parameter has no shape or no values yet."""
    for name, tensor in model.named_parameters():
        if nn.parameter.is_lazy(tensor):
            raise OptionError(f"{name} has no shape yet; run one batch through the model first")
        if tensor.is_meta:
            raise OptionError(
                f"{name} is on the meta device, without values; call model.to_empty(device=...) "
                "and firstlight.initialize(model) first"
            )


def _check_filled(inputs: Any) -> None:
    for name, value in _named(inputs):
        if not value.numel():
            raise OptionError(
                f"the batch is empty: {name} has shape {tuple(value.shape)}; give some samples"
            )


def _most(values: Iterable[str]) -> str:
    """Return the commonest of some words."""
    found = Counter(values).most_common(1)
    return found[0][0] if found else "none"


def _named(inputs: Any) -> Iterator[tuple[str, Tensor]]:
    if isinstance(inputs, Tensor):
        yield "input", inputs
    elif isinstance(inputs, Mapping):
        yield from ((str(key), value) for key, value in inputs.items() if torch.is_tensor(value))
    elif isinstance(inputs, (tuple, list)) and len(inputs) == 1:
        yield from _named(inputs[0])
    elif isinstance(inputs, (tuple, list)):
        pairs = enumerate(inputs)
        yield from ((f"input {at}", value) for at, value in pairs if torch.is_tensor(value))


def _samples(inputs: Any) -> int:
    first = next((value for _, value in _named(inputs)), None)
    return len(first) if first is not None and first.ndim else 0


def _inputs(inputs: Any) -> Iterator[InputMeasures]:
    for name, value in _named(inputs):
        if value.is_floating_point():
            found = scale(value)
            yield InputMeasures(name, tuple(value.shape), found.finite, found.mean, found.std)


def _output(output: Tensor | None, value: Value) -> OutputMeasures:
    if output is None:
        return OutputMeasures((), True, 0.0, 0.0, None, loss_name=value.name)
    found = scale(output)
    wide = output.ndim > 1 and output.shape[1 if value.classes == output.shape[1] else -1] > 1
    axis = 1 if wide and value.classes == output.shape[1] else -1
    spread = float(output.float().std(axis, correction=0).mean()) if wide else None
    loss = float(value.loss.detach()) if value.loss is not None and value.real else None
    return OutputMeasures(
        tuple(output.shape),
        found.finite,
        found.mean,
        found.second,
        spread,
        loss,
        value.uninformed,
        value.name,
        value.classes,
    )
