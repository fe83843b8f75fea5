#!/usr/bin/env bash
# What Arm's compiler Vela estimates for an Ethos-U55-256 on a network; rows as in
# bench/peers_published.tsv on stdout.
#
# vela.sh MODEL.tflite NETWORK: three memories: the two of Vela's own vela.ini, and one like that of
# edge-256 (bench/vela.ini; the better of --optimise Performance and Size).
# vela.sh --edge MODEL.tflite: prints "CYCLES CPU_OPERATORS" for the last of them.
#
# VELA names the program; else it is installed under build/vela, from PyPI. Without it, or with
# PEERS=0, nothing is printed, and the exit status is 0.
set -euo pipefail
cd "$(dirname "$0")/.."
VERSION=5.2.0
OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT

vela=${VELA:-build/vela/bin/vela}
skip() {
  echo "vela.sh: $1, nothing estimated" >&2
  exit 0
}
[ "${PEERS:-1}" = 1 ] || skip "PEERS=0"
if ! command -v "$vela" >/dev/null; then
  [ -z "${VELA:-}" ] || skip "no $VELA"
  { python3 -m venv build/vela && build/vela/bin/pip -q install ethos-u-vela==$VERSION; } >&2 || {
    rm -rf build/vela
    skip "Vela could not be installed"
  }
fi

# estimate MODEL OPTIONS...: "cycles macs depthwise-utilization CPU-operators"
estimate() {
  local model=$1
  shift
  rm -rf "${OUT:?}"/*
  "$vela" "$model" --accelerator-config ethos-u55-256 --verbose-performance --output-dir "$OUT" \
    "$@" >"$OUT/log" 2>&1 || { tail -n 1 "$OUT/log" >&2; return 1; }
  python3 - "$OUT" <<'PYTHON'
import csv, glob, re, sys
out = sys.argv[1]
total = list(csv.DictReader(open(glob.glob(out + "/*_summary_*.csv")[0])))[0]
layers = list(csv.DictReader(open(glob.glob(out + "/*_per-layer.csv")[0])))
depthwise = [l for l in layers if l["NNG Operator"] == "DepthwiseConv2D"]
cycles = sum(float(l["Op Cycles"]) for l in depthwise)
macs = sum(float(l["MAC Count"]) for l in depthwise)
cpu = re.search(r"CPU operators = (\d+)", open(out + "/log").read())
share = f"{100 * macs / (256 * cycles):.0f}" if cycles else "-"
print(total["cycles_total"].split(".")[0], total["nn_macs"].split(".")[0], share,
      cpu.group(1) if cpu else "-")
PYTHON
}

# The better of the two ways of optimising, with the memory of edge-256.
edge() {
  local how
  for how in Performance Size; do
    estimate "$1" --config "$PWD/bench/vela.ini" --system-config Edge --memory-mode Edge \
      --optimise $how
  done | sort -n | head -n 1
}

row() { # NETWORK MEMORY "CYCLES MACS DW CPU"
  local cycles macs depthwise
  read -r cycles macs depthwise _ <<<"$3"
  printf 'Ethos-U55-256\t%s\t%s\t256\t%s\t\t\t%s\t%s\t%s\n' "$1" \
    "$(awk -v m="$macs" 'BEGIN {printf "%.1f", m / 1e6}')" "$cycles" "estimate, Vela $version" \
    "$2; depthwise layers at $depthwise%" "bench/vela.sh"
}

if [ "$1" = --edge ]; then
  read -r cycles _ _ cpu <<<"$(edge "$2")"
  echo "$cycles $cpu"
  exit 0
fi
version=$("$vela" --version)
shipped=(--config Arm/vela.ini --system-config Ethos_U55_High_End_Embedded)
row "$2" "memory as edge-256: DRAM 8 B/cycle, 384 KiB on the chip" "$(edge "$1")"
row "$2" "Sram_Only: all in SRAM, 8 B/cycle" \
  "$(estimate "$1" "${shipped[@]}" --memory-mode Sram_Only)"
row "$2" "Shared_Sram: weights in flash, 1 B/cycle; activations in SRAM" \
  "$(estimate "$1" "${shipped[@]}" --memory-mode Shared_Sram)"
