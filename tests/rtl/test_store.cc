// weft_store against the C model: random STOREs, alone on the DRAM port. With a memory of the
// configuration's times every start, end, counted cycle and byte must be the model's, and bursts
// must follow each other on W without a gap; with a memory of random delays every byte. Then
// faults, and stopping.
#include "dma_model.h"

#include <deque>

#include "Vtb.h"
#include "verilated.h"

double sc_time_stamp() {
  return 0;
}

namespace {
using namespace dma;

struct Memory {
  bool exact; // the configuration's times, always ready
  int refuse; // percent of cycles without AWREADY
  int pause;  // percent of cycles without WREADY
  int answer; // cycles to the response, at most
};

struct Burst {
  uint64_t addr, begin;
  uint32_t beats, taken;
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
  uint64_t now = 0, bus_free = 0, last_answer = 0;
  std::deque<Burst> writes;     // addresses whose data are not all there
  std::deque<uint64_t> answers; // cycles of the responses to come
  std::vector<uint8_t> dram;
  uint64_t waiting = NONE;   // an address that AW did not take
  std::vector<uint8_t> held; // a beat that W did not take
  Times got;
  Fault fault;
  int bad_answer = -1; // number of the response that is an error
  int answered = 0;
  bool stop = false, quiet = false;
  struct Read {
    bool en;
    uint32_t addr;
  } read[2] = {};
  std::vector<uint64_t> asked;            // addresses on AW
  std::deque<std::vector<uint8_t>> beats; // taken on W, not matched with an address: data, strobes

  Bench(Device &device, Memory memory) : d(device), m(memory) {
    dram.assign(d.s->dram, d.s->dram + DRAM_BYTES);
    set_regions(top, d.s);
    top.rst = 1;
    top.insn_valid = top.stop = top.aw_ready = top.w_ready = top.b_valid = 0;
    for (int i = 0; i < 2; i++) {
      top.clk = 0;
      top.eval();
      top.clk = 1;
      top.eval();
    }
    top.rst = 0;
  }

  void give_word() { // T_SPAD_READ = 2; anything in other cycles
    std::vector<uint8_t> word(d.w);
    for (auto &b : word) b = (uint8_t)rng();
    if (read[1].en) memcpy(word.data(), d.s->mem[WEFT_MEM_SPAD] + (size_t)read[1].addr * d.w, d.w);
    set_port(top.rd_data, word.data(), d.w);
  }

  void take_address() {
    if (waiting != NONE && (!top.aw_valid || top.aw_addr != waiting)) fail_msg("AW moves");
    waiting = top.aw_valid && !top.aw_ready ? (uint64_t)top.aw_addr : NONE;
    if (!top.aw_valid || !top.aw_ready) return;
    uint32_t beats = (uint32_t)top.aw_len + 1;
    if ((top.aw_addr & 255) / d.bus + beats > 256 / d.bus) fail_msg("crosses 256");
    asked.push_back(top.aw_addr);
    writes.push_back({top.aw_addr, std::max(now, bus_free), beats, 0});
    bus_free = writes.back().begin + beats;
  }

  void take_beat() {
    bool expected = m.exact && !writes.empty() && now >= writes[0].begin;
    if (expected && !top.w_valid) fail_msg("cycle %llu: no beat", (unsigned long long)now);
    if (!held.empty() && !top.w_valid) fail_msg("W drops a beat");
    if (!top.w_valid) return;
    std::vector<uint8_t> beat(d.bus + 9);
    get_port(top.w_data, beat.data(), d.bus);
    uint64_t strb = top.w_strb;
    memcpy(beat.data() + d.bus, &strb, 8);
    beat[d.bus + 8] = top.w_last;
    if (!held.empty() && held != beat) fail_msg("W moves");
    held.clear();
    (top.w_ready ? beats.emplace_back() : held) = beat;
  }

