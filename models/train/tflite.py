"""TFLite: the MobileNetV2 built again in Keras, then int8 by the official converter.

What it makes
    A full-int8 file: weights int8 per channel, activations int8, input int8 1x32x32x3 (scale
    1/255, zero point -128: feed pixel - 128), output int8 1x10, logits.

How it is used
    By export.py, for the MobileNetV2 and its variants.  About half a minute a network.
"""

import contextlib
import io
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
import torch
from keras import layers

import nets

TOLERANCE = 1e-3


def convolution(x, module):
    """The Keras layers of a folded ConvBN."""
    conv = module.conv
    weight, bias = conv.weight.detach().numpy(), conv.bias.detach().numpy()
    if conv.groups > 1:
        layer = layers.DepthwiseConv2D(conv.kernel_size, conv.stride, padding="same")
        weight = weight.transpose(2, 3, 0, 1)
    else:
        layer = layers.Conv2D(conv.out_channels, conv.kernel_size, conv.stride, padding="same")
        weight = weight.transpose(2, 3, 1, 0)
    x = layer(x)
    layer.set_weights([weight, bias])
    return layers.ReLU(6.0)(x) if module.relu else x


def rebuild(net):
    """The folded PyTorch MobileNetV2 as a Keras model that gives logits."""
    image = keras.Input((nets.SIZE, nets.SIZE, 3), batch_size=1, name="image")
    x = convolution(image, net.stem)
    for block in net.blocks:
        shortcut = x
        for module in block.layers:
            x = convolution(x, module)
        if block.adds:
            x = layers.Add()([shortcut, x])
    x = layers.GlobalAveragePooling2D()(convolution(x, net.last))
    head = layers.Dense(nets.CLASSES)
    logits = head(x)
    head.set_weights([net.head.weight.detach().numpy().T, net.head.bias.detach().numpy()])
    return keras.Model(image, logits)


def compare(net, model, images):
    """Fail unless both networks give the same logits."""
    for image in images:
        x = (image[None] / 255.0).astype(np.float32)
        with torch.no_grad():
            wanted = net.eval()(torch.from_numpy(x.transpose(0, 3, 1, 2))).numpy()
        difference = np.abs(model(x).numpy() - wanted).max()
        if difference > TOLERANCE * (1.0 + np.abs(wanted).max()):
            raise AssertionError(f"Keras differs from PyTorch by {difference}")


def write_int8(net, images, path):
    """Write the folded network, quantized with these images (N x 32 x 32 x 3 uint8)."""
    def representative():
        for image in images:
            yield [image[None].astype(np.float32) / 255.0]

    model = rebuild(net)
    compare(net, model, images[:8])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    with contextlib.redirect_stdout(io.StringIO()):
        content = converter.convert()
    path.write_bytes(content)
