"""Codebooks: every weight of a layer is one of 16 int8 values, times its channel's scale.

What it makes
    For each compressible layer 16 centroids in units of int8, found by k-means on the weights
    divided by the largest of their output channel, then fine-tuned together with the weights
    behind them.  A layer needs 4 bits a weight, 16 bytes and the scales that int8 has anyway.

    Two centroids are held at -127 and 127.  The largest weight of every channel is therefore at
    one of them, a quantizer that scales each channel by its largest weight finds exactly these
    int8 values, and the 16 values are the same for the whole layer.

How it is used
    By train.py on a folded network, and by check.py (files).
"""

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

import nets

VALUES = 16
TOP = 127.0
ITERATIONS = 40


def normalized(weight):
    """Return (weight in units of int8, scale of each output channel), output channels as rows."""
    rows = weight.flatten(1)
    scale = rows.abs().amax(1, keepdim=True).clamp(min=1e-12) / TOP
    return rows / scale, scale


def k_means(values, importance):
    """16 sorted centroids of the values (1-D), the first at -127, the last at 127."""
    spread = np.linspace(0.5, VALUES - 0.5, VALUES) / VALUES
    even = np.linspace(-TOP, TOP, VALUES)
    centroids = 0.5 * (np.quantile(values, spread) + even)
    for _ in range(ITERATIONS):
        centroids[0], centroids[-1] = -TOP, TOP
        nearest = np.searchsorted((centroids[1:] + centroids[:-1]) / 2.0, values)
        weight = np.bincount(nearest, importance, VALUES)
        total = np.bincount(nearest, importance * values, VALUES)
        centroids = np.sort(np.where(weight > 0.0, total / np.maximum(weight, 1e-30), centroids))
    centroids[0], centroids[-1] = -TOP, TOP
    return centroids


def found_again(values):
    """The centroids of weights that a codebook made already, or None."""
    levels = values.round().unique().numpy()
    if (values - values.round()).abs().max() > 1e-3 or len(levels) > VALUES:
        return None
    return np.sort(np.append(levels, np.full(VALUES - len(levels), levels[-1])))


class Codebook(nn.Module):
    """Parametrization: each weight at its nearest centroid.

    The gradient passes to the weight behind as if it were unchanged, and to its centroid.
    """

    def __init__(self, weight):
        super().__init__()
        values, scale = normalized(weight.detach().cpu().double())
        centroids = found_again(values)
        if centroids is None:
            importance = (scale ** 2).expand_as(values)
            centroids = k_means(values.flatten().numpy(), importance.flatten().numpy())
        self.centroids = nn.Parameter(torch.tensor(centroids[1:-1], dtype=torch.float32))

    def levels(self):
        ends = self.centroids.new_tensor((-TOP, TOP))
        inner = self.centroids.clamp(-TOP, TOP)
        inner = inner + (inner.round() - inner).detach()
        return torch.cat((ends[:1], inner.sort().values, ends[1:]))

    def forward(self, weight):
        values, scale = normalized(weight)
        levels = self.levels()
        fixed = levels.detach()
        nearest = torch.bucketize(values.detach(), (fixed[1:] + fixed[:-1]) / 2.0)
        result = scale * (levels[nearest] + (values - values.detach()))
        return result.view(weight.shape)


def apply(net):
    """Give every compressible layer a codebook."""
    for _, module in list(nets.compressible(net)):
        parametrize.register_parametrization(module, "weight", Codebook(module.weight))


def centroids(net):
    """The parameters that are centroids."""
    return [module.centroids for module in net.modules() if isinstance(module, Codebook)]


def distinct(weight):
    """How many int8 values a float weight has in units of its channels' scales."""
    values, _ = normalized(torch.as_tensor(np.asarray(weight), dtype=torch.float64))
    if (values - values.round()).abs().max() > 1e-3:
        raise AssertionError("weights that are no int8 values")
    return len(values.round().unique())


def check(net):
    """Fail unless every compressible layer has at most 16 values."""
    for name, module in nets.compressible(net):
        count = distinct(module.weight.detach().cpu())
        if count > VALUES:
            raise AssertionError(f"{name}: {count} values, not {VALUES}")
