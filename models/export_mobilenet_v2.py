"""Export a MobileNetV2 as a full-int8 TFLite model with random weights.

What it makes
    The network of MobileNetV2 with a chosen width, image size and depthwise kernel, 1000 classes
    out, with weights drawn from a seed and batch statistics of random images: for measuring and
    checking runtimes on graphs beside the usual ones.  It classifies nothing.  Quantization is
    that of the TensorFlow Lite converter: weights int8 per channel, activations, input and output
    int8.

How to run it
    pip install tensorflow-cpu
    python export_mobilenet_v2.py --out mnv2_w1.0_224_k5.tflite [--width 1.0] [--size 224]
        [--kernel 3|5|7] [--seed 1]

How long it takes
    A minute or two on two CPU cores.
"""

import argparse

import export_common
import keras


def with_kernel(config, kernel):
    """Give the depthwise layers of a model's configuration this kernel and "same" padding.

    Keras pads in layers of its own before those of stride 2; these then pad by nothing.
    """
    for layer in config["layers"]:
        if layer["class_name"] == "DepthwiseConv2D":
            layer["config"]["kernel_size"] = (kernel, kernel)
            layer["config"]["padding"] = "same"
        elif layer["class_name"] == "ZeroPadding2D":
            layer["config"]["padding"] = ((0, 0), (0, 0))
    return config


def build_network(width, size, kernel):
    """MobileNetV2 with random weights."""
    model = keras.applications.MobileNetV2((size, size, 3), alpha=width, weights=None)
    return keras.Model.from_config(with_kernel(model.get_config(), kernel))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="path of the .tflite file to write")
    parser.add_argument("--width", type=float, default=1.0, help="multiplier of the channels")
    parser.add_argument("--size", type=int, default=224, help="height and width of the image")
    parser.add_argument("--kernel", type=int, default=3, choices=(3, 5, 7), help="depthwise kernel")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    def build():
        return build_network(args.width, args.size, args.kernel)
    export_common.export(build, "predictions", args.size, args.seed, args.out)


if __name__ == "__main__":
    main()