  // Beats and addresses meet.
  void store_beats() {
    while (!beats.empty() && !writes.empty()) {
      Burst &b = writes[0];
      uint64_t at = (b.addr / d.bus + b.taken) * d.bus, strb;
      memcpy(&strb, beats[0].data() + d.bus, 8);
      for (uint32_t i = 0; i < d.bus; i++) {
        if (!(strb >> i & 1)) continue;
        if (at + i >= DRAM_BYTES || at + i < b.addr)
          fail_msg("byte %llu", (unsigned long long)(at + i));
        dram[at + i] = beats[0][i];
      }
      bool last = ++b.taken == b.beats;
      if (last != (bool)beats[0][d.bus + 8]) fail_msg("w_last");
      beats.pop_front();
      if (last) {
        uint64_t delay = m.exact ? 1 + WEFT_T_DRAM_WRITE : (uint64_t)pick(1, m.answer);
        last_answer = std::max(last_answer + 1, now + delay);
        answers.push_back(last_answer);
        writes.pop_front();
      }
    }
  }

  bool cycle(const weft_insn *insn, uint32_t index) {
    top.clk = 0;
    top.insn_valid = insn != nullptr;
    if (insn) set_insn(top, *insn, index);
    top.stop = stop;
    top.aw_ready = m.exact || !chance(m.refuse);
    top.b_valid = !answers.empty() && answers[0] <= now;
    top.b_resp = 0;
    if (top.b_valid) {
      answers.pop_front();
      if (answered++ == bad_answer) top.b_resp = 2;
    }
    give_word();
    top.w_ready = 0;
    top.eval();
    take_address();
    // the memory takes data when the bus is the burst's
    top.w_ready = m.exact ? !writes.empty() && now >= writes[0].begin : !chance(m.pause);
    top.eval();
    take_beat();
    store_beats();
    bool taken = insn && top.insn_ready;
    read[1] = read[0];
    read[0] = {(bool)top.rd_en, (uint32_t)top.rd_addr};
    if (top.rd_en && top.rd_addr >= weft_spad_words(&d.s->cfg)) fail_msg("reads outside");
    if (top.done) got.end.push_back(now);
    got.moved += top.moved;
    got.active += top.active;
    if (top.fault) fault = {top.fault_cause, top.fault_index, top.fault_addr, fault.pulses + 1};
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
      size_t before = got.moved + got.end.size();
      next += cycle(there ? &program[next] : nullptr, (uint32_t)next);
      if (fault.pulses) {
        describe(program, fault.index);
        fail_msg("fault %d in %u", fault.cause, fault.index);
      }
      idle = got.moved + got.end.size() == before ? idle + 1 : 0;
      if (idle > 20000) {
        describe(program, got.end.size());
        fail_msg("hangs after %zu of %zu instructions", got.end.size(), program.size());
      }
    }
    for (int i = 0; i < 5; i++) cycle(nullptr, 0);
    if (!writes.empty() || !answers.empty() || !beats.empty()) fail_msg("bursts are left");
  }
};

weft_insn random_store(const Device &d) {
  weft_insn insn = plain(WEFT_OP_CODE_STORE);
  weft_insn_STORE &in = insn.STORE;
  int w = (int)d.w;
  bool small = chance(40);
  int rows = small ? pick(1, 3) : pick(1, 6), pixels = small ? pick(1, 3) : pick(1, 20);
  int bytes = small ? pick(1, 8) : pick(1, chance(80) ? 3 * w : 700);
  if (bytes * pixels * rows > 8000) rows = 1;
  if (chance(10)) { // a burst of many rows
    rows = pick(1, 300);
    pixels = pick(1, 3);
    bytes = pick(1, 4);
  }
  int stride = chance(60) ? bytes : chance(50) ? pick(0, 3 * bytes) : bytes + pick(0, 300);
  int run = (pixels - 1) * stride + bytes;
  in.rows = (uint32_t)rows;
  in.pixels = (uint32_t)pixels;
  in.pix_bytes = (uint32_t)bytes;
  in.d_pix_stride = (uint32_t)stride;
  in.d_row_stride = (uint32_t)(chance(50) ? run : pick(0, 2 * run));
  uint64_t reach = (uint64_t)(rows - 1) * in.d_row_stride + (uint64_t)run;
  in.region = (uint32_t)pick(0, 7);
  uint64_t room = d.s->limit[in.region] - std::min(reach, d.s->limit[in.region]);
  in.offset = (uint32_t)(rng() % (room + 1));
  if (chance(30)) { // near a multiple of 256
    uint64_t at = d.s->base[in.region] + in.offset;
    uint64_t to = at - at % 256 + (uint64_t)pick(0, 6);
    if (to >= d.s->base[in.region] && to - d.s->base[in.region] <= room)
      in.offset = (uint32_t)(to - d.s->base[in.region]);
  }
  in.byte_off = (uint32_t)(chance(50) ? pick(0, chance(80) ? 2 * w : 255) : 0);
  in.flip = chance(50);
  int words = ((int)in.byte_off + bytes + w - 1) / w;
  weft_operand a = operand(d, rows, pixels, words);
  WEFT_SET_OPERAND(in, a, a);
  return insn;
}

