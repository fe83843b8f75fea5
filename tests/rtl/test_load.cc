// weft_load against the C model: random LOADs of every kind, alone on the DRAM port. With a memory
// of the configuration's latency every start, read address, end, counted cycle and byte must be the
// model's; with a memory of random delays every byte. Then faults, and stopping.
#include "dma_bench.h"

namespace {
using namespace bench;

struct Burst {
  uint64_t addr, ready;
  uint32_t beats, sent;
};

struct Bench : Dma {
  std::deque<Burst> reads;
  std::vector<uint8_t> mem[6];
  uint64_t bad_beat = NEVER; // address of a beat with an error response

  Bench(Device &device, Memory memory) : Dma(device, memory) {
    for (int i = 0; i < 6; i++) mem[i].assign(d.s->mem[i], d.s->mem[i] + d.s->size[i]);
    top.ar_ready = top.r_valid = 0;
    reset(top);
  }

  void give_beat() {
    top.r_valid = 0;
    if (reads.empty() || reads[0].ready > now) return;
    if (!m.exact && chance(m.pause)) return;
    Burst &b = reads[0];
    uint64_t at = (b.addr / d.bus + b.sent) * d.bus;
    uint8_t beat[64];
    for (uint32_t i = 0; i < d.bus; i++) beat[i] = at + i < DRAM_BYTES ? d.s->dram[at + i] : 0xee;
    put(top.r_data, beat, d.bus);
    top.r_valid = 1;
    top.r_resp = at == bad_beat ? 2 : 0;
    top.r_last = ++b.sent == b.beats;
    if (top.r_last) reads.pop_front();
  }

  void write_word() {
    static const int unit_of[] = {0, 1, 2, 0, 0, 0};
    size_t unit = unit_of[top.ld_mem] == 1 ? d.s->cfg.cols : unit_of[top.ld_mem] == 2 ? 12 : d.w;
    size_t at = top.ld_addr * unit;
    uint8_t data[64];
    uint64_t be = top.ld_be;
    get(top.ld_data, data, sizeof data);
    if (be >> (unit - 1) >> 1) fail_msg("byte enables beyond the word");
    for (size_t i = 0; i < unit; i++) {
      if (!(be >> i & 1)) continue;
      if (at + i >= mem[top.ld_mem].size()) fail_msg("memory %d: byte %zu", top.ld_mem, at + i);
      mem[top.ld_mem][at + i] = data[i];
    }
  }

