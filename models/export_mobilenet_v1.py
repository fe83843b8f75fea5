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
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

SIZE = 224
STATISTICS_IMAGES = 8
CALIBRATION_IMAGES = 8
LOGIT_GAIN = 10.0


def build_network(images):
    """MobileNetV1 with random weights and the batch statistics these images give.

    With the initial statistics (mean 0, variance 1) the activations of random weights fade
    layer by layer to almost nothing; with measured ones every layer spans a usual range.  The
    last layer's weights are scaled up so that some of the 1000 probabilities stand out.
    """
    model = keras.applications.MobileNet(
        (SIZE, SIZE, 3), alpha=1.0, weights=None, dropout=0.0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(images, training=True)
    logits = model.get_layer("conv_preds")
    logits.kernel.assign(LOGIT_GAIN * logits.kernel)
    return model


def quantize(model, images):
    """Return the full-int8 TFLite model, calibrated on the images (float32 in [-1, 1])."""
    def representative():
        for image in images:
            yield [image[None]]

    fixed = keras.Input((SIZE, SIZE, 3), batch_size=1, name="image")
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(fixed, model(fixed)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="path of the .tflite file to write")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    keras.utils.set_random_seed(args.seed)
    random = np.random.default_rng(args.seed)
    shape = (STATISTICS_IMAGES + CALIBRATION_IMAGES, SIZE, SIZE, 3)
    images = random.uniform(-1.0, 1.0, shape).astype(np.float32)
    model = build_network(images[:STATISTICS_IMAGES])
    flatbuffer = quantize(model, images[STATISTICS_IMAGES:])
    Path(args.out).write_bytes(flatbuffer)
    print(f"{args.out}: {len(flatbuffer)} bytes, {model.count_params()} parameters")


if __name__ == "__main__":
    main()