std::vector<weft_insn> random_program(const Device &d, int n) {
  std::vector<weft_insn> program;
  weft_err err;
  bool tiny = chance(25);
  while ((int)program.size() < n) {
    weft_insn insn = random_store(d);
    if (tiny && insn.STORE.rows * insn.STORE.pixels * insn.STORE.pix_bytes > 40) continue;
    if (weft_validate(d.s, &insn, &err) == WEFT_ERROR_NONE) program.push_back(insn);
  }
  return program;
}

void check_bytes(Bench &b, const std::vector<weft_insn> &program, const char *what, int round) {
  for (auto &insn : program) weft_exec_store(b.d.s, &insn.STORE);
  for (size_t k = 0; k < DRAM_BYTES; k++)
    if (b.dram[k] != b.d.s->dram[k]) {
      describe(program, 3);
      fail_msg("%s, round %d: byte %zu is %02x, the model has %02x", what, round, k, b.dram[k],
               b.d.s->dram[k]);
    }
}

void same(const std::vector<uint64_t> &got, const std::vector<uint64_t> &want, const char *what,
          const std::vector<weft_insn> &program, int round) {
  for (size_t i = 0; i < std::min(got.size(), want.size()); i++)
    if (got[i] != want[i]) {
      describe(program, i);
      fail_msg("round %d: %s of %zu in cycle %llu, the model has %llu", round, what, i,
               (unsigned long long)got[i], (unsigned long long)want[i]);
    }
  if (got.size() != want.size())
    fail_msg("round %d: %zu times %s, the model has %zu", round, got.size(), what, want.size());
}

void compare(Device &d, int rounds, int most) {
  for (int r = 0; r < rounds; r++) {
    rng.seed((uint64_t)(r * 131 + most * 7));
    d.randomize();
    auto program = random_program(d, pick(1, most));
    auto arrive = arrivals(program.size());
    Times want = run_model(d.s, program, arrive);
    Bench b(d, {true, 0, 0, 0});
    b.run(program, arrive);
    if (getenv("WEFT_RTL_TRACE"))
      fprintf(stderr, "round %d: %zu STOREs, %llu cycles\n", r, program.size(),
              (unsigned long long)b.now);
    same(b.got.start, want.start, "start", program, r);
    same(b.got.end, want.end, "end", program, r);
    assert_int_equal(b.got.moved, want.moved);
    assert_int_equal(b.got.active, want.active);
    check_bytes(b, program, "exact memory", r);
  }
}

void exact_one(void **) {
  Device d;
  compare(d, 150 * repeat(), 1);
}
void exact_many(void **) {
  Device d;
  compare(d, 150 * repeat(), 40);
}

void random_memory(void **) {
  Device d;
  for (int r = 0; r < 150 * repeat(); r++) {
    rng.seed((uint64_t)(r + 5000));
    d.randomize();
    auto program = random_program(d, pick(1, 30));
    Bench b(d, {false, pick(0, 3) ? pick(0, 95) : 0, pick(0, 3) ? pick(0, 95) : 0,
                chance(50) ? pick(1, 30) : pick(1, 300)});
    b.run(program, arrivals(program.size()));
    assert_int_equal(b.got.start.size(), program.size());
    check_bytes(b, program, "random memory", r);
  }
}

