"""Assert what the exported files promise: sparse groups, exact zeros, 16 values a layer.

What it checks
    Of every pointwise and linear layer (the stem, the patches, the depthwise convolutions and
    the head are dense) of the int8 weights in the file itself:
      *_24, *_14   every aligned group of 4 input channels has at most 2, or 1, non-zeros
      *_cb4        a layer has at most 16 values
      all          weights are symmetric (zero points 0), and number as many layers as they should
    With --out also that every weight that is zero in OUT/NAME/folded.pt is zero in the file.

How to run it
    python3 models/train/check.py [FILE...] [--models models/trained] [--out build/train]

    Without --out it needs NumPy, onnx and LiteRT (or TensorFlow) only.  Takes seconds.
"""

import argparse
import lzma
from pathlib import Path

import numpy as np

GROUP = 4
KEEP = {"24": 2, "14": 1}
VALUES = 16
# Pointwise and linear layers, by architecture.
LAYERS = {"mobilenetv2": 34, "vit": 36}


def files_in(folder):
    """The exported files of a folder."""
    found = [Path(folder).glob(f"*_int8.{kind}") for kind in ("onnx", "onnx.xz", "tflite")]
    return sorted(path for group in found for path in group)


def name_of(path):
    """mobilenetv2_24 of mobilenetv2_24_int8.onnx."""
    return Path(path).name.partition("_int8")[0]


def is_onnx(path):
    return ".onnx" in Path(path).suffixes


def content(path):
    """The bytes of a file, unpacked if it is one of xz."""
    data = Path(path).read_bytes()
    return lzma.decompress(data) if Path(path).suffix == ".xz" else data


def onnx_weights(path):
    """Yield (name, int8 weights with output channels first) of the compressed layers."""
    import onnx
    from onnx import numpy_helper
    graph = onnx.load_from_string(content(path)).graph
    values = {tensor.name: tensor for tensor in graph.initializer}
    makers = {node.output[0]: node for node in graph.node}
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        source = makers[node.input[1]]
        if source.op_type != "DequantizeLinear":
            raise AssertionError(f"{node.name}: weights that are not quantized")
        name = source.input[0]
        weight = numpy_helper.to_array(values[name])
        zero_points = numpy_helper.to_array(values[source.input[2]])
        if weight.dtype != np.int8 or zero_points.any():
            raise AssertionError(f"{name}: not symmetric int8")
        attributes = {item.name: item for item in node.attribute}
        if node.op_type == "Gemm" and attributes["transB"].i != 1:
            raise AssertionError(f"{name}: not output channels first")
        linear = node.op_type == "Gemm" or weight.shape[2:] == (1, 1)
        if linear and not name.startswith("head."):
            yield name, weight.reshape(len(weight), -1)


def interpreter_of(path, threads=1, reference=False):
    """A LiteRT interpreter with its tensors allocated, of LiteRT's own package or TensorFlow's."""
    try:
        from ai_edge_litert import interpreter as litert
    except ImportError:
        from tensorflow.lite.python import interpreter as litert
    kinds = litert.OpResolverType
    kind = kinds.BUILTIN_REF if reference else kinds.AUTO
    interpreter = litert.Interpreter(model_content=content(path), num_threads=threads,
                                     experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    return interpreter


def tflite_weights(path):
    """The same for a TFLite file."""
    interpreter = interpreter_of(path, reference=True)
    details = {item["index"]: item for item in interpreter.get_tensor_details()}
    for operator in interpreter._get_ops_details():
        if operator["op_name"] != "CONV_2D":
            continue
        tensor = details[operator["inputs"][1]]
        weight = interpreter.get_tensor(tensor["index"])
        if weight.dtype != np.int8 or tensor["quantization_parameters"]["zero_points"].any():
            raise AssertionError(f"{tensor['name']}: not symmetric int8")
        if weight.shape[1:3] == (1, 1):
            yield tensor["name"], weight.reshape(len(weight), -1)


def weights_of(path):
    return list((onnx_weights if is_onnx(path) else tflite_weights)(path))


def most_in_group(weight):
    return int(np.count_nonzero(weight.reshape(len(weight), -1, GROUP), axis=2).max())


def check_zeros(name, weights, out):
    """Fail unless the zeros of folded.pt are zeros in the file, layer by layer."""
    import nets
    import train
    net = train.load_net(Path(out) / name / "folded.pt", name.partition("_")[0], folded=True)
    zeros = 0
    for (layer, module), (label, weight) in zip(nets.compressible(net), weights, strict=True):
        before = module.weight.detach().flatten(1).numpy()
        if before.shape != weight.shape or weight[before == 0].any():
            raise AssertionError(f"{label}: zeros of {layer} are lost")
        zeros += int((before == 0).sum())
    return zeros


def check(path, out=None):
    """Check one file; return a line about it."""
    name = name_of(path)
    architecture, _, variant = name.partition("_")
    weights = weights_of(path)
    if len(weights) != LAYERS[architecture]:
        raise AssertionError(f"{path}: {len(weights)} layers, not {LAYERS[architecture]}")
    told = [f"{len(weights)} layers"]
    if variant in KEEP:
        most = max(most_in_group(weight) for _, weight in weights)
        told.append(f"at most {most} of {GROUP} non-zero")
        if most > KEEP[variant]:
            raise AssertionError(f"{path}: {most} non-zeros in a group of {GROUP}")
    if variant == "cb4":
        most = max(len(np.unique(weight)) for _, weight in weights)
        told.append(f"at most {most} values")
        if most > VALUES:
            raise AssertionError(f"{path}: a layer of {most} values")
    share = np.mean(np.concatenate([weight.ravel() for _, weight in weights]) != 0)
    told.append(f"{share:.1%} of their weights non-zero")
    if out:
        told.append(f"{check_zeros(name, weights, out)} zeros of the float weights kept")
    return f"{Path(path).name}: {', '.join(told)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="default: all of the folder")
    parser.add_argument("--models", default="models/trained", help="folder of the files")
    parser.add_argument("--out", help="train.py's folder, to compare zeros with")
    args = parser.parse_args()
    for path in args.files or files_in(args.models):
        print(check(path, args.out), flush=True)


if __name__ == "__main__":
    main()