  void memories() override {
    top.ar_ready = m.exact || !chance(m.refuse);
    give_beat();
    settle(top);
    uint32_t beats = (uint32_t)top.ar_len + 1;
    if (address(top.ar_valid, top.ar_ready, top.ar_addr, beats)) {
      uint64_t delay = m.exact ? d.s->cfg.dram_latency : (uint64_t)pick(1, m.latency);
      reads.push_back({top.ar_addr, now + delay, beats, 0});
    }
    if (top.ld_en) write_word();
  }
  bool idle() const override { return reads.empty(); }
  void execute(const weft_insn &insn) override { weft_exec_load(d.s, &insn.LOAD); }
  void check_bytes(const char *what) override {
    for (int i = 0; i < 6; i++)
      for (size_t k = 0; k < mem[i].size(); k++)
        if (mem[i][k] != d.s->mem[i][k])
          fail_msg("%s: memory %d, byte %zu is %02x, the model has %02x", what, i, k, mem[i][k],
                   d.s->mem[i][k]);
  }
};

weft_insn flat_load(const Device &d) {
  weft_insn insn = smallest(WEFT_OP_CODE_LOAD);
  weft_insn_LOAD &in = insn.LOAD;
  const weft_config &c = d.s->cfg;
  const uint32_t unit[] = {0, c.cols, 12 * c.cols, d.w, 256, 1024};
  in.dst = (uint32_t)pick(1, 5);
  int units = (int)(d.s->size[in.dst] / unit[in.dst]);
  in.o_base = (uint32_t)(chance(20) ? units - 1 : pick(0, units - 1));
  int room = (int)(d.s->size[in.dst] - in.o_base * unit[in.dst]);
  in.pix_bytes = (uint32_t)(chance(10) ? std::min(room, 20000)
                                       : pick(1, std::min(room, chance(50) ? 100 : 2000)));
  in.row_bytes = in.pix_bytes;
  in.d_pix_stride = chance(50) ? 0 : (uint32_t)pick(0, 5000);
  in.d_row_stride = (uint32_t)pick(0, 5000);
  in.flip = chance(50);
  in.o_ring_start = (uint32_t)pick(0, 4095); // ignored
  in.o_ring_rows = (uint32_t)pick(1, 4095);
  in.o_row_stride = (uint32_t)pick(0, 65535);
  in.o_pix_stride = (uint32_t)pick(0, 4095);
  place(d, in, in.pix_bytes);
  return insn;
}

weft_insn spad_load(const Device &d) {
  weft_insn insn = smallest(WEFT_OP_CODE_LOAD);
  weft_insn_LOAD &in = insn.LOAD;
  int w = (int)d.w, kind = pick(0, 3);
  shape(in, kind == 2 ? 64 : chance(80) ? 3 * w : 700);
  int rows = (int)in.rows, pixels = (int)in.pixels, bytes = (int)in.pix_bytes;
  int stride = bytes;
  if (kind == 1) stride += pick(1, chance(50) ? 2 * bytes : 300);
  if (kind == 2) stride = pick(0, bytes - 1);
  if (kind == 3) stride = bytes > 64 ? bytes + pick(0, 9) : pick(0, 2 * bytes);
  in.d_pix_stride = (uint32_t)stride;
  in.lead = (uint32_t)(kind && chance(50) ? pick(0, chance(80) ? 2 * bytes : 300) : 0);
  int run = (pixels - 1) * stride + bytes;
  in.row_bytes = (uint32_t)(chance(50) ? run : pick(0, run + 20));
  if (chance(5)) in.row_bytes = 0;
  if (stride > bytes && pixels > 1) {
    in.lead = 0;
    in.row_bytes = (uint32_t)(run + pick(0, 20));
  }
  int valid = std::min(std::max(run - (int)in.lead, 0), (int)in.row_bytes);
  in.d_row_stride = (uint32_t)(chance(40)   ? (stride > bytes && pixels > 1 ? run : valid)
                               : chance(60) ? run + pick(0, 40)
                                            : pick(0, run + 1));
  place(d, in, (uint64_t)(rows - 1) * in.d_row_stride + (uint64_t)std::max(run, (int)in.row_bytes));
  in.byte_off = (uint32_t)(chance(50) ? pick(0, chance(80) ? 2 * w : 255) : 0);
  in.fill = chance(50);
  in.flip = chance(50);
  in.pad_value = pick(-128, 127);
  int words = ((int)in.byte_off + bytes + w - 1) / w;
  weft_operand o = operand(d, rows, pixels, words);
  WEFT_SET_OPERAND(in, o, o);
  return insn;
}

weft_insn any_load(const Device &d) {
  return chance(20) ? flat_load(d) : spad_load(d);
}

void exact_one(void **) {
  try_exact<Bench>(150, 1, any_load);
}
void exact_many(void **) {
  try_exact<Bench>(150, 40, any_load);
}
void exact_flat(void **) {
  try_exact<Bench>(60, 12, flat_load);
}
void random_memory(void **) {
  try_random_memory<Bench>(120, any_load);
}
void stops(void **) {
  try_stops<Bench>(40, any_load);
}

weft_insn good_load(const Device &d) {
  weft_insn insn = smallest(WEFT_OP_CODE_LOAD);
  insn.LOAD.rows = 2;
  insn.LOAD.pixels = 4;
  insn.LOAD.pix_bytes = insn.LOAD.d_pix_stride = 20;
  insn.LOAD.row_bytes = insn.LOAD.d_row_stride = 80;
  insn.LOAD.o_pix_stride = (20 + d.w - 1) / d.w;
  insn.LOAD.o_row_stride = 4 * insn.LOAD.o_pix_stride;
  insn.LOAD.o_ring_rows = 2;
  return insn;
}

void faults(void **) {
  Device d;
  rng.seed(99);
  for (int k = 0; k < 12; k++) {
    d.randomize();
    d.s->base[0] = 1000;
    d.s->limit[0] = 2000;
    Program program(5, good_load(d));
    weft_insn_LOAD &in = program[3].LOAD;
    int cause = WEFT_ERROR_ILLEGAL;
    uint64_t addr = 0;
    switch (k) {
    case 0: in.decoder = WEFT_DEC_INT4; break;
    case 1: in.o_ring_start = 2; break;
    case 2: in.o_pix_stride = in.o_pix_stride - 1; break;
    case 3: in.d_pix_stride = 70, in.pix_bytes = 80; break;
    case 4: in.d_pix_stride = 30, in.lead = 1, in.row_bytes = 1000; break;
    case 5: in.dst = WEFT_MEM_WEIGHT; break;
    case 6:
      in.dst = WEFT_MEM_PARAM, in.rows = in.pixels = 1, in.row_bytes = in.pix_bytes;
      in.o_base = weft_param_blocks(&d.s->cfg);
      break;
    case 7: in.o_base = weft_spad_words(&d.s->cfg) - 3; break;
    case 8: in.offset = 1999, cause = WEFT_ERROR_WINDOW, addr = 1000 + 1999; break;
    case 9: in.offset = 2001, cause = WEFT_ERROR_WINDOW, addr = 1000 + 2001; break;
    case 10: in.d_row_stride = 3000, cause = WEFT_ERROR_WINDOW, addr = 1000 + 3000; break;
    default: break;
    }
    Bench b(d, {false, 20, 50, 60});
    if (k == 11) { // a bad beat in the middle of the fourth one's data
      cause = WEFT_ERROR_AXI;
      in.offset = 1100;
      addr = 2100;
      b.bad_beat = addr / d.bus * d.bus;
    } else {
      assert_int_equal(verdict(d.s, program[3]), cause);
    }
    b.expect_fault(program, cause, 3, addr);
  }
}
} // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(exact_one),     cmocka_unit_test(exact_many), cmocka_unit_test(exact_flat),
      cmocka_unit_test(random_memory), cmocka_unit_test(faults),     cmocka_unit_test(stops),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
