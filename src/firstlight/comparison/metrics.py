"""Accuracy and mean loss, by torchmetrics, which is loaded when a run is judged."""

from typing import Any

import torch

from firstlight.model import _torchvision


def metrics(classes: int, device: torch.device) -> tuple[Any, Any]:
    """Return a metric of the share that is right, and one of the mean loss.

    torchmetrics loads torchvision and transformers where it finds them, which takes seconds: what
    only reads results, or asks for help, shall not wait for it.

    Example:
        >>> import torch
        >>> from firstlight.comparison.metrics import metrics
        >>> accuracy, _ = metrics(2, torch.device("cpu"))
        >>> accuracy.update(torch.tensor([[0.2, 0.8], [0.9, 0.1]]), torch.tensor([1, 1]))
        >>> accuracy.compute().item()
        0.5
    """
    _torchvision.prepare()
    from torchmetrics import MeanMetric
    from torchmetrics.classification import MulticlassAccuracy

    accuracy = MulticlassAccuracy(classes, average="micro", validate_args=False)
    return accuracy.to(device), MeanMetric(nan_strategy="disable").to(device)
