// What the tests of RTL modules share: random numbers, the configuration, the ports and the clock
// of a Verilated module, instructions, and the times that a unit's instructions must take.
//
// Environment: WEFT_RTL_COUNT multiplies what is tried; WEFT_RTL_INI names an ini file over the
// preset, for a module that was made with its constants.
#ifndef WEFT_TESTS_RTL_BENCH_H
#define WEFT_TESTS_RTL_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <vector>
extern "C" {
#include <cmocka.h>
#include "config.h"
#include "isa.h"
#include "occupancy.h"
#include "state.h"
}
#include "Vtb.h"
#include "verilated.h"

namespace bench {

using ull = unsigned long long; // for printing
constexpr uint64_t NEVER = UINT64_MAX;

// --- random numbers -----------------------------------------------------------------------------
inline std::mt19937_64 rng(1);
// Both included.
inline int pick(int lo, int hi) {
  return (int)(lo + (int64_t)(rng() % (uint64_t)((int64_t)hi - lo + 1)));
}
inline uint32_t below(uint32_t n) {
  return n ? (uint32_t)(rng() % n) : 0;
}
inline uint32_t random32() {
  return (uint32_t)(rng() >> 16);
}
inline bool chance(int percent) {
  return pick(0, 99) < percent;
}
inline bool one_in(int n) {
  return pick(1, n) == 1;
}
inline void randomize(void *to, size_t n) {
  for (size_t i = 0; i < n; i += 8) {
    uint64_t v = rng();
    memcpy((char *)to + i, &v, std::min<size_t>(8, n - i));
  }
}

// --- environment --------------------------------------------------------------------------------
inline int number(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text ? (int)strtol(text, nullptr, 0) : otherwise;
}
inline int count() {
  return number("WEFT_RTL_COUNT", 1);
}
inline weft_config configuration() {
  weft_config cfg;
  weft_err err = {""};
  if (weft_config_preset(&cfg, PRESET, &err) != WEFT_OK) fail_msg("%s", err.text);
  const char *ini = getenv("WEFT_RTL_INI");
  if (ini && weft_config_file(&cfg, ini, &err) != WEFT_OK) fail_msg("%s", err.text);
  if (weft_config_check(&cfg, &err) != WEFT_OK) fail_msg("%s", err.text);
  return cfg;
}
// A device of the C model.
inline weft_sim *model(const weft_config &cfg, size_t dram_bytes) {
  weft_err err = {""};
  weft_sim *s = weft_sim_new(&cfg, dram_bytes, &err);
  if (!s) fail_msg("%s", err.text);
  return s;
}

// --- the module ---------------------------------------------------------------------------------
// Ports by their bytes, whatever type Verilator gave them (little-endian words).
template <class T> void put(T &port, const void *bytes, size_t n) {
  memset(&port, 0, sizeof port);
  memcpy(&port, bytes, std::min(n, sizeof port));
}
template <class T> void get(const T &port, void *bytes, size_t n) {
  memcpy(bytes, &port, std::min(n, sizeof port));
}

// A cycle: inputs are set, settle(), outputs are valid, edge().
inline void settle(Vtb &top) {
  top.clk = 0;
  top.eval();
}
inline void edge(Vtb &top) {
  top.clk = 1;
  top.eval();
}
inline void reset(Vtb &top) {
  top.rst = 1;
  for (int i = 0; i < 3; i++) {
    settle(top);
    edge(top);
  }
  top.rst = 0;
}

// --- instructions -------------------------------------------------------------------------------
// An instruction with every field at its smallest value, signed ones at 0.
inline weft_insn smallest(int opcode) {
  weft_insn insn;
  memset(&insn, 0, sizeof insn);
  const weft_insn_info *info = weft_insn_lookup((uint32_t)opcode);
  for (int i = 0; i < info->n_fields; i++) {
    const weft_field *f = &info->field[i];
    uint32_t v = f->is_signed ? 0 : f->min;
    memcpy((char *)&insn + f->offset, &v, sizeof v);
  }
  insn.opcode = (uint32_t)opcode;
  insn.wait = insn.post = 0;
  return insn;
}
inline std::string text(const weft_insn &insn) {
  char line[1024];
  weft_disasm(&insn, line, sizeof line);
  return line;
}
inline void encode(const weft_insn &insn, uint8_t code[WEFT_INSN_BYTES]) {
  weft_err err = {""};
  if (weft_encode(&insn, code, &err) != WEFT_OK) fail_msg("%s: %s", text(insn).c_str(), err.text);
}
// What the C model says of an instruction: a WEFT_ERROR_*, or -1 if a field is out of its range.
inline int verdict(weft_sim *sim, const weft_insn &insn) {
  weft_err err = {""};
  uint8_t code[WEFT_INSN_BYTES];
  return weft_encode(&insn, code, &err) != WEFT_OK ? -1 : (int)weft_validate(sim, &insn, &err);
}

// An instruction at a unit's port, or none and rubbish.
template <class Top> void offer(Top &top, const weft_insn *insn, uint32_t index) {
  uint8_t code[WEFT_INSN_BYTES];
  if (insn)
    encode(*insn, code);
  else
    randomize(code, sizeof code);
  top.insn_valid = insn != nullptr;
  put(top.insn, code, sizeof code);
  top.insn_index = insn ? index : random32();
}

struct Times {
  uint64_t start, begin, stream_end, end;
};
// When the instructions of a unit start, stream and end, by the rules of docs/microarchitecture.md.
struct Schedule {
  uint64_t free = 0; // from then on the next one may start
  Times last = {};
  Times start(const weft_occupancy &o, uint64_t t) {
    last.start = t;
    last.begin = std::max(t + o.prepare, last.stream_end);
    free = last.begin + o.release;
    last.stream_end = last.begin + o.stream;
    last.end = std::max(last.stream_end + o.drain, last.end + 1);
    return last;
  }
};

} // namespace bench

#endif
