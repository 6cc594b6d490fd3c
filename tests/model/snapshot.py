"""Everything about a model that looking at it must not change."""

import random

import numpy as np
import torch


def snapshot(model):
    """Everything about a model that a reader must not change; tensors by value and identity."""
    kept = {"rng": torch.get_rng_state(), "python": random.getstate()}
    kept["numpy"] = [str(part) for part in np.random.get_state()]
    for name, module in model.named_modules():
        kept[name, "training"] = module.training
        if isinstance(module, torch.jit.ScriptModule):
            continue
        kept[name, "keys"] = sorted(map(str, vars(module)))
        kept[name, "hooks"] = [len(vars(module)[k]) for k in vars(module) if k.endswith("_hooks")]
        kept[name, "forward"] = vars(module).get("forward")
        own = {**module._parameters, **module._buffers, **vars(module)}
        for local, tensor in own.items():
            if isinstance(tensor, torch.Tensor):
                kept[name, local] = tensor
                kept[name, local, "id"] = (id(tensor), tensor.requires_grad, tensor.is_leaf)
                if not tensor.is_meta:
                    kept[name, local] = tensor.detach().clone()
    return kept


def check_equal(before, after):
    assert before.keys() == after.keys()
    for key, value in before.items():
        if isinstance(value, torch.Tensor):
            same = value is after[key] or torch.equal(value, after[key])
        else:
            same = value == after[key]
        assert same, key
