"""Measure the exported files: top-1 of every one over the test images, and the table of them.

What it makes
    The accuracy of each ONNX file in onnxruntime and of each TFLite file in LiteRT, written into
    networks.json beside the files, and a table in Markdown.  onnxruntime runs without graph
    optimizations if --reference is given, and LiteRT with its reference kernels.

How to run it
    python3 models/train/evaluate.py [--models models/trained] [--limit IMAGES] [--threads 1]
    python3 models/train/evaluate.py --table     prints the table of what was measured before

    Needs NumPy, Pillow, onnxruntime and LiteRT (or TensorFlow); no PyTorch.

How long it takes
    Minutes: a few milliseconds an image and file.  The reference kernels take ten times longer.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

import check
import data as cifar

HEADINGS = ("network", "float", "int8 ONNX", "int8 TFLite", "parameters", "not zero", "MACs",
            "ONNX", "TFLite", "encoded")


def onnx_runner(path, threads, reference):
    """A function from an image (uint8, 32 x 32 x 3) to the logits, by onnxruntime."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if reference:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(check.content(path), options,
                                           providers=["CPUExecutionProvider"])

    def run(image):
        feed = (image.transpose(2, 0, 1)[None] / 255.0).astype(np.float32)
        return session.run(None, {"image": feed})[0][0]
    return run


def tflite_runner(path, threads, reference):
    """The same by LiteRT."""
    interpreter = check.interpreter_of(path, threads, reference)
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = source["quantization"]

    def run(image):
        value = np.round(image[None] / 255.0 / scale) + zero_point
        interpreter.set_tensor(source["index"], np.clip(value, -128, 127).astype(np.int8))
        interpreter.invoke()
        return interpreter.get_tensor(sink["index"])[0]
    return run


def top1(path, images, labels, threads, reference):
    """Share of the images whose first largest logit is their class."""
    make = onnx_runner if check.is_onnx(path) else tflite_runner
    run = make(path, threads, reference)
    hits = sum(int(np.argmax(run(image)) == label) for image, label in zip(images, labels))
    return hits / len(images)


def share(value):
    return "" if value is None else f"{100.0 * value:.2f}%"


def number(value):
    return "" if value is None else f"{value:,d}"


def table(known):
    """Markdown, one line a network."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---" + "|--:" * (len(HEADINGS) - 1) + "|"]
    for name, facts in known.items():
        cells = [f"`{name}`", share(facts.get("float_top1")), share(facts.get("onnx_top1")),
                 share(facts.get("tflite_top1"))]
        cells += [number(facts.get(key)) for key in ("parameters", "nonzero", "macs", "onnx_bytes",
                                                     "tflite_bytes", "encoded_bytes")]
        lines.append("| " + " | ".join(cells) + " |")
    total = sum(facts.get(key, 0) for facts in known.values()
                for key in ("onnx_bytes", "tflite_bytes"))
    return "\n".join([*lines, "", f"All files together: {total:,d} bytes."])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="default: all of the folder")
    parser.add_argument("--data", default=cifar.DEFAULT_DATA, help="CIFAR-10 folder or archive")
    parser.add_argument("--cache", default="build/train", help="folder for the decoded images")
    parser.add_argument("--models", default="models/trained", type=Path, help="folder of the files")
    parser.add_argument("--limit", type=int, help="the first so many of the shuffled test images")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--reference", action="store_true", help="plain kernels, slowly")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    args = parser.parse_args()

    notes = args.models / "networks.json"
    known = json.loads(notes.read_text()) if notes.exists() else {}
    if not args.table:
        arrays = cifar.load(args.data, args.cache)
        order = np.random.default_rng(0).permutation(len(arrays["test_labels"]))[:args.limit]
        images, labels = arrays["test_images"][order], arrays["test_labels"][order]
        for path in args.files or check.files_in(args.models):
            started = time.monotonic()
            hits = top1(path, images, labels, args.threads, args.reference)
            print(f"{path.name}: top-1 {hits:.2%} of {len(images)} images"
                  f" in {time.monotonic() - started:.0f} s", flush=True)
            facts = known.setdefault(check.name_of(path), {})
            kind = "onnx" if check.is_onnx(path) else "tflite"
            facts[f"{kind}_top1"] = hits
            facts[f"{kind}_bytes"] = path.stat().st_size
        notes.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")
    print(table(dict(sorted(known.items()))))


if __name__ == "__main__":
    main()
