"""The tangent kernel and the input Jacobian as one would write them down with torch.func."""

import copy

from torch import nn
from torch.func import functional_call, jacrev
from torch.nn.attention import SDPBackend, sdpa_kernel


def quiet_copy(model):
    """Without dropout; batch norms in the mode they are in."""
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            if module.training:  # torch.func cannot write running statistics
                module.track_running_stats, module.num_batches_tracked = False, None
                module.running_mean = module.running_var = None
        else:
            module.training = isinstance(module, (nn.TransformerEncoder, nn.LSTM))
    return model


def rows(model, batch, parameters):
    """Outputs (samples * outputs,) as a function of the parameters."""
    args = () if isinstance(batch, dict) else batch if isinstance(batch, tuple) else (batch,)
    kwargs = batch if isinstance(batch, dict) else {}
    result = functional_call(model, parameters, args, kwargs)
    if isinstance(result, dict):
        result = result["logits"]
    if isinstance(result, tuple):
        result = result[0]
    return result.flatten()


def jacobians(model, batch):
    """Of each trainable parameter: (samples * outputs, numbers)."""
    model = quiet_copy(model)
    parameters = {n: p.detach() for n, p in model.named_parameters() if p.requires_grad}
    with sdpa_kernel(SDPBackend.MATH):
        found = jacrev(lambda p: rows(model, batch, p), chunk_size=1)(parameters)
    return {name: jacobian.flatten(1) for name, jacobian in found.items()}


def kernel(model, batch):
    return sum(jacobian @ jacobian.T for jacobian in jacobians(model, batch).values())
