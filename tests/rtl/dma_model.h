// The C model's DMA engines alone, for the tests of weft_load and weft_store: a device, a list of
// LOADs or STOREs that arrive when the test says, and the cycles in which the model starts and ends
// them and asks for addresses. No fetch, no other unit: the DRAM port is theirs.
#ifndef WEFT_TESTS_RTL_DMA_MODEL_H
#define WEFT_TESTS_RTL_DMA_MODEL_H

#include "bench.h"
extern "C" {
#include "timing.h"
}

namespace bench {

using Program = std::vector<weft_insn>; // all LOAD or all STORE

constexpr size_t DRAM_BYTES = 1 << 18;

struct Device {
  weft_sim *s = model(configuration(), DRAM_BYTES);
  uint32_t w = s->w, bus = s->cfg.dram_bytes;
  ~Device() { weft_sim_free(s); }
  void randomize() {
    bench::randomize(s->dram, DRAM_BYTES);
    for (int m = 0; m < 6; m++) bench::randomize(s->mem[m], s->size[m]);
    for (int r = 0; r < 8; r++) {
      s->base[r] = (uint64_t)pick(0, DRAM_BYTES / 4);
      s->limit[r] = DRAM_BYTES - s->base[r] - (uint64_t)pick(0, DRAM_BYTES / 8);
    }
  }
};

// Where an instruction that reaches so far may begin in DRAM; often near a multiple of 256.
template <class I> void place(const Device &d, I &in, uint64_t reach) {
  in.region = (uint32_t)pick(0, 7);
  uint64_t base = d.s->base[in.region], limit = d.s->limit[in.region];
  uint64_t room = limit - std::min(reach, limit);
  in.offset = (uint32_t)(rng() % (room + 1));
  uint64_t near = (base + in.offset) / 256 * 256 + (uint64_t)pick(0, 6);
  if (chance(30) && near >= base && near - base <= room) in.offset = (uint32_t)(near - base);
}

// Rows, pixels and bytes of a pixel: small ones, larger ones, bursts of many rows.
template <class I> void shape(I &in, int bytes_at_most) {
  bool small = chance(40);
  int rows = small ? pick(1, 3) : pick(1, 6), pixels = small ? pick(1, 3) : pick(1, 20);
  int bytes = pick(1, small ? 8 : bytes_at_most);
  if (bytes * pixels * rows > 8000) rows = 1;
  if (chance(10)) {
    rows = pick(1, 300);
    pixels = pick(1, 3);
    bytes = pick(1, 4);
  }
  in.rows = (uint32_t)rows;
  in.pixels = (uint32_t)pixels;
  in.pix_bytes = (uint32_t)bytes;
}

inline uint32_t bytes_of(const weft_insn &insn) {
  return insn.opcode == WEFT_OP_CODE_LOAD
             ? insn.LOAD.rows * insn.LOAD.pixels * insn.LOAD.pix_bytes
             : insn.STORE.rows * insn.STORE.pixels * insn.STORE.pix_bytes;
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

struct DmaTimes {
  std::vector<uint64_t> start, end;
  std::vector<uint64_t> address; // cycles of LOAD's read addresses
  uint64_t moved = 0, active = 0;
};

// Times of instructions (all LOAD or all STORE) that reach the unit's empty queue at `arrive`.
inline DmaTimes run_model(weft_sim *s, const Program &program,
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
  DmaTimes r;
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

inline void describe(const Program &program, size_t around) {
  for (size_t i = around < 3 ? 0 : around - 3; i < program.size() && i <= around + 1; i++)
    print_error("  %zu: %s\n", i, text(program[i]).c_str());
}

} // namespace bench

#endif
