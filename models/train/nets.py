"""The networks: MobileNetV2 (width 0.5), a ViT, and a wide residual network to teach them.

What they are
    mobilenetv2  MobileNetV2 of width 0.5 with the strides of 32x32 images and a last convolution
                 of 320 channels.  Padding is TensorFlow's SAME (a stride of 2 pads below and to
                 the right), so that the same weights make a Keras network of the same values.
    vit          patches of 4, dimension 192, depth 6, 3 heads, pre-norm, GELU, an MLP of twice
                 the dimension, learned positions, mean pooling.  Queries, keys and values have
                 matrices of their own: each gets a quantization of its own.
    teacher      a wide residual network (16 layers, width 4) to distil from, never exported.

    All take RGB in [0, 1] and give ten logits.  A Border stands wherever the quantized network
    has an int8 tensor; it does nothing until qat.py replaces it.

    fold() turns a trained network into the one that is exported: batch normalization goes into
    the convolutions, the ViT's input normalization into its patches and its attention scale (a
    power of two) into the queries.

How to look at them
    python3 nets.py     prints parameters and multiply-accumulates; takes seconds.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

SIZE = 32
CLASSES = 10
# MobileNetV2 at width 0.5: expansion, output channels, blocks, stride of the first.
STEM, LAST = 16, 320
ROWS = ((1, 8, 1, 1), (6, 16, 2, 1), (6, 16, 3, 2), (6, 32, 4, 2), (6, 48, 3, 1), (6, 80, 3, 2),
        (6, 160, 1, 1))
PATCH, DIM, DEPTH, HEADS, MLP = 4, 192, 6, 3, 2 * 192
MEAN, SPREAD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


class Border(nn.Module):
    """The place of an int8 tensor."""

    def forward(self, x):
        return x


class ConvBN(nn.Module):
    """Convolution with TensorFlow's SAME padding, batch normalization and, if asked, ReLU6."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, relu=True):
        super().__init__()
        self.stride = stride
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.relu = relu
        self.border = Border()

    def forward(self, x):
        if self.stride == 2:
            x = F.pad(x, (0, 1, 0, 1))
        x = self.bn(self.conv(x))
        return self.border(F.relu6(x) if self.relu else x)

    def fold(self):
        gain = self.bn.weight / torch.sqrt(self.bn.running_var + self.bn.eps)
        bias = self.bn.bias - self.bn.running_mean * gain
        self.conv.weight = nn.Parameter(self.conv.weight * gain[:, None, None, None])
        self.conv.bias = nn.Parameter(bias)
        self.bn = nn.Identity()


class Bottleneck(nn.Module):
    """Expand 1x1, depthwise 3x3, project 1x1; add the input where the shapes agree."""

    def __init__(self, inputs, outputs, expansion, stride):
        super().__init__()
        inner = expansion * inputs
        layers = [ConvBN(inputs, inner, 1)] if expansion > 1 else []
        layers += [ConvBN(inner, inner, 3, stride, groups=inner),
                   ConvBN(inner, outputs, 1, relu=False)]
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs
        self.border = Border()

    def forward(self, x):
        y = self.layers(x)
        return self.border(x + y) if self.adds else y


