"""Running statistics of norms against the batch that they meet."""

import torch
from torch import Tensor, nn

from firstlight.auditing.measures import NormMeasures


def stale(module: nn.modules.batchnorm._NormBase, x: Tensor, path: str) -> NormMeasures | None:
    """Compare a norm's running statistics with those of its input; None where it uses the batch's.

    Example:
        >>> layer = nn.BatchNorm1d(2).eval()
        >>> found = stale(layer, 3 * torch.randn(4096, 2), "norm")
        >>> round(found.spread), found.kind
        (9, 'BatchNorm1d')
    """
    mean, variance = module.running_mean, module.running_var
    if module.training or mean is None or variance is None or x.ndim < 2:
        return None
    with torch.no_grad():
        others = [i for i in range(x.ndim) if i != 1]
        values = x.detach().float()
        own_mean, own_variance = values.mean(others), values.var(others, correction=0)
        std = (variance.float() + module.eps).sqrt()
        shift = float(((own_mean - mean.float()).abs() / std).mean())
        ratio = (own_variance + module.eps) / (variance.float() + module.eps)
        return NormMeasures(path, type(module).__name__, shift, float(ratio.log().mean().exp()))
