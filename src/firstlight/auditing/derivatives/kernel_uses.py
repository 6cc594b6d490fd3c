"""Which layers use a parameter, seen while the model runs."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.overrides import TorchFunctionMode

from firstlight.auditing.derivatives.kernel_patches import Patches
from firstlight.auditing.derivatives.kernel_rules import RULES


@dataclass(frozen=True, eq=False)
class Use:
    """One use of a parameter by a layer.

    Attributes:
        edge: where the gradient in the layer's output y arrives, whatever is done to y in place.
        shape: of y.
        patches: how the parameter's gradient is made from it.
    """

    edge: GradientEdge
    shape: torch.Size
    patches: Patches


@dataclass(frozen=True, eq=False)
class _Call:
    rule: Any
    y: torch.Size
    edge: GradientEdge
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)


class Uses(TorchFunctionMode):
    """Notes every call of a torch function that has a rule, with its arguments.

    It works on functions, not on modules, so that it makes no difference who owns a weight.
    """

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[_Call] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run ``func``, and note it."""
        kwargs = dict(kwargs or {})
        output = func(*args, **kwargs)
        rule = RULES.get(func)
        if rule is not None and output.requires_grad and _any_parameter(args, kwargs):
            if "input" in kwargs:
                args = (kwargs.pop("input"), *args)
            edge = get_gradient_edge(output)
            self._calls.append(_Call(rule, output.shape, edge, args, kwargs))
        return output

    def of(self, parameters: Mapping[str, nn.Parameter], samples: int) -> dict[str, list[Use]]:
        """Return the uses of each parameter, as far as their shapes agree.

        Parameters that no rule knows, or whose uses differ in shape, are left out. That what is
        found is all there is remains to be checked.
        """
        names = {id(parameter): name for name, parameter in parameters.items()}
        found: dict[str, list[Use]] = defaultdict(list)
        for call in self._calls:
            if not call.y or call.y[0] % samples:
                continue  # not one entry, or several, for each sample
            with torch.no_grad():
                pairs = list(call.rule(samples, call.y, *call.args, **call.kwargs))
            for tensor, patches in pairs:
                if isinstance(tensor, Tensor) and id(tensor) in names:
                    found[names[id(tensor)]].append(Use(call.edge, call.y, patches))
        return {name: uses for name, uses in found.items() if _alike(uses)}


def _any_parameter(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return any(isinstance(value, nn.Parameter) for value in (*args, *kwargs.values()))


def _alike(uses: list[Use]) -> bool:
    shapes = [use.patches.shape for use in uses]
    return len({(groups, inputs, outputs) for groups, _, inputs, outputs in shapes}) == 1
