"""Faults of what comes out and of what comes back: the output, the loss, gradients."""

import math

import torch
from torch import nn

import firstlight

from .fault import Fault, Finding, Planted, names
from .in_weights import BASIC, fill, first_entry


def restarted(scheme: str, factor: float = 1.0):
    def plant(at: Planted) -> None:
        firstlight.initialize(at.model, scheme)
        for parameter in at.model.parameters():
            if parameter.ndim > 1:
                parameter.data.mul_(factor)

    return plant


def unused(at: Planted) -> None:
    at.model.register_parameter("extra", nn.Parameter(torch.ones(3)))


def detached(at: Planted) -> None:
    at.module("below").register_forward_hook(lambda _module, _inputs, output: output.detach())


def all_detached(at: Planted) -> None:
    at.model.register_forward_hook(lambda _module, _args, output: output.detach())


def root_of_zero(at: Planted) -> None:
    """What is added is zero, but its slope is infinite times zero."""
    at.module("below").register_forward_hook(
        lambda _module, _inputs, output: output + (0 * output).sqrt()
    )


def loud_head(at: Planted) -> None:
    at["head"].mul_(100)


def one_class_for_all(at: Planted) -> None:
    at["head_bias"][0] = 100


def far_targets(at: Planted) -> None:
    at.batch = at.inputs, at.batch[1] + 1000


def no_labels(at: Planted) -> None:
    at.batch = at.inputs, torch.full_like(at.batch[1], -100)


FAULTS = (
    Fault(
        "a vanishing net of 60 sigmoid layers",
        names("deep_sigmoid_mlp deep_sigmoid_convolutions deep_sigmoid_transformer"),
        restarted("glorot_uniform"),
        (
            Finding("vanishing gradient", "failure", "first"),
            Finding("float range", "failure", "first"),
            Finding("samples look alike", "failure"),
        ),
        mends=3,
    ),
    Fault(
        "an exploding net of 30 relu layers",
        names("deep_relu_mlp deep_relu_convolutions deep_relu_transformer"),
        restarted("he_normal", 3.0),
        (
            Finding("exploding gradient", "failure", "first"),
            Finding("exploding signal", "failure"),
        ),
        mends=2,
    ),
    Fault(
        "a chaotic net of 60 tanh layers",
        names("deep_tanh_mlp"),
        restarted("lecun_normal", 6.0),
        (Finding("exploding gradient", "failure", "first"),),
    ),
    Fault(
        "an unused parameter", BASIC, unused, (Finding("unused parameters", "warning", "=extra"),)
    ),
    Fault(
        "a detached part", BASIC, detached,
        (Finding("unused parameters", "warning", "lower", among=True),),
    ),
    Fault(
        "a loss without a graph", BASIC, all_detached,
        (Finding("loss can be trained", "failure"),), mends=0,
    ),
    Fault(
        "the root of zero", BASIC, root_of_zero,
        (Finding("gradients are numbers", "failure", "lower", among=True),), mends=0,
    ),
    Fault(
        "a NaN at the end", BASIC, first_entry("head_bias", math.nan),
        (
            Finding("weights are numbers", "failure", "head_bias"),
            Finding("output is a number", "failure", "head"),
            Finding("loss is a number", "failure"),
        ),
        mends=2,
    ),
    Fault(
        "dead before the head", names("mlp resnet batch_norm_mlp"), fill("last", -1e3),
        (Finding("gradient arrives", "warning"), Finding("dead units", "failure", "end")), mends=2,
    ),
    Fault(
        "a last norm of zeros", names("transformer vit tanh_transformer"), fill("last", 0.0),
        (Finding("zero norms", "failure", "last"), Finding("gradient arrives", "warning")),
    ),
    Fault(
        "logits off by 100", BASIC, loud_head,
        (Finding("loss at step 0", "failure", "head"), Finding("logit spread", "failure", "head")),
        mends=2,
    ),
    Fault(
        "one class for all", BASIC, one_class_for_all,
        (Finding("loss at step 0", "failure", "head"),), mends=0,
    ),
    Fault(
        "labels that are all ignored", BASIC, no_labels, (Finding("loss is a number", "failure"),),
        mends=0,
    ),
    Fault(
        "targets far from zero", names("regression"), far_targets,
        (Finding("loss at step 0", "failure", "head"),), mends=0,
    ),
)  # fmt: skip
