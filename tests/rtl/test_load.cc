// weft_load against the C model: random LOADs of every kind, alone on the DRAM port. With a memory
// of the configuration's latency every start, read address, end, counted cycle and byte must be the
// model's; with a memory of random delays every byte. Then faults, and stopping.
#include "dma_model.h"

#include <deque>

#include "Vtb.h"
#include "verilated.h"

double sc_time_stamp() {
  return 0;
}

namespace {
using namespace dma;

// How the memory behaves.
struct Memory {
  bool exact;  // the configuration's latency, always ready
  int refuse;  // percent of cycles without ARREADY
  int pause;   // percent of cycles without a beat
  int latency; // at most
};

struct Burst {
  uint64_t addr, ready;
  uint32_t beats, sent;
};

struct Fault {
  int cause = 0;
  uint32_t index = 0;
  uint64_t addr = 0;
  int pulses = 0;
};

constexpr uint64_t NONE = ~0ull;

struct Bench {
  Device &d;
  Memory m;
  Vtb top;
  uint64_t now = 0, waiting = NONE; // an address that AR did not take
  std::deque<Burst> reads;
  std::vector<uint8_t> mem[6];
  Times got;
  Fault fault;
  uint64_t bad_beat = NONE; // address of a beat with an error response
  bool stop = false, quiet = false;

  Bench(Device &device, Memory memory) : d(device), m(memory) {
    for (int i = 0; i < 6; i++) mem[i].assign(d.s->mem[i], d.s->mem[i] + d.s->size[i]);
    set_regions(top, d.s);
    top.rst = 1;
    top.insn_valid = top.stop = top.ar_ready = top.r_valid = 0;
    for (int i = 0; i < 2; i++) {
      top.clk = 0;
      top.eval();
      top.clk = 1;
      top.eval();
    }
    top.rst = 0;
  }

  void give_beat() {
    top.r_valid = 0;
    if (reads.empty() || reads[0].ready > now) return;
    if (!m.exact && chance(m.pause)) return;
    Burst &b = reads[0];
    uint64_t at = (b.addr / d.bus + b.sent) * d.bus;
    uint8_t beat[64];
    for (uint32_t i = 0; i < d.bus; i++) beat[i] = at + i < DRAM_BYTES ? d.s->dram[at + i] : 0xee;
    set_port(top.r_data, beat, d.bus);
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
    get_port(top.ld_data, data, sizeof data);
    if (be >> (unit - 1) >> 1) fail_msg("byte enables beyond the word");
    for (size_t i = 0; i < unit; i++) {
      if (!(be >> i & 1)) continue;
      if (at + i >= mem[top.ld_mem].size()) fail_msg("memory %d: byte %zu", top.ld_mem, at + i);
      mem[top.ld_mem][at + i] = data[i];
    }
  }

  // One cycle; true if the instruction was taken.
  bool cycle(const weft_insn *insn, uint32_t index) {
    top.clk = 0;
    top.insn_valid = insn != nullptr;
    if (insn) set_insn(top, *insn, index);
    top.stop = stop;
    top.ar_ready = m.exact || !chance(m.refuse);
    give_beat();
    top.eval();
    bool taken = insn && top.insn_ready;
    if (waiting != NONE && (!top.ar_valid || top.ar_addr != waiting)) fail_msg("AR moves");
    waiting = top.ar_valid && !top.ar_ready ? (uint64_t)top.ar_addr : NONE;
    if (top.ar_valid && top.ar_ready) {
      got.address.push_back(now);
      uint64_t delay = m.exact ? d.s->cfg.dram_latency : (uint64_t)pick(1, m.latency);
      if ((top.ar_addr & 255) / d.bus + top.ar_len >= 256 / d.bus) fail_msg("crosses 256");
      reads.push_back({top.ar_addr, now + delay, (uint32_t)top.ar_len + 1, 0});
    }
    if (top.ld_en) write_word();
    if (top.done) got.end.push_back(now);
    got.moved += top.moved;
    got.active += top.active;
    if (top.fault) {
      fault = {top.fault_cause, top.fault_index, top.fault_addr, fault.pulses + 1};
    }
    quiet = top.quiet;
    if (taken) got.start.push_back(now);
    top.clk = 1;
    top.eval();
    now++;
    return taken;
  }