// --- faults
// ---------------------------------------------------------------------------------------
void stop_after_fault(Bench &b, const std::vector<weft_insn> &program, int cause, uint32_t index) {
  size_t next = 0;
  for (int i = 0; i < 20000 && !b.fault.pulses; i++)
    next += b.cycle(next < program.size() ? &program[next] : nullptr, (uint32_t)(next + 100));
  assert_int_equal(b.fault.cause, cause);
  assert_int_equal(b.fault.index, index + 100);
  b.stop = true;
  for (int i = 0; i < 20000 && !b.quiet; i++) b.cycle(nullptr, 0);
  assert_true(b.quiet);
  assert_true(b.writes.empty() && b.answers.empty() && b.beats.empty());
  size_t asked = b.asked.size();
  for (int i = 0; i < 50; i++) b.cycle(nullptr, 0);
  assert_int_equal(b.asked.size(), asked);
  assert_int_equal(b.fault.pulses, 1);
}

void faults(void **) {
  Device d;
  rng.seed(99);
  weft_err err;
  for (int k = 0; k < 6; k++) {
    d.randomize();
    d.s->base[0] = 1000;
    d.s->limit[0] = 2000;
    weft_insn good = plain(WEFT_OP_CODE_STORE);
    good.STORE.rows = 2;
    good.STORE.pixels = 4;
    good.STORE.pix_bytes = good.STORE.d_pix_stride = 20;
    good.STORE.d_row_stride = 80;
    good.STORE.a_pix_stride = (20 + d.w - 1) / d.w;
    good.STORE.a_row_stride = 4 * good.STORE.a_pix_stride;
    good.STORE.a_ring_rows = 2;
    std::vector<weft_insn> program(5, good);
    weft_insn_STORE &in = program[3].STORE;
    int cause = WEFT_ERROR_ILLEGAL;
    uint64_t addr = 0;
    switch (k) {
    case 0: in.a_ring_start = 2; break;
    case 1: in.a_base = weft_spad_words(&d.s->cfg) - 3; break;
    case 2: in.offset = 2001, cause = WEFT_ERROR_WINDOW, addr = 1000 + 2001; break;
    case 3: in.d_row_stride = 3000, cause = WEFT_ERROR_WINDOW, addr = 1000 + 3000; break;
    case 4: in.a_row_stride = 65535; break;
    default: break;
    }
    Bench b(d, {false, 20, 50, 60});
    if (k == 5) {
      cause = WEFT_ERROR_AXI;
      in.offset = 1100;
      b.bad_answer = 6; // every STORE before it has two bursts
      addr = 2100;
    } else {
      assert_int_equal(weft_validate(d.s, &program[3], &err), cause);
    }
    stop_after_fault(b, program, cause, 3);
    assert_int_equal(b.fault.addr, addr);
    for (uint64_t a : b.asked) // nothing beyond the region went out
      assert_true(a < 3000);
  }
}

void stops(void **) {
  Device d;
  for (int r = 0; r < 40 * repeat(); r++) {
    rng.seed((uint64_t)(r + 9000));
    d.randomize();
    auto program = random_program(d, 20);
    Bench b(d, {false, pick(0, 80), pick(0, 80), pick(1, 150)});
    size_t next = 0;
    for (int i = pick(0, 800); i > 0; i--)
      next += b.cycle(next < program.size() ? &program[next] : nullptr, (uint32_t)next);
    b.stop = true;
    for (int i = 0; i < 20000 && !b.quiet; i++) b.cycle(nullptr, 0);
    assert_true(b.quiet && b.writes.empty() && b.answers.empty() && b.beats.empty());
  }
}
} // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(exact_one), cmocka_unit_test(exact_many), cmocka_unit_test(random_memory),
      cmocka_unit_test(faults),    cmocka_unit_test(stops),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