class MobileNetV2(nn.Module):
    def __init__(self):
        super().__init__()
        self.input = Border()
        self.stem = ConvBN(3, STEM, 3)
        blocks, inputs = [], STEM
        for expansion, outputs, count, stride in ROWS:
            for i in range(count):
                blocks.append(Bottleneck(inputs, outputs, expansion, stride if i == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.last = ConvBN(inputs, LAST, 1)
        self.pooled = Border()
        self.head = nn.Linear(LAST, CLASSES)
        self.output = Border()

    def forward(self, x):
        x = self.last(self.blocks(self.stem(self.input(x))))
        x = self.pooled(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return self.output(self.head(x))

    def fold(self):
        for module in self.modules():
            if isinstance(module, ConvBN):
                module.fold()


class Dense(nn.Module):
    """Linear layer of tokens (rows), an int8 tensor behind it."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.border = Border()

    def forward(self, x):
        return self.border(self.linear(x))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = Dense(DIM, DIM), Dense(DIM, DIM), Dense(DIM, DIM)
        self.proj = Dense(DIM, DIM)
        self.scores, self.shares, self.mixed = Border(), Border(), Border()
        self.scale = 1.0 / math.sqrt(DIM // HEADS)
        self.plain = False

    def heads(self, x):
        return x.view(-1, (SIZE // PATCH) ** 2, HEADS, DIM // HEADS).transpose(1, 2)

    def forward(self, x):
        q, k, v = self.heads(self.q(x)), self.heads(self.k(x)), self.heads(self.v(x))
        if self.plain:
            scores = self.scores(q @ k.transpose(-2, -1))
            y = self.mixed(self.shares(scores.softmax(-1)) @ v)
        else:
            y = F.scaled_dot_product_attention(q, k, v, scale=self.scale)
        return self.proj(y.transpose(1, 2).reshape(-1, DIM))

    def fold(self):
        self.q.linear.weight = nn.Parameter(self.q.linear.weight * self.scale)
        self.q.linear.bias = nn.Parameter(self.q.linear.bias * self.scale)
        self.scale = 1.0
        self.plain = True


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
        self.attention = Attention()
        self.fc1, self.fc2 = Dense(DIM, MLP), Dense(MLP, DIM)
        self.borders = nn.ModuleList(Border() for _ in range(5))

    def forward(self, x):
        normed1, added1, normed2, bent, added2 = self.borders
        x = added1(x + self.attention(normed1(self.norm1(x))))
        y = bent(F.gelu(self.fc1(normed2(self.norm2(x)))))
        return added2(x + self.fc2(y))


class ViT(nn.Module):
    """Tokens are rows all the way (images x patches, dimension): every layer is a product."""

    def __init__(self):
        super().__init__()
        self.tokens = (SIZE // PATCH) ** 2
        self.patch = nn.Conv2d(3, DIM, PATCH, PATCH)
        self.position = nn.Parameter(0.02 * torch.randn(1, self.tokens, DIM))
        self.blocks = nn.Sequential(*(Block() for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(DIM)
        self.head = nn.Linear(DIM, CLASSES)
        self.borders = nn.ModuleList(Border() for _ in range(7))
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(SPREAD).view(1, 3, 1, 1), persistent=False)
        self.normalizes = True
        self.extra_macs = DEPTH * 2 * self.tokens ** 2 * DIM
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, x):
        image, patches, position, added, normed, pooled, output = self.borders
        x = image(x)
        if self.normalizes:
            x = (x - self.mean) / self.spread
        x = patches(self.patch(x)).reshape(-1, DIM, self.tokens).transpose(1, 2)
        x = added(x + position(self.position)).reshape(-1, DIM)
        x = normed(self.norm(self.blocks(x)))
        x = pooled(x.view(-1, self.tokens, DIM).mean(1))
        return output(self.head(x))

    def fold(self):
        shift = (self.patch.weight * (self.mean / self.spread)).sum((1, 2, 3))
        self.patch.bias = nn.Parameter(self.patch.bias - shift)
        self.patch.weight = nn.Parameter(self.patch.weight / self.spread)
        self.normalizes = False
        for block in self.blocks:
            block.attention.fold()


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity() if stride == 1 and inputs == outputs else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class WideResNet(nn.Module):
    def __init__(self):
        super().__init__()
        layers, inputs = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
        for outputs, stride in ((64, 1), (128, 2), (256, 2)):
            layers += [Residual(inputs, outputs, stride), Residual(outputs, outputs, 1)]
            inputs = outputs
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        return self.head(F.adaptive_avg_pool2d(self.layers(x), 1).flatten(1))


NETS = {"mobilenetv2": MobileNetV2, "vit": ViT, "teacher": WideResNet}


def fold(net):
    """Turn the trained network into the one to export, in place."""
    net.eval()
    with torch.no_grad():
        net.fold()
    return net


def build(architecture, folded=False):
    """A network with initial weights, in the shape of the exported one if folded."""
    net = NETS[architecture]()
    return fold(net) if folded else net


def weighted(net):
    """Yield (name, module) of the convolutions and linear layers."""
    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            yield name, module


def compressible(net):
    """Yield (name, module) of the layers that are made sparse or get a codebook.

    These are the pointwise convolutions and the linear layers; the stem (or the patches), the
    depthwise convolutions and the head stay as they are.
    """
    for name, module in weighted(net):
        pointwise = isinstance(module, nn.Linear) or module.kernel_size == (1, 1)
        if pointwise and name != "head":
            yield name, module


def count_macs(net):
    """Multiply-accumulates of one image: convolutions, linear layers and attention products."""
    macs = [getattr(net, "extra_macs", 0)]

    def count(module, inputs, output):
        positions = output.numel() // output.shape[1] if output.dim() == 4 else output.shape[0]
        macs.append(positions * module.weight.numel())

    hooks = [module.register_forward_hook(count) for _, module in weighted(net)]
    was_training = net.training
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 3, SIZE, SIZE))
    net.train(was_training)
    for hook in hooks:
        hook.remove()
    return sum(macs)


def count_parameters(net):
    """Weights and biases."""
    return sum(parameter.numel() for parameter in net.parameters())


def main():
    for architecture in NETS:
        net = build(architecture)
        chosen = sum(module.weight.numel() for _, module in compressible(net))
        print(f"{architecture:12s} {count_parameters(net):10,d} parameters, {chosen:10,d} of them"
              f" compressible, {count_macs(net):12,d} multiply-accumulates")


if __name__ == "__main__":
    main()
