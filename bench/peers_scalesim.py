"""What SCALE-Sim says of MobileNetV2 1.0 224 on a 16x16 weight-stationary array.

Usage: peers_scalesim.py FOLDER.  Prints "CYCLES DEPTHWISE SECONDS SIMULATED VERSION": the network's
cycles, the utilization of the array in depthwise layers (%), the wall-clock time of the
simulation, the cycles that were simulated in it, the version.

SCALE-Sim has no depthwise layers: one channel of each is simulated as a convolution with one
channel and one filter, and its cycles are taken times the channels.  The layers follow each other,
nothing is fused; the memory is unlimited ("CALC"), so the array alone decides.
"""

import contextlib
import csv
import glob
import importlib.metadata
import os
import sys
import time

from scalesim.scale_sim import scalesim

CONFIG = """[general]
run_name = edge
[architecture_presets]
ArrayHeight: 16
ArrayWidth: 16
IfmapSramSzkB: 128
FilterSramSzkB: 128
OfmapSramSzkB: 128
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Dataflow: ws
Bandwidth: 8
ReadRequestBuffer: 32
WriteRequestBuffer: 32
[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2
[sparsity]
SparsitySupport : false
SparseRep : ellpack_block
OptimizedMapping : false
BlockSize : 8
RandomNumberGeneratorSeed : 40
[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
"""


def mobilenet_v2():
    """The layers: (padded size, kernel, channels, filters, stride, times)."""
    def conv(size, kernel, channels, filters, stride=1, times=1):
        padding = kernel - stride if kernel > 1 else 0
        return (size + padding, kernel, channels, filters, stride, times)

    layers = [conv(224, 3, 3, 32, 2)]
    size, channels = 112, 32
    for expansion, filters, blocks, first_stride in (
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
            (6, 160, 3, 2), (6, 320, 1, 1)):
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            wide = channels * expansion
            if expansion > 1:
                layers.append(conv(size, 1, channels, wide))
            layers.append(conv(size, 3, 1, 1, stride, wide))
            size //= stride
            layers.append(conv(size, 1, wide, filters))
            channels = filters
    layers.append(conv(size, 1, channels, 1280))
    layers.append(conv(1, 1, 1280, 1000))
    return layers


def macs(layer):
    size, kernel, channels, filters, stride, times = layer
    return ((size - kernel) // stride + 1) ** 2 * kernel ** 2 * channels * filters * times


def main():
    folder = sys.argv[1]
    layers = mobilenet_v2()
    paths = {name: os.path.join(folder, name) for name in ("edge.cfg", "layers.csv", "layout.csv")}
    with open(paths["edge.cfg"], "w", encoding="ascii") as file:
        file.write(CONFIG)
    with open(paths["layers.csv"], "w", encoding="ascii") as file:
        file.write("Layer, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, "
                   "Num Filter, Strides,\n")
        for i, (size, kernel, channels, filters, stride, _) in enumerate(layers):
            file.write(f"l{i}, {size}, {size}, {kernel}, {kernel}, {channels}, {filters}, "
                       f"{stride},\n")
    with open(paths["layout.csv"], "w", encoding="ascii"):
        pass
    begin = time.monotonic()
    with contextlib.redirect_stdout(sys.stderr):
        simulator = scalesim(save_disk_space=True, verbose=False, config=paths["edge.cfg"],
                             topology=paths["layers.csv"], layout=paths["layout.csv"],
                             input_type_gemm=False)
        simulator.run_scale(top_path=folder)
    seconds = time.monotonic() - begin
    with open(glob.glob(os.path.join(folder, "*", "COMPUTE_REPORT.csv"))[0],
              encoding="ascii") as file:
        rows = [{key.strip(): value for key, value in row.items() if key}
                for row in csv.DictReader(file)]
    simulated = [float(row["Total Cycles"]) for row in rows]
    cycles = [c * layer[-1] for c, layer in zip(simulated, layers)]
    depthwise = [(macs(layer), c) for layer, c in zip(layers, cycles) if layer[-1] > 1]
    share = sum(m for m, _ in depthwise) / sum(256 * c for _, c in depthwise)
    print(int(sum(cycles)), f"{100 * share:.1f}", f"{seconds:.2f}", int(sum(simulated)),
          importlib.metadata.version("scalesim"))


if __name__ == "__main__":
    main()
