"""``firstlight.watch``: an audit's measures while a network trains, every few steps."""

from typing import Any

import torch
from torch import nn

from firstlight.auditing.watching.targets import target
from firstlight.auditing.watching.watcher import Options, Watcher
from firstlight.errors import OptionError, check_choice


def watch(
    model: nn.Module,
    *,
    every: int = 100,
    to: Any = None,
    weights: str = "cheap",
    scaler: Any = None,
    prefix: str = "",
    start: int = 0,
    keep: int = 200,
) -> Watcher:
    """Measure a network every few steps of its training, and send the numbers to a tracker.

    What is measured is the training itself: its own forward pass, dropout on, its own gradients,
    its own update. No pass is added and no number changed. A step is a step of a ``torch.optim``
    optimizer that holds parameters of the model, or, where there is none, a call of the watcher's
    ``step()``; the first and every ``every``-th one are watched. Of a watched step it is the first
    forward pass with ``model.training`` and gradients on that counts, of all it accumulates; its
    activations' gradients are those of what ``backward`` was called on.

    A model that ``torch.compile`` compiled runs its watched steps as it is written: equal up to
    rounding, with other draws of dropout. Where nothing is seen, a ``WatchWarning`` says why.

    Args:
        model: the network, before or after it is wrapped, prepared or compiled.
        every: steps from one watched one to the next.
        to: an ``Accelerator``, one of Accelerate's trackers, TensorBoard's ``SummaryWriter``, a
            function of (values, step), or a tracker's name with its directory or project, such as
            "tensorboard:runs/first"; None keeps a history only.
        weights: "cheap" for norms, row sums, gradients and updates; "all" for ranks, too.
        scaler: the ``GradScaler``, so that activations' gradients can be unscaled; an accelerator
            has its own.
        prefix: of every name in the tracker, to tell several models apart.
        start: number of the first step, for training that is resumed.
        keep: watched steps in the history.

    Returns:
        A ``Watcher``: a context manager with ``close()``, ``step()``, ``history`` and
        ``to_frame()``.

    Raises:
        OptionError: an argument is not what it should be.
        FirstlightError: the tracker cannot be started.

    Example:
        >>> net = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 4))
        >>> optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        >>> with firstlight.watch(net, every=2) as watcher:
        ...     for _ in range(4):
        ...         optimizer.zero_grad()
        ...         net(torch.randn(32, 8)).square().mean().backward()
        ...         optimizer.step()
        >>> [(w.step, w.names, w.weights[0].name) for w in watcher.history]
        [(0, ('1',), '0.weight'), (2, ('1',), '0.weight')]
    """
    if not isinstance(model, nn.Module):
        raise OptionError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    if isinstance(model, torch.jit.ScriptModule):
        raise OptionError("a model scripted by torch.jit takes no hooks: watch it unscripted")
    check_choice(weights, ("cheap", "all"), "weights")
    options = Options(
        every=_whole(every, "every", 1),
        everything=weights == "all",
        scaler=scaler,
        prefix=prefix,
        start=_whole(start, "start", 0),
        keep=_whole(keep, "keep", 1),
    )
    return Watcher(model, target(to), options)


def _whole(value: object, what: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise OptionError(f"{what} must be a whole number of at least {least}, got {value!r}")
    return value
