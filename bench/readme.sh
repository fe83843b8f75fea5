#!/usr/bin/env bash
# Renews what README.md shows of the demo: the terminal's table, and, with chromium at hand, the
# picture of the report (docs/report.png). Run `make demo` first.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=bench/lib.sh
. bench/lib.sh
# shellcheck disable=SC2034 # for write_section
PAGE=README.md
page=build/demo.html

{
  echo '```text'
  "$WEFT" run models/cifar10_mobilenet_int8.tflite --input models/demo.png --check \
    --labels models/labels_cifar10.txt --report $page |
    awk '/^-----/ { rule++; line = 0 }
      { line++ }
      rule == 1 && line > 7 { if (line == 8) print "..."; next }
      { print }'
  echo '```'
} | write_section "demo"

if command -v chromium >/dev/null; then
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1100,1080 \
    --screenshot=docs/report.png "file://$PWD/$page" >/dev/null 2>&1
  ls -l docs/report.png
else
  echo "no chromium: docs/report.png is as it was" >&2
fi
