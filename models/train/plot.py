"""Draw accuracy against non-zero weights and against bytes, and the curves of the trainings.

What it makes
    docs/accuracy.svg of networks.json: int8 top-1 (onnxruntime) of every network, over its
    non-zero parameters and over the bytes of its encoded weights.  With --curves instead one
    picture of the curve.csv of every network in OUT.

How to run it
    python3 models/train/plot.py [--models models/trained] [--to docs/accuracy.svg]
    python3 models/train/plot.py --curves build/train [--to build/train/curves.svg]

It needs matplotlib and takes seconds.
"""

import argparse
import csv
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "weft", "svg.fonttype": "none"})
from matplotlib import pyplot

TITLES = {"mobilenetv2": "MobileNetV2 0.5", "vit": "ViT 192/6/3"}
LABELS = {"": "dense", "24": "2:4", "14": "1:4", "cb4": "codebook"}
MARKS = {"mobilenetv2": "o", "vit": "s"}


def panel(axes, known, key, title):
    """One scatter plot: a mark a network, a label a variant."""
    for architecture, legend in TITLES.items():
        points = []
        for name, facts in known.items():
            own, _, variant = name.partition("_")
            if own == architecture and "onnx_top1" in facts:
                points.append((facts[key] / 1e6, 100.0 * facts["onnx_top1"], LABELS[variant]))
        if points:
            x, y, texts = zip(*sorted(points))
            axes.plot(x, y, MARKS[architecture], label=legend)
            for point in points:
                axes.annotate(point[2], point[:2], xytext=(5, 4), textcoords="offset points",
                              fontsize=8)
    axes.set_xlabel(title)
    axes.set_xlim(0.0, 1.18 * max(facts[key] for facts in known.values()) / 1e6)
    axes.grid(alpha=0.3)


def draw_accuracy(known, path):
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    panel(left, known, "nonzero", "non-zero parameters, millions")
    panel(right, known, "encoded_bytes", "bytes of encoded weights, millions")
    left.set_ylabel("int8 top-1, %")
    left.legend(loc="best", fontsize=8)
    finish(figure, path)


def draw_curves(folder, path):
    figure, axes = pyplot.subplots(figsize=(9, 4))
    for file in sorted(Path(folder).glob("*/curve.csv")):
        rows = [row for row in csv.reader(file.open(encoding="utf-8")) if row[5]]
        axes.plot([float(row[6]) / 60.0 for row in rows if row[0] != "int8"],
                  [100.0 * float(row[5]) for row in rows if row[0] != "int8"],
                  label=file.parent.name)
    axes.set_xlabel("minutes of training")
    axes.set_ylabel("float top-1 of the averaged weights, %")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    finish(figure, path)


def finish(figure, path):
    figure.tight_layout()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    print(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="models/trained", type=Path)
    parser.add_argument("--curves", help="train.py's folder")
    parser.add_argument("--to", help="the picture to write")
    args = parser.parse_args()
    if args.curves:
        draw_curves(args.curves, args.to or Path(args.curves) / "curves.svg")
    else:
        known = json.loads((args.models / "networks.json").read_text())
        draw_accuracy(known, args.to or "docs/accuracy.svg")


if __name__ == "__main__":
    main()
