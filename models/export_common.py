"""What the exporters of networks with random weights share: statistics and quantization.

With the initial statistics (mean 0, variance 1) of batch normalization the activations of random
weights fade layer by layer to almost nothing; with those of one batch of random images every layer
spans a usual range.  The last layer's weights are scaled up so that some of the 1000 probabilities
stand out.
"""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

STATISTICS_IMAGES = 8
CALIBRATION_IMAGES = 8
LOGIT_GAIN = 10.0


def measure_statistics(model, logits, images):
    """Give the batch normalizations the statistics of these images, and the logits their gain."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(images, training=True)
    kernel = model.get_layer(logits).kernel
    kernel.assign(LOGIT_GAIN * kernel)


def quantize(model, images):
    """Return the full-int8 TFLite model, calibrated on the images (float32 in [-1, 1])."""
    def representative():
        for image in images:
            yield [image[None]]

    fixed = keras.Input(images.shape[1:], batch_size=1, name="image")
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(fixed, model(fixed)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def export(build, logits, size, seed, out):
    """Write to `out` what build() makes for size x size x 3 images, quantized.

    `logits` is the name of the layer that computes them.
    """
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    shape = (STATISTICS_IMAGES + CALIBRATION_IMAGES, size, size, 3)
    images = random.uniform(-1.0, 1.0, shape).astype(np.float32)
    model = build()
    measure_statistics(model, logits, images[:STATISTICS_IMAGES])
    flatbuffer = quantize(model, images[STATISTICS_IMAGES:])
    Path(out).write_bytes(flatbuffer)
    print(f"{out}: {len(flatbuffer)} bytes, {model.count_params()} parameters")
