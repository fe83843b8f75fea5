"""Structured sparsity: at most 1, 2 or 3 of every 4 weights along the input channels.

What it makes
    Masks of the largest weights of every group, held while a network is trained on, and the
    assertions that a network, or the int8 weights of an exported file, keep to them.  The groups
    are aligned: input channels 0 to 3, 4 to 7 and so on, for each output channel.

    A zero survives everything behind it exactly: folding batch normalization multiplies a whole
    output channel, and int8 weights are symmetric, so 0.0 is 0.

How it is used
    By train.py (masks) and check.py (files).
"""

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

import nets

GROUP = 4


def mask_of(weight, keep):
    """True for the `keep` largest weights of every group of four input channels."""
    groups = weight.detach().abs().reshape(weight.shape[0], -1, GROUP)
    mask = torch.zeros_like(groups, dtype=torch.bool)
    return mask.scatter_(2, groups.topk(keep, dim=2).indices, True).view(weight.shape)


class Masked(nn.Module):
    """Parametrization: the weight where the mask is set, else zero."""

    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weight):
        return weight * self.mask


def masks(net):
    """Yield (module, its Masked) of the masked layers."""
    for _, module in nets.weighted(net):
        if parametrize.is_parametrized(module, "weight"):
            for step in module.parametrizations.weight:
                if isinstance(step, Masked):
                    yield module, step


def apply(net, keep):
    """Mask every compressible layer."""
    for _, module in list(nets.compressible(net)):
        parametrize.register_parametrization(module, "weight", Masked(mask_of(module.weight, keep)))


def tighten(net, keep):
    """Make the masks of a masked network smaller, in place."""
    for module, step in masks(net):
        step.mask.copy_(mask_of(module.weight, keep))


def hold_zeros(net):
    """Mask the compressible layers at their zeros."""
    for _, module in list(nets.compressible(net)):
        parametrize.register_parametrization(module, "weight", Masked(module.weight.detach() != 0))


def most_in_group(weight):
    """The largest number of non-zeros in a group; weight has output channels first, 1x1 kernels."""
    weight = np.asarray(weight)
    return int(np.count_nonzero(weight.reshape(len(weight), -1, GROUP), axis=2).max())


def check(net, keep):
    """Fail unless every compressible layer keeps to the pattern."""
    for name, module in nets.compressible(net):
        most = most_in_group(module.weight.detach().cpu())
        if most > keep:
            raise AssertionError(f"{name}: {most} non-zeros in a group of {GROUP}, not {keep}")