  void run(const std::vector<weft_insn> &program, const std::vector<uint64_t> &arrive) {
    size_t next = 0;
    for (uint64_t idle = 0; got.end.size() < program.size();) {
      bool there = next < program.size() && now >= arrive[next];
      size_t done = got.moved;
      next += cycle(there ? &program[next] : nullptr, (uint32_t)next);
      if (fault.pulses) {
        describe(program, fault.index);
        fail_msg("fault %d in %u", fault.cause, fault.index);
      }
      idle = got.moved == done ? idle + 1 : 0;
      if (idle > 20000) {
        describe(program, got.end.size());
        fail_msg("hangs after %zu of %zu instructions", got.end.size(), program.size());
      }
    }
    for (int i = 0; i < 5; i++) cycle(nullptr, 0);
  }
};

// --- random LOADs
// ---------------------------------------------------------------------------------
void place(const Device &d, weft_insn_LOAD &in, uint64_t reach) {
  in.region = (uint32_t)pick(0, 7);
  uint64_t room = d.s->limit[in.region] - std::min(reach, d.s->limit[in.region]);
  in.offset = (uint32_t)(rng() % (room + 1));
  if (chance(30)) { // near a multiple of 256
    uint64_t at = d.s->base[in.region] + in.offset;
    uint64_t to = at - at % 256 + (uint64_t)pick(0, 6);
    if (to >= d.s->base[in.region] && to - d.s->base[in.region] <= room)
      in.offset = (uint32_t)(to - d.s->base[in.region]);
  }
}

weft_insn flat_load(const Device &d) {
  weft_insn insn = plain(WEFT_OP_CODE_LOAD);
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
  weft_insn insn = plain(WEFT_OP_CODE_LOAD);
  weft_insn_LOAD &in = insn.LOAD;
  int w = (int)d.w, kind = pick(0, 3);
  bool small = chance(40);
  int rows = small ? pick(1, 3) : pick(1, 6), pixels = small ? pick(1, 3) : pick(1, 20);
  int bytes = small ? pick(1, 8) : pick(1, kind == 2 ? 64 : chance(80) ? 3 * w : 700);
  if (bytes * pixels * rows > 8000) rows = 1;
  if (chance(10)) { // a burst of many rows
    rows = pick(1, 300);
    pixels = pick(1, 3);
    bytes = pick(1, 4);
  }
  int stride = bytes;
  if (kind == 1) stride += pick(1, chance(50) ? 2 * bytes : 300);
  if (kind == 2) stride = pick(0, bytes - 1);
  if (kind == 3) stride = bytes > 64 ? bytes + pick(0, 9) : pick(0, 2 * bytes);
  in.rows = (uint32_t)rows;
  in.pixels = (uint32_t)pixels;
  in.pix_bytes = (uint32_t)bytes;
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

std::vector<weft_insn> random_program(const Device &d, int n, int flat) {
  std::vector<weft_insn> program;
  weft_err err;
  bool tiny = chance(25);
  while ((int)program.size() < n) {
    weft_insn insn = chance(flat) ? flat_load(d) : spad_load(d);
    if (tiny && insn.LOAD.rows * insn.LOAD.pixels * insn.LOAD.pix_bytes > 40) continue;
    if (weft_validate(d.s, &insn, &err) == WEFT_ERROR_NONE) program.push_back(insn);
  }
  return program;
}

void check_bytes(Bench &b, const std::vector<weft_insn> &program, const char *what, int round) {
  for (auto &insn : program) weft_exec_load(b.d.s, &insn.LOAD);
  for (int i = 0; i < 6; i++)
    for (size_t k = 0; k < b.mem[i].size(); k++)
      if (b.mem[i][k] != b.d.s->mem[i][k]) {
        describe(program, 3);
        fail_msg("%s, round %d: memory %d, byte %zu is %02x, the model has %02x", what, round, i, k,
                 b.mem[i][k], b.d.s->mem[i][k]);
      }
}

void same(const std::vector<uint64_t> &got, const std::vector<uint64_t> &want, const char *what,
          const std::vector<weft_insn> &program, int round) {
  for (size_t i = 0; i < std::min(got.size(), want.size()); i++)
    if (got[i] != want[i]) {
      describe(program, i);
      fail_msg("round %d: %s %zu in cycle %llu, the model has %llu", round, what, i,
               (unsigned long long)got[i], (unsigned long long)want[i]);
    }
  if (got.size() != want.size())
    fail_msg("round %d: %zu times %s, the model has %zu", round, got.size(), what, want.size());
}

void compare(Device &d, int rounds, int most, int flat) {
  for (int r = 0; r < rounds; r++) {
    rng.seed((uint64_t)(r * 131 + most * 7 + flat));
    d.randomize();
    auto program = random_program(d, pick(1, most), flat);
    auto arrive = arrivals(program.size());
    Times want = run_model(d.s, program, arrive);
    Bench b(d, {true, 0, 0, 0});
    b.run(program, arrive);
    if (getenv("WEFT_RTL_TRACE"))
      fprintf(stderr, "round %d: %zu LOADs, %llu cycles\n", r, program.size(),
              (unsigned long long)b.now);
    same(b.got.start, want.start, "start", program, r);
    same(b.got.address, want.address, "address", program, r);
    same(b.got.end, want.end, "end", program, r);
    assert_int_equal(b.got.moved, want.moved);
    assert_int_equal(b.got.active, want.active);
    check_bytes(b, program, "exact memory", r);
  }
}

void exact_one(void **) {
  Device d;
  compare(d, 150 * repeat(), 1, 20);
}
void exact_many(void **) {
  Device d;
  compare(d, 150 * repeat(), 40, 20);
}
void exact_flat(void **) {
  Device d;
  compare(d, 60 * repeat(), 12, 100);
}

void random_memory(void **) {
  Device d;
  for (int r = 0; r < 120 * repeat(); r++) {
    rng.seed((uint64_t)(r + 5000));
    d.randomize();
    auto program = random_program(d, pick(1, 30), 20);
    Bench b(d, {false, pick(0, 3) ? pick(0, 95) : 0, pick(0, 3) ? pick(0, 95) : 0, pick(1, 150)});
    b.run(program, arrivals(program.size()));
    assert_int_equal(b.got.start.size(), program.size());
    check_bytes(b, program, "random memory", r);
  }
}

// --- faults
// ----------------------------------------------------------------------------------------- Runs
// until the fault, then stops as the frontend would; returns when the unit is quiet.
void stop_after_fault(Bench &b, const std::vector<weft_insn> &program, int cause, uint32_t index) {
  size_t next = 0;
  for (int i = 0; i < 20000 && !b.fault.pulses; i++)
    next += b.cycle(next < program.size() ? &program[next] : nullptr, (uint32_t)(next + 100));
  assert_int_equal(b.fault.cause, cause);
  assert_int_equal(b.fault.index, index + 100);
  b.stop = true;
  for (int i = 0; i < 20000 && !b.quiet; i++) b.cycle(nullptr, 0);
  assert_true(b.quiet);
  assert_true(b.reads.empty());
  size_t asked = b.got.address.size();
  for (int i = 0; i < 50; i++) b.cycle(nullptr, 0);
  assert_int_equal(b.got.address.size(), asked);
  assert_int_equal(b.fault.pulses, 1);
}

weft_insn good_load(const Device &d) {
  weft_insn insn = plain(WEFT_OP_CODE_LOAD);
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
  weft_err err;
  for (int k = 0; k < 12; k++) {
    d.randomize();
    d.s->base[0] = 1000;
    d.s->limit[0] = 2000;
    std::vector<weft_insn> program(5, good_load(d));
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
      assert_int_equal(weft_validate(d.s, &program[3], &err), cause);
    }
    stop_after_fault(b, program, cause, 3);
    assert_int_equal(b.fault.addr, addr);
  }
}

// Another unit's error: stops between any two cycles.
void stops(void **) {
  Device d;
  for (int r = 0; r < 40 * repeat(); r++) {
    rng.seed((uint64_t)(r + 9000));
    d.randomize();
    auto program = random_program(d, 20, 20);
    Bench b(d, {false, pick(0, 80), pick(0, 80), pick(1, 150)});
    size_t next = 0;
    for (int i = pick(0, 800); i > 0; i--)
      next += b.cycle(next < program.size() ? &program[next] : nullptr, (uint32_t)next);
    b.stop = true;
    for (int i = 0; i < 20000 && !b.quiet; i++) b.cycle(nullptr, 0);
    assert_true(b.quiet && b.reads.empty());
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
