#!/usr/bin/env bash
# The house rules, as a test: layout of lines and files, functions that are banned, who may include
# whom, and text that belongs to one machine only. Ends with a line of counts.
set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
passed=0 failed=0
# Rule by rule: what was found (file:line: text), or nothing.
rule() {
  local name=$1 found=$2
  if [ -z "$found" ]; then
    passed=$((passed + 1))
    return
  fi
  failed=$((failed + 1))
  echo "not ok $name"
  head -n 20 <<<"$found" | cut -c 1-160 | sed 's/^/  /'
}

# Every file of the tree that is text of ours, by kind.
mapfile -t all < <(find . \( -name build -o -name .git -o -name __pycache__ \) -prune -o -type f \
  ! -name '*.tflite' ! -name '*.onnx' ! -name '*.png' ! -name '*.npy' ! -name '*.bin' \
  ! -name '*.log' ! -name '*.pyc' ! -name LICENSE -print | sed 's|^\./||' | sort)
of() { printf '%s\n' "${all[@]}" | grep -E "$1" || true; }
mapfile -t c_files < <(of '\.(c|cc|h)$')
mapfile -t sources < <(of '\.(c|cc|h|def|sh|py|mk|sv|v|vh)$|(^|/)Makefile$|^\.ci/run$')
mapfile -t others < <(printf '%s\n' "${sources[@]}" | grep -vE '\.(c|cc|h)$')
mapfile -t documents < <(of '\.md$')

# Text within C sources that no comment or string hides: strips both, keeps line numbers.
code() {
  perl -0777 -pe '
    s{("(?:\\.|[^"\\\n])*")|(\x27(?:\\.|[^\x27\\\n])*\x27)|(/\*.*?\*/)|(//[^\n]*)}
     {my $t = $1 // $2 // $3 // $4; my $n = ($t =~ tr/\n//);
      ($1 ? "\"\"" : $2 ? "0" : " ") . "\n" x $n}gse' \
    "$1"
}
grep_code() { # PATTERN FILE...
  local pattern=$1 f
  shift
  for f in "$@"; do code "$f" | grep -nP -- "$pattern" | sed "s|^|$f:|" || true; done
}

