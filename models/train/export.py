"""Export trained networks: ONNX QDQ int8 of all, TFLite int8 of the MobileNetV2s.

What it makes
    In MODELS: NAME_int8.onnx (or .onnx.xz), NAME_int8.tflite and, in networks.json, what is known
    of each network: float accuracy, parameters, multiply-accumulates, bytes.  Every file is
    checked by check.py before the command ends.  Needs no GPU; of train.py's results it reads
    OUT/NAME/folded.pt and result.json.

How to run it
    python3 models/train/export.py all [--out build/train] [--models models/trained]

How long it takes
    Less than half a minute a network.
"""

import argparse
import json
import lzma
from pathlib import Path

import check
import data as cifar
import nets
import quantize
import train


def encoded_bytes(net, variant):
    """Bytes of the weights and biases in the densest form that suits the variant.

    The compressible layers: dense a byte a weight; 2:4 and 1:4 a byte and a 2-bit index for each
    weight that a group may have; codebook half a byte a weight and 16 bytes a layer.  Other
    weights take a byte, biases and the like four.
    """
    total = 0
    chosen = {id(module.weight) for _, module in nets.compressible(net)}
    for parameter in net.parameters():
        count = parameter.numel()
        if id(parameter) not in chosen:
            total += count * (1 if parameter.dim() > 1 else 4)
        elif variant in check.KEEP:
            total += count // check.GROUP * check.KEEP[variant] * 5 // 4
        elif variant == "cb4":
            total += count // 2 + check.VALUES
        else:
            total += count
    return total


def remember(path, name, facts):
    """Add the facts to the network's entry in a JSON file."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known.setdefault(name, {}).update(facts)
    path.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


def pack(path):
    """Replace a file by its xz."""
    packed = path.with_name(path.name + ".xz")
    packed.write_bytes(lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
    path.unlink()
    return packed


def export(name, args, images):
    architecture, _, variant = name.partition("_")
    source, models = Path(args.out) / name, Path(args.models)
    net = train.load_net(source / "folded.pt", architecture, folded=True)
    files = [models / f"{name}_int8.onnx"]
    quantize.write_int8(net, images, files[0])
    if args.xz:
        files = [pack(files[0])]
    if architecture == "mobilenetv2":
        import tflite
        files.append(models / f"{name}_int8.tflite")
        tflite.write_int8(net, images, files[1])
    facts = json.loads((source / "result.json").read_text())
    facts["encoded_bytes"] = encoded_bytes(net, variant)
    for path in files:
        print(check.check(path, args.out), flush=True)
        kind = "onnx" if check.is_onnx(path) else "tflite"
        facts[f"{kind}_bytes"] = path.stat().st_size
    remember(models / "networks.json", name, facts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=("all", *train.NAMES), metavar="NAME")
    parser.add_argument("--data", default=cifar.DEFAULT_DATA, help="CIFAR-10 folder or archive")
    parser.add_argument("--cache", default="build/train", help="folder for the decoded images")
    parser.add_argument("--out", default="build/train", help="train.py's folder")
    parser.add_argument("--models", default="models/trained", help="folder for the files")
    parser.add_argument("--images", type=int, default=500, help="to calibrate with")
    parser.add_argument("--xz", action="store_true", help="pack the ONNX files with xz")
    args = parser.parse_args()
    Path(args.models).mkdir(parents=True, exist_ok=True)
    images = cifar.calibration_images(cifar.load(args.data, args.cache), args.images)
    for name in train.NAMES if "all" in args.names else args.names:
        export(name, args, images)


if __name__ == "__main__":
    main()
