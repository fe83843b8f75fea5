"""Train the demo network on CIFAR-10 and quantize it to a full-int8 TFLite model.

What it makes
    A small MobileNetV2-like classifier (32x32 RGB in, ten classes out), trained from scratch in
    float, then quantized after training by the TensorFlow Lite converter: weights int8 per
    channel, activations int8, input and output int8.  The float network takes pixel / 255, so
    the quantized input has scale 1/255 and zero point -128: a runtime feeds pixel - 128.

How to run it
    pip install tensorflow-cpu pillow
    python train_demo.py --data cifar10 --out build [--epochs 45] [--minutes 50] [--seed 1]

    --data is a folder (or a tar archive of one) with train/<class>/*.jpg and
    test/<class>/*.jpg, 32x32 RGB.  Classes are numbered in the alphabetical order of their
    folders.  Into --out go cifar10_mobilenet_int8.tflite, cifar10_mobilenet.keras (the float
    network), labels_cifar10.txt and train_demo.log.

How long it takes
    About a minute an epoch on two CPU cores, then a few minutes of evaluation with the
    reference kernels.  --minutes bounds the training time: the learning rate follows a half
    cosine over whichever of the two budgets, epochs or minutes, runs out first.  Runs that the
    time bound cuts short depend on the machine's speed; the others repeat up to the rounding of
    multi-threaded sums.

The test images are never trained on and choose nothing: the network kept is the one after the
last epoch, and the quantizer is calibrated on training images.
"""

import argparse
import math
import os
import platform
import tarfile
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from PIL import Image

SIZE = 32
PAD = 4
BATCH = 128
PEAK_RATE = 0.1
WARMUP = 0.02
MOMENTUM = 0.9
WEIGHT_DECAY = 3e-4
CALIBRATION_IMAGES = 500

STEM_CHANNELS = 16
HEAD_CHANNELS = 256
# One row a block: expansion, output channels, stride of the depthwise convolution.
BLOCKS = [
    (3, 24, 2), (4, 24, 1), (4, 24, 1),
    (4, 48, 2), (4, 48, 1), (4, 48, 1), (4, 48, 1),
    (4, 96, 2), (4, 96, 1), (4, 96, 1),
]