# --- lines and files --------------------------------------------------------------------------
rule "lines of at most 100 columns" "$(grep -nP '^.{101,}' "${sources[@]}" || true)"
# But for tables, links, code and what is generated.
rule "lines of documents of at most 100 columns" "$(perl -CSD -ne '
  $code = $made = 0 if $. == 1;
  $code = !$code if /^```/;
  $made = 1 if /^<!-- generated/;
  $made = 0 if /^<!-- end/;
  print "$ARGV:$.: $_" if !$code && !$made && !/^\||^    |\]\(|https?:/ && length > 101;
  close ARGV if eof;' "${documents[@]}")"
rule "no tabs in C" "$(grep -nP '\t' "${c_files[@]}" || true)"
rule "no spaces at the end of a line" "$(grep -nP '[ \t]+$' "${sources[@]}" || true)"
rule "no carriage returns" "$(grep -lP '\r' "${sources[@]}" "${documents[@]}" || true)"
rule "files end with a newline" "$(for f in "${sources[@]}" "${documents[@]}"; do
  [ -s "$f" ] && [ -n "$(tail -c 1 "$f")" ] && echo "$f"
done || true)"
rule "C files begin with a comment that says what they are for" "$(for f in "${c_files[@]}"; do
  head -n 1 "$f" | grep -qP '^/\*.|^//.' || echo "$f"
done)"
rule "scripts say what they are for" "$(for f in $(of '\.sh$|^\.ci/run$'); do
  head -n 2 "$f" | tail -n 1 | grep -q '^# ' || echo "$f"
done)"
rule "no source file over 800 lines" "$(for f in "${sources[@]}"; do
  n=$(wc -l <"$f")
  [ "$n" -le 800 ] || echo "$f: $n"
done)"
rule "headers are guarded" "$(for f in $(of '\.h$'); do
  grep -qP '^#ifndef WEFT_\w+_H$' "$f" || echo "$f"
done)"
# Documents may use arrows, multiplication signs and the like, and so may texts that C prints.
rule "sources are ASCII, but for strings in C" "$(
  for f in "${c_files[@]}"; do
    perl -pe 's/"(?:\\.|[^"\\])*"/""/g' "$f" |
      LC_ALL=C grep -nP '[^\x00-\x7f]' | sed "s|^|$f:|" || true
  done
  LC_ALL=C grep -nP '[^\x00-\x7f]' "${others[@]}" || true)"

# --- what is not done here --------------------------------------------------------------------
banned='\b(gets|strcpy|strcat|sprintf|vsprintf|strtok|system|tmpnam|mktemp|rand|srand|random|atoi|'
banned+='atol|atof|alloca)\s*\('
mapfile -t libraries < <(of '^(arch|kernels|sim|compiler|driver)/.*\.(c|cc|h)$')
mapfile -t product < <(of '^(arch|kernels|sim|compiler|driver|cli)/.*\.(c|cc|h)$')
rule "no banned functions" "$(grep_code "$banned" "${product[@]}")"
rule "no bit-fields (their layout is the compiler's)" \
  "$(grep_code '^\s*(unsigned|int|u?int\d+_t)\s+\w+\s*:\s*\d+\s*;' "${c_files[@]}")"
rule "no variables with state outside of functions" "$(grep_code \
  '^static (?!inline|const|_Thread_local|.*\bconst\b)[\w ]+[ *]\w+(\[[^]]*\])*( =.*)?;' \
  "${libraries[@]}")"
rule "nothing left to do is left in the tree" \
  "$(grep -nwE 'TO''DO|FIX''ME|X''XX|HA''CK' "${sources[@]}" "${documents[@]}" || true)"
rule "no paths of one machine" "$(grep -nE \
  '(^|[^A-Za-z0-9_./$}-])/(wo''rk|ro''ot|ho''me|Us''ers)/' \
  "${sources[@]}" "${documents[@]}" || true)"
rule "no temporary files at fixed places" "$(grep -nE '/t''mp/' "${sources[@]}" |
  grep -vE '^tests/.*/t''mp/weft-[a-z]+-XXXXXX' || true)"

# --- who may include whom ---------------------------------------------------------------------
# The build enforces it with include paths; this says it in words, for what the paths let through.
own() { (cd "$1" && ls -- *.h *.def 2>/dev/null) || true; }
# includes FOLDER ALLOWED_FOLDER... [-- FILE...]: headers in quotes that are in none of them
includes() {
  local folder=$1 f h d allowed known
  shift
  allowed=$(for d in "$folder" "$@"; do own "$d"; done
    printf 'tflite_generated.h\npresets.inc\n')
  for f in $(of "^$folder/[^/]*\.(c|cc|h)$"); do
    case $f in driver/model.c | driver/rtl.c) known=$(own sim) ;; *) known= ;; esac
    while read -r h; do
      grep -qxF -- "$h" <<<"$allowed"$'\n'"$known" || echo "$f: $h"
    done < <(sed -nE 's/^#include "([^"]+)".*/\1/p' "$f")
  done
}
rule "arch includes nothing" "$(includes arch)"
rule "kernels include only kernels" "$(includes kernels)"
rule "sim includes only arch" "$(includes sim arch)"
rule "compiler includes only arch and kernels" "$(includes compiler arch kernels)"
rule "driver includes only arch; its model and RTL back ends sim" "$(includes driver arch)"
rule "no two headers share a name" "$(printf '%s\n' "${all[@]}" | grep -E '\.(h|def)$' |
  sed 's|.*/||' | sort | uniq -d)"

# --- documents --------------------------------------------------------------------------------
rule "links between documents lead somewhere" "$(for f in "${documents[@]}"; do
  while read -r to; do
    [ -e "$(dirname "$f")/$to" ] || echo "$f: $to"
  done < <(grep -oP '\]\(\K[^)#]+' "$f" | grep -vE '^[a-z]+:' || true)
done)"

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
