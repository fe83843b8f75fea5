// The C model's DMA engines alone, for the tests of weft_load and weft_store: a device, a list of
// LOADs or STOREs that arrive when the test says, and the cycles in which the model starts and ends
// them and asks for addresses. No fetch, no other unit: the DRAM port is theirs.
#ifndef WEFT_TESTS_RTL_DMA_MODEL_H
#define WEFT_TESTS_RTL_DMA_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <algorithm>
#include <random>
#include <vector>
extern "C" {
#include <cmocka.h>
#include "timing.h"
}

namespace dma {

inline std::mt19937_64 rng(1);
inline int pick(int lo, int hi) {
  return lo + (int)(rng() % (uint64_t)(hi - lo + 1));
}
inline bool chance(int percent) {
  return pick(0, 99) < percent;
}

inline int repeat() {
  const char *count = getenv("WEFT_RTL_COUNT");
  return count ? atoi(count) : 1;
}

constexpr size_t DRAM_BYTES = 1 << 18;

struct Device {
  weft_sim *s;
  uint32_t w, bus;
  // PRESET names a preset, or the ini file that the module was made for.
  Device() {
    weft_err err = {""};
    weft_config cfg;
    weft_config_default(&cfg);
    if (weft_config_preset(&cfg, PRESET, &err) != WEFT_OK &&
        weft_config_file(&cfg, PRESET, &err) != WEFT_OK)
      fail_msg("%s", err.text);
    s = weft_sim_new(&cfg, DRAM_BYTES, &err);
    if (!s) fail_msg("%s", err.text);
    w = s->w;
    bus = cfg.dram_bytes;
  }
  ~Device() { weft_sim_free(s); }
  void randomize() {
    for (size_t i = 0; i < DRAM_BYTES; i++) s->dram[i] = (uint8_t)rng();
    for (int m = 0; m < 6; m++)
      for (size_t i = 0; i < s->size[m]; i++) s->mem[m][i] = (uint8_t)rng();
    for (int r = 0; r < 8; r++) {
      s->base[r] = (uint64_t)pick(0, DRAM_BYTES / 4);
      s->limit[r] = DRAM_BYTES - s->base[r] - (uint64_t)pick(0, DRAM_BYTES / 8);
    }
  }
};

// An instruction with every field at its smallest value.
inline weft_insn plain(int opcode) {
  weft_insn insn;
  memset(&insn, 0, sizeof insn);
  const weft_insn_info *info = weft_insn_lookup((uint32_t)opcode);
  for (int i = 0; i < info->n_fields; i++) {
    const weft_field *f = &info->field[i];
    uint32_t v = f->is_signed ? 0 : f->min;
    memcpy((char *)&insn + f->offset, &v, sizeof v);
  }
  insn.opcode = (uint32_t)opcode;
  return insn;
}

inline weft_operand operand(const Device &d, int rows, int pixels, int words) {
  int total = (int)weft_spad_words(&d.s->cfg);
  for (bool exact = chance(70);; exact = false) {
    weft_operand o;
    int ring = exact ? rows + pick(0, 3) : pick(1, rows + 3);
    o.pix_stride = (uint32_t)(words + pick(0, 2));
    o.row_stride = (uint32_t)pixels * o.pix_stride + (uint32_t)pick(0, 3);
    o.ring_rows = (uint32_t)ring;
    o.ring_start = (uint32_t)pick(0, ring - 1);
    int span = ring * (int)o.row_stride;
    if (span > total) continue;
    o.base = (uint32_t)pick(0, total - span);
    return o;
  }
}

struct Times {
  std::vector<uint64_t> start, end;
  std::vector<uint64_t> address; // cycles of LOAD's read addresses
  uint64_t moved = 0, active = 0;
};

// Times of instructions (all LOAD or all STORE) that reach the unit's empty queue at `arrive`.
inline Times run_model(weft_sim *s, const std::vector<weft_insn> &program,
                       const std::vector<uint64_t> &arrive) {
  size_t n = program.size();
  int unit = weft_insn_unit(program[0].opcode);
  weft_err err = {""};
  std::vector<weft_insn_time> time(n);
  s->insn = (weft_insn *)realloc(s->insn, n * sizeof *s->insn);
  memcpy(s->insn, program.data(), n * sizeof *s->insn);
  memset(s->counter, 0, sizeof s->counter);
  timing *t = (timing *)calloc(1, sizeof *t);
  t->s = s;
  t->n = t->fetched = n; // nothing to fetch
  t->time = time.data();
  t->err = &err;
  weft_dram_init(&t->dram, s->cfg.dram_bytes, s->cfg.dram_latency, s->cfg.dram_turnaround);
  for (size_t i = 0; i < n; i++) time[i] = {arrive[i], WEFT_NEVER, WEFT_NEVER, WEFT_NEVER};
  Times r;
  size_t next = 0;
  for (;;) {
    uint64_t begin = WEFT_NEVER;
    if (next < n && t->unit[unit].free != WEFT_NEVER) {
      begin = std::max(arrive[next], t->unit[unit].free);
      if (unit == WEFT_UNIT_LOAD) {
        uint64_t may = load_may_start(t);
        begin = may == WEFT_NEVER ? may : std::max(begin, may);
      }
    }
    uint64_t ask = port_address_time(t), grant = port_grant_time(t);
    uint64_t now = std::min(begin, std::min(ask, grant));
    if (now == WEFT_NEVER) break;
    if (begin == now) {
      time[next].start = now;
      if (unit == WEFT_UNIT_LOAD)
        load_start(t, next++, now);
      else
        store_start(t, next++, now);
    } else if (ask == now) {
      port_issue_address(t, now);
      r.address.push_back(now);
    } else {
      port_grant(t, now);
    }
  }
  for (size_t i = 0; i < n; i++) {
    if (time[i].end == WEFT_NEVER) fail_msg("the model does not end instruction %zu", i);
    r.start.push_back(time[i].start);
    r.end.push_back(time[i].end);
  }
  r.moved = s->counter[unit].busy;
  r.active = s->counter[unit].stall_dram; // moved not taken off yet
  free(t);
  return r;
}

inline std::vector<uint64_t> arrivals(size_t n) {
  std::vector<uint64_t> at(n);
  uint64_t now = (uint64_t)pick(0, 5);
  int gap = pick(0, 3) ? 0 : pick(0, 300);
  for (auto &a : at) {
    a = now;
    now += 1 + (uint64_t)pick(0, gap);
  }
  return at;
}

// A value of any width at a port of the Verilated module, little-endian.
template <class T> void set_port(T &port, const void *bytes, size_t n) {
  memset(&port, 0, sizeof port);
  memcpy(&port, bytes, std::min(n, sizeof port));
}
template <class T> void get_port(const T &port, void *bytes, size_t n) {
  memcpy(bytes, &port, std::min(n, sizeof port));
}

template <class Top> void set_insn(Top &top, const weft_insn &insn, uint32_t index) {
  uint8_t code[WEFT_INSN_BYTES];
  weft_err err = {""};
  if (weft_encode(&insn, code, &err) != WEFT_OK) fail_msg("%s", err.text);
  set_port(top.insn, code, sizeof code);
  top.insn_index = index;
}

template <class Top> void set_regions(Top &top, const weft_sim *s) {
  set_port(top.region_base, s->base, 64);
  set_port(top.region_size, s->limit, 64);
}

inline void describe(const std::vector<weft_insn> &program, size_t around) {
  for (size_t i = around < 3 ? 0 : around - 3; i < program.size() && i <= around + 1; i++) {
    char text[1024];
    weft_disasm(&program[i], text, sizeof text);
    fprintf(stderr, "  %zu: %s\n", i, text);
  }
}

} // namespace dma

#endif
