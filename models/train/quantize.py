"""ONNX: a folded network in float, then int8 by onnxruntime's static quantizer.

What it makes
    A file of opset 17 in QDQ form: weights int8, symmetric, one scale an output channel;
    activations int8, asymmetric, one scale a tensor; biases int32.  LayerNormalization, Softmax
    and Gelu keep their float kernels and are quantized at their borders.  Gelu is one node of
    onnxruntime's domain com.microsoft (opset 17 has none of its own).  The batch is 1; the input
    "image" is float32, 1x3x32x32, pixel / 255; the output "logits" is float32, 1x10.

How it is used
    By export.py.  A few seconds a network.
"""

import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat,
                                      QuantType, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process

import nets

OPSET = 17
QUANTIZED = ["Conv", "Gemm", "MatMul", "Add", "Clip", "GlobalAveragePool", "ReduceMean",
             "LayerNormalization", "Softmax", "Gelu", "Reshape", "Transpose", "Flatten"]


def gelu(graph, x, approximate):
    """How the exporter writes GELU."""
    return graph.op("com.microsoft::Gelu", x).setType(x.type())


def constant_of(model, name):
    """The value of an initializer, or of a node that depends on constants alone."""
    for tensor in model.graph.initializer:
        if tensor.name == name:
            return numpy_helper.to_array(tensor)
    maker, = [node for node in model.graph.node if name in node.output]
    feeds = {source: constant_of(model, source) for source in maker.input if source}
    return ReferenceEvaluator(maker).run(None, feeds)[0]


def pads_into_convs(model):
    """Write the padding of each Pad node into the convolution behind it."""
    nodes = model.graph.node
    for pad in [node for node in nodes if node.op_type == "Pad"]:
        amounts = constant_of(model, pad.input[1]).tolist()
        conv, = [node for node in nodes if pad.output[0] in node.input]
        assert conv.op_type == "Conv" and amounts[:2] == amounts[4:6] == [0, 0]
        attribute, = [item for item in conv.attribute if item.name == "pads"]
        assert not any(attribute.ints)
        attribute.ints[:] = amounts[2:4] + amounts[6:8]
        conv.input[0] = pad.input[0]
        nodes.remove(pad)


def part_shared(model):
    """Give every layer constants of its own where the exporter found equal ones."""
    values = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in [item for item in model.graph.node if item.op_type == "Identity"]:
        if node.input[0] in values:
            own = model.graph.initializer.add()
            own.CopyFrom(values[node.input[0]])
            own.name = node.output[0]
            model.graph.node.remove(node)


def drop_unused(model):
    """Remove the nodes and the constants that nobody reads."""
    wanted = {output.name for output in model.graph.output}
    for node in reversed(list(model.graph.node)):
        if any(output in wanted for output in node.output):
            wanted.update(node.input)
        else:
            model.graph.node.remove(node)
    for tensor in [item for item in model.graph.initializer if item.name not in wanted]:
        model.graph.initializer.remove(tensor)


def save(model, path):
    """Check and write a model without what nobody reads."""
    drop_unused(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write_float(net, path):
    """Write the folded network as a float ONNX file."""
    torch.onnx.register_custom_op_symbolic("aten::gelu", gelu, OPSET)
    image = torch.zeros(1, 3, nets.SIZE, nets.SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net.eval(), image, str(path), opset_version=OPSET, dynamo=False,
                          input_names=["image"], output_names=["logits"],
                          custom_opsets={"com.microsoft": 1} if isinstance(net, nets.ViT) else {})
    model = onnx.load(path)
    pads_into_convs(model)
    part_shared(model)
    save(model, path)


class Reader(CalibrationDataReader):
    """Feeds images, N x 32 x 32 x 3 uint8, one by one."""

    def __init__(self, images):
        self.feeds = iter([{"image": as_input(image)} for image in images])

    def get_next(self):
        return next(self.feeds, None)


def as_input(image):
    return (image.transpose(2, 0, 1)[None] / 255.0).astype(np.float32)


def write_int8(net, images, path):
    """Write the folded network, quantized with these images, to `path`."""
    with tempfile.TemporaryDirectory() as folder:
        plain, ready = Path(folder) / "float.onnx", Path(folder) / "ready.onnx"
        write_float(net, plain)
        quant_pre_process(str(plain), str(ready), skip_optimization=True, skip_symbolic_shape=True)
        logging.disable(logging.WARNING)
        quantize_static(
            str(ready), str(path), Reader(images), quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTIZED, per_channel=True, activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True})
        logging.disable(logging.NOTSET)
    save(onnx.load(path), path)
