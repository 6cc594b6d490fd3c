"""Making a plan: what every tensor of a model gets, decided without changing anything."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from firstlight.errors import OptionError
from firstlight.init import Scheme, find_scheme
from firstlight.model.plan import Plan
from firstlight.model.planner import Asked, Planner
from firstlight.model.refusals import check_module, whole_seed

AUTO = "auto"
#: What the framework's own start is called among schemes.
DEFAULT = "default"


def plan(
    model: nn.Module,
    scheme: str = AUTO,
    *,
    overrides: Any = None,
    include: Any = (),
    exclude: Any = (),
    seed: int = 0,
    example: Any = None,
    forget_bias: float | None = None,
    empty: bool = False,
    **options: Any,
) -> Plan:
    """Return what every parameter and buffer of ``model`` would get, and why; change nothing.

    Args:
        model: any module, on any device; torch.compile and DataParallel are looked through.
        scheme: "auto", or a name in ``firstlight.init.SCHEMES``.
        overrides: schemes for some parameters, by name, pattern ("head.*") or module type
            (``nn.Embedding``, or "type:Embedding"): a scheme as text ("siren:omega=20"), "keep",
            or a number for all of a bias or norm. A mapping, or the path of a YAML file with one.
        include: names, patterns or types; only those get a new start, and frozen, loaded,
            all-zero and embedding weights among them do, too.
        exclude: names, patterns or types that are left alone.
        seed: a whole number >= 0.
        example: one batch (tensor, tuple of arguments or dict): to trace the model with, to
            predict moments from, and for data-driven schemes.
        forget_bias: what LSTMs' forget gates start at, 1 say; None starts all biases at zero.
        empty: whether the model comes from ``to_empty`` and holds nothing yet: what the plan
            leaves alone then gets the framework's own start, and what nobody fills is refused by
            name. A model on the meta device is taken for one that will.
        options: of the scheme, such as ``gain="gelu"``.

    Returns:
        A ``Plan``: print it, ``apply()`` it, ``undo()`` it.

    Raises:
        OptionError: an argument is not one of those above, a pattern matches nothing, or the
            scheme cannot fill one of the weights.

    Example:
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 4))
        >>> plan = firstlight.plan(net, "harmonic", exclude=["2.bias"])
        >>> plan["0.weight"].after, plan["2.bias"].reason
        ('gelu', 'excluded')
    """
    chosen = _chosen(scheme, options)
    _check_call(model, chosen, example, empty)
    seed = whole_seed(seed)
    asked = Asked(
        scheme,
        chosen,
        options,
        overrides,
        include,
        exclude,
        seed,
        example,
        forget_bias,
        empty,
    )
    return Planner(model, asked).plan()


def _chosen(scheme: str, options: Mapping[str, Any]) -> Scheme | None:
    if scheme != AUTO:
        chosen = find_scheme(scheme, AUTO)
        chosen.check_options(options)
        return chosen
    if options:
        name = sorted(options)[0]
        raise OptionError(f"scheme 'auto' takes no options, and plan no argument {name!r}")
    return None


def _check_call(model: nn.Module, scheme: Scheme | None, example: Any, empty: bool) -> None:
    check_module(model)
    if not isinstance(empty, bool):
        raise OptionError(f"empty must be True or False, got {empty!r}")
    if scheme and scheme.data_driven and example is None:
        raise OptionError(f"scheme {scheme.name!r} looks at data: pass example=batch")
