"""Fake quantization: what int8 will cost, and training with it.

What it makes
    Of a folded network, one whose weights (symmetric, one scale an output channel) and int8
    borders (asymmetric, one scale a tensor) are rounded as in the exported file, with gradients
    that pass through the rounding.  Ranges are the least and the largest value seen on
    calibration images; while training they follow the batches slowly.

    The weights that are exported are the rounded ones: quantizing them again changes nothing.

How it is used
    By train.py: prepare(), then calibrate(), then measure or train, then release().
"""

import torch
from torch import nn
from torch.nn.utils import parametrize

import nets
from codebook import Codebook

FOLLOW = 0.01


class RoundedWeight(nn.Module):
    """Parametrization: symmetric int8, one scale a row, or one for a vector."""

    def forward(self, weight):
        rows = weight.detach().reshape(len(weight) if weight.dim() > 1 else 1, -1)
        scale = rows.abs().amax(1).clamp(min=1e-12) / 127.0
        zero_point = torch.zeros_like(scale, dtype=torch.int32)
        if weight.dim() == 1:
            return torch.fake_quantize_per_tensor_affine(weight, scale, zero_point, -127, 127)
        return torch.fake_quantize_per_channel_affine(weight, scale, zero_point, 0, -127, 127)


class RoundedBorder(nn.Module):
    """In place of a Border: asymmetric int8."""

    def __init__(self):
        super().__init__()
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))
        self.observes = False

    def forward(self, x):
        if self.observes or self.training:
            low, high = torch.aminmax(x.detach())
            low, high = low.clamp(max=0.0), high.clamp(min=0.0)
            if self.observes:
                self.low.copy_(torch.minimum(self.low, low))
                self.high.copy_(torch.maximum(self.high, high))
            else:
                self.low.lerp_(low, FOLLOW)
                self.high.lerp_(high, FOLLOW)
        if self.observes:
            return x
        scale = (self.high - self.low).clamp(min=1e-8) / 255.0
        zero_point = torch.round(-128.0 - self.low / scale).to(torch.int32)
        return torch.fake_quantize_per_tensor_affine(x, scale, zero_point, -128, 127)


def swap(net, old, new):
    """Replace every module of one class by a fresh one of the other."""
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if type(child) is old:
                setattr(module, name, new())


def has_codebook(module):
    return parametrize.is_parametrized(module, "weight") and any(
        isinstance(step, Codebook) for step in module.parametrizations.weight)


def prepare(net):
    """Make the folded network one of fake int8, in place."""
    swap(net, nets.Border, RoundedBorder)
    device = next(net.parameters()).device
    net.to(device)
    for module in list(net.modules()):
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.LayerNorm)) and not has_codebook(module):
            parametrize.register_parametrization(module, "weight", RoundedWeight())


def calibrate(net, images):
    """Set the ranges of the borders on images (uint8, N x 3 x 32 x 32)."""
    borders = [module for module in net.modules() if isinstance(module, RoundedBorder)]
    net.eval()
    for border in borders:
        border.observes = True
    with torch.no_grad():
        for batch in images.split(250):
            net(batch / 255.0)
    for border in borders:
        border.observes = False


def release(net):
    """Make it a float network again, with the weights that the parametrizations gave."""
    swap(net, RoundedBorder, nets.Border)
    for module in list(net.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    return net
