"""Initialize a whole model: every weight by one scheme, norms and biases at their usual values."""

from typing import Any

from torch import nn

from firstlight.model.planning import AUTO, plan


def initialize(
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
) -> nn.Module:
    """Give ``model`` a new start: what ``firstlight.plan`` says, at once.

    "auto" takes for each weight the scheme that evidence supports, and keeps the framework's own
    start where there is none; print ``firstlight.plan(model)`` to see which and why. Any other
    scheme fills all weights, sets biases to zero and norms to one and zero. Frozen, loaded and
    all-zero weights, embeddings and what no rule knows stay as they are. Draws are keyed by seed
    and parameter name, and come from the CPU: inserting a layer changes no other layer's weights
    (but for schemes that look at depth or position: diagonal_plus_noise, isometric_diagonal, siren,
    looks_linear), and every device gets the same. Those of odd sigmoids find the activation behind
    each weight, and the depth, by themselves; the plan says what they found.

    Everything that can fail is tried before anything is written, and Ctrl-C waits for the end of
    the writing, so that no copy of the old weights is needed. ``plan(...).apply()`` keeps one.

    Args:
        model: any module; it is changed in place.
        scheme: "auto", or a name in ``firstlight.init.SCHEMES``.
        overrides: schemes for some parameters, as ``firstlight.plan`` takes them.
        include: names, patterns or types; only those get a new start, frozen ones too.
        exclude: names, patterns or types that are left alone.
        seed: a whole number >= 0.
        example: one batch (tensor, tuple of arguments or dict), to trace the model with and for
            data-driven schemes.
        forget_bias: what LSTMs' forget gates start at; None starts all biases at zero.
        empty: whether the model comes from ``to_empty`` and holds nothing yet.
        options: the scheme's own options, such as ``gain="relu"``.

    Returns:
        ``model``.

    Raises:
        OptionError: unknown scheme, an option it does not use, a pattern that matches nothing, or
            a weight that cannot be filled; raised before anything is changed.

    Example:
        >>> import firstlight
        >>> from torch.nn import GELU, Linear, Sequential
        >>> net = Sequential(Linear(8, 16), GELU(), Linear(16, 4))
        >>> net = firstlight.initialize(net, "harmonic", gain="gelu")
        >>> bool(net[0].weight.sum(1).abs().max() < 1e-6), bool(net[0].bias.any())
        (True, False)
    """
    made = plan(
        model,
        scheme,
        overrides=overrides,
        include=include,
        exclude=exclude,
        seed=seed,
        example=example,
        forget_bias=forget_bias,
        empty=empty,
        **options,
    )
    made.apply(undo=False)
    return model
