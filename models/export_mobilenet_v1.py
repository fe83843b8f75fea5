"""Export MobileNetV1 1.0 224 as a full-int8 TFLite model with random weights.

What it makes
    The network of MobileNetV1, width 1.0, 224x224x3 in, 1000 classes out, with weights drawn
    from a seed and batch statistics of random images: for measuring and checking runtimes on a
    graph of a usual size.  It classifies nothing.  Quantization is that of the TensorFlow Lite
    converter: weights int8 per channel, activations, input and output int8.

How to run it
    pip install tensorflow-cpu
    python export_mobilenet_v1.py --out mobilenet_v1_1.0_224_int8.tflite [--seed 1]

How long it takes
    About a minute on two CPU cores.
"""

import argparse

import export_common
import keras

SIZE = 224


def build_network():
    """MobileNetV1 with random weights."""
    return keras.applications.MobileNet((SIZE, SIZE, 3), alpha=1.0, weights=None, dropout=0.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="path of the .tflite file to write")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    export_common.export(build_network, "conv_preds", SIZE, args.seed, args.out)


if __name__ == "__main__":
    main()