class Log:
    """Prints lines and keeps them in a file."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")

    def __call__(self, line):
        print(line, flush=True)
        print(line, file=self.file, flush=True)


def load_split(folder):
    """Return (images uint8 N x 32 x 32 x 3, labels int32 N, class names) of one split."""
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    images, labels = [], []
    for label, name in enumerate(names):
        for path in sorted((folder / name).glob("*.jpg")):
            images.append(np.asarray(Image.open(path).convert("RGB")))
            labels.append(label)
    return np.stack(images), np.array(labels, np.int32), names


def load_data(data):
    """Load both splits from a folder, or from a tar archive unpacked on the way."""
    data = Path(data)
    if data.is_dir():
        return load_split(data / "train"), load_split(data / "test")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(data) as archive:
            archive.extractall(folder, filter="data")
        return load_data(folder)


def conv_bn(x, channels, kernel, relu=True):
    """Convolution at stride 1, batch normalisation and, if asked, ReLU6."""
    x = layers.Conv2D(channels, kernel, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU(6.0)(x) if relu else x


def inverted_bottleneck(x, expansion, channels, stride):
    """Expand 1x1, depthwise 3x3, project 1x1; add the input where the shapes agree."""
    shortcut = x
    x = conv_bn(x, expansion * x.shape[-1], 1)
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    x = conv_bn(x, channels, 1, relu=False)
    if stride == 1 and shortcut.shape[-1] == channels:
        x = layers.Add()([shortcut, x])
    return x


def build_network(classes):
    """Return (model giving probabilities, model giving logits); they share their weights."""
    inputs = keras.Input((SIZE, SIZE, 3))
    x = conv_bn(inputs, STEM_CHANNELS, 3)
    for expansion, channels, stride in BLOCKS:
        x = inverted_bottleneck(x, expansion, channels, stride)
    x = conv_bn(x, HEAD_CHANNELS, 1)
    x = layers.GlobalAveragePooling2D()(x)
    logits = layers.Dense(classes)(x)
    return keras.Model(inputs, layers.Softmax()(logits)), keras.Model(inputs, logits)


def count_macs(model):
    """Multiply-accumulates of the convolutions and the dense layer, for one image."""
    macs = 0
    for layer in model.layers:
        if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)):
            positions = math.prod(layer.output.shape[1:-1])
            macs += positions * math.prod(layer.kernel.shape)
    return macs


def learning_rate(progress):
    """Linear warm-up, then a half cosine to zero; progress runs from 0 to 1."""
    if progress < WARMUP:
        return PEAK_RATE * progress / WARMUP
    return PEAK_RATE * 0.5 * (1.0 + math.cos(math.pi * (progress - WARMUP) / (1.0 - WARMUP)))


def accuracy(model, images, labels):
    """Top-1 of the float network."""
    hits = 0
    for start in range(0, len(images), 500):
        batch = images[start:start + 500].astype(np.float32) / 255.0
        hits += np.sum(np.argmax(model(batch, training=False), 1) == labels[start:start + 500])
    return hits / len(images)


def train(model, data, test, epochs, seconds, seed, log):
    """Stochastic gradient descent on random crops and flips of the training images."""
    images, labels, _ = data
    padded = np.pad(images, ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0)), mode="reflect")
    crops = np.lib.stride_tricks.sliding_window_view(padded, (SIZE, SIZE), axis=(1, 2))
    random = np.random.default_rng(seed)
    decayed = [layer.kernel for layer in model.layers
               if isinstance(layer, (layers.Conv2D, layers.Dense))
               and not isinstance(layer, layers.DepthwiseConv2D)]
    optimizer = keras.optimizers.SGD(0.0, momentum=MOMENTUM, nesterov=True)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(batch, wanted):
        with tf.GradientTape() as tape:
            logits = model(batch, training=True)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits))
            decay = tf.add_n([tf.nn.l2_loss(kernel) for kernel in decayed])
            total = loss + WEIGHT_DECAY * decay
        gradients = tape.gradient(total, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        hits = tf.reduce_mean(tf.cast(
            tf.argmax(logits, 1, tf.int32) == wanted, tf.float32))
        return loss, hits

    steps = len(images) // BATCH
    started = time.monotonic()
    progress = 0.0
    for epoch in range(epochs):
        order = random.permutation(len(images))
        losses, hits = [], []
        for i in range(steps):
            spent = (time.monotonic() - started) / seconds
            progress = max((epoch + i / steps) / epochs, spent)
            if progress >= 1.0:
                break
            optimizer.learning_rate.assign(learning_rate(progress))
            chosen = order[i * BATCH:(i + 1) * BATCH]
            shift = random.integers(0, 2 * PAD + 1, (2, BATCH))
            batch = crops[chosen, shift[0], shift[1]].transpose(0, 2, 3, 1)
            flip = random.random(BATCH) < 0.5
            batch[flip] = batch[flip, :, ::-1]
            result = step(batch.astype(np.float32) / 255.0, labels[chosen])
            losses.append(float(result[0]))
            hits.append(float(result[1]))
        if losses:
            log(f"epoch {epoch + 1:2d}  loss {np.mean(losses):.4f}  train {np.mean(hits):.2%}"
                f"  test {accuracy(model, *test[:2]):.2%}"
                f"  at {time.monotonic() - started:.0f} s")
        if progress >= 1.0:
            break


def quantize(model, images):
    """Return the full-int8 TFLite model, calibrated on the images (uint8)."""
    def representative():
        for image in images:
            yield [image[None].astype(np.float32) / 255.0]

    fixed = keras.Input((SIZE, SIZE, 3), batch_size=1, name="image")
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(fixed, model(fixed)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def int8_accuracy(flatbuffer, images, labels):
    """Top-1 of the int8 model under the interpreter's reference kernels."""
    interpreter = tf.lite.Interpreter(
        model_content=flatbuffer,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    sink = interpreter.get_output_details()[0]["index"]
    hits = 0
    for image, label in zip(images, labels):
        interpreter.set_tensor(source, (image[None].astype(np.int16) - 128).astype(np.int8))
        interpreter.invoke()
        hits += int(np.argmax(interpreter.get_tensor(sink)) == label)
    return hits / len(images)


def describe_ends(flatbuffer, log):
    """Log the type, shape and quantization of the model's input and output."""
    interpreter = tf.lite.Interpreter(model_content=flatbuffer)
    for end, detail in (("input", interpreter.get_input_details()[0]),
                        ("output", interpreter.get_output_details()[0])):
        scale, zero = detail["quantization"]
        log(f"int8 {end}: {detail['dtype'].__name__} {detail['shape'].tolist()}"
            f"  scale {scale:.9g}  zero point {zero}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="CIFAR-10 folder or tar archive")
    parser.add_argument("--out", required=True, help="folder for the results")
    parser.add_argument("--epochs", type=int, default=45)
    parser.add_argument("--minutes", type=float, default=math.inf, help="training time bound")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    log = Log(out / "train_demo.log")
    log(f"python {platform.python_version()}  tensorflow {tf.__version__}"
        f"  keras {keras.__version__}  numpy {np.__version__}")
    log(f"seed {args.seed}  epochs {args.epochs}  minutes {args.minutes:g}  batch {BATCH}"
        f"  peak rate {PEAK_RATE}  momentum {MOMENTUM}  weight decay {WEIGHT_DECAY}")
    keras.utils.set_random_seed(args.seed)

    data, test = load_data(args.data)
    names = data[2]
    log(f"{len(data[0])} training images, {len(test[0])} test images, classes {' '.join(names)}")
    (out / "labels_cifar10.txt").write_text("".join(f"{name}\n" for name in names))

    model, logits = build_network(len(names))
    trained = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    log(f"{trained} trained parameters, {count_macs(model)} multiply-accumulates an image")
    train(logits, data, test, args.epochs, args.minutes * 60.0, args.seed, log)
    model.save(out / "cifar10_mobilenet.keras")
    float_top1 = accuracy(model, test[0], test[1])
    log(f"float top-1 {float_top1:.2%}")

    picked = np.random.default_rng(args.seed).choice(
        len(data[0]), CALIBRATION_IMAGES, replace=False)
    flatbuffer = quantize(model, data[0][picked])
    (out / "cifar10_mobilenet_int8.tflite").write_bytes(flatbuffer)
    log(f"int8 model {len(flatbuffer)} bytes, calibrated on {CALIBRATION_IMAGES} images")
    describe_ends(flatbuffer, log)
    int8_top1 = int8_accuracy(flatbuffer, test[0], test[1])
    log(f"int8 top-1 {int8_top1:.2%} (reference kernels)")


if __name__ == "__main__":
    main()
