// weft_store against the C model: random STOREs, alone on the DRAM port. With a memory of the
// configuration's times every start, end, counted cycle and byte must be the model's, and bursts
// must follow each other on W without a gap; with a memory of random delays every byte. Then
// faults, and stopping.
#include "dma_bench.h"

namespace {
using namespace bench;

struct Burst {
  uint64_t addr, begin;
  uint32_t beats, taken;
};

struct Bench : Dma {
  uint64_t bus_free = 0, last_answer = 0;
  std::deque<Burst> writes;               // addresses whose data are not all there
  std::deque<uint64_t> answers;           // cycles of the responses to come
  std::vector<uint64_t> asked;            // addresses on AW
  std::vector<uint8_t> held;              // a beat that W did not take
  std::deque<std::vector<uint8_t>> beats; // taken on W, not matched with an address: data, strobes
  std::vector<uint8_t> dram;
  int bad_answer = -1; // number of the response that is an error
  int answered = 0;
  struct Read {
    bool en;
    uint32_t addr;
  } read[2] = {};

  Bench(Device &device, Memory memory) : Dma(device, memory) {
    dram.assign(d.s->dram, d.s->dram + DRAM_BYTES);
    top.aw_ready = top.w_ready = top.b_valid = 0;
    reset(top);
  }

  void give_word() { // T_SPAD_READ = 2; anything in other cycles
    std::vector<uint8_t> word(d.w);
    randomize(word.data(), d.w);
    if (read[1].en) memcpy(word.data(), d.s->mem[WEFT_MEM_SPAD] + (size_t)read[1].addr * d.w, d.w);
    put(top.rd_data, word.data(), d.w);
  }

  void take_address() {
    uint32_t n = (uint32_t)top.aw_len + 1;
    if (!address(top.aw_valid, top.aw_ready, top.aw_addr, n)) return;
    asked.push_back(top.aw_addr);
    writes.push_back({top.aw_addr, std::max(now, bus_free), n, 0});
    bus_free = writes.back().begin + n;
  }

  void take_beat() {
    bool expected = m.exact && !writes.empty() && now >= writes[0].begin;
    if (expected && !top.w_valid) fail_msg("cycle %llu: no beat", (ull)now);
    if (!held.empty() && !top.w_valid) fail_msg("W drops a beat");
    if (!top.w_valid) return;
    std::vector<uint8_t> beat(d.bus + 9);
    get(top.w_data, beat.data(), d.bus);
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
        if (at + i >= DRAM_BYTES || at + i < b.addr) fail_msg("byte %llu", (ull)(at + i));
        dram[at + i] = beats[0][i];
      }
      bool last = ++b.taken == b.beats;
      if (last != (bool)beats[0][d.bus + 8]) fail_msg("w_last");
      beats.pop_front();
      if (last) {
        uint64_t delay = m.exact ? 1 + WEFT_T_DRAM_WRITE : (uint64_t)pick(1, m.latency);
        last_answer = std::max(last_answer + 1, now + delay);
        answers.push_back(last_answer);
        writes.pop_front();
      }
    }
  }

  void memories() override {
    top.aw_ready = m.exact || !chance(m.refuse);
    top.b_valid = !answers.empty() && answers[0] <= now;
    top.b_resp = 0;
    if (top.b_valid) {
      answers.pop_front();
      if (answered++ == bad_answer) top.b_resp = 2;
    }
    give_word();
    top.w_ready = 0;
    settle(top);
    take_address();
    // the memory takes data when the bus is the burst's
    top.w_ready = m.exact ? !writes.empty() && now >= writes[0].begin : !chance(m.pause);
    settle(top);
    take_beat();
    store_beats();
    read[1] = read[0];
    read[0] = {(bool)top.rd_en, (uint32_t)top.rd_addr};
    if (top.rd_en && top.rd_addr >= weft_spad_words(&d.s->cfg)) fail_msg("reads outside");
  }
  bool idle() const override { return writes.empty() && answers.empty() && beats.empty(); }
  void execute(const weft_insn &insn) override { weft_exec_store(d.s, &insn.STORE); }
  void check_bytes(const char *what) override {
    for (size_t k = 0; k < DRAM_BYTES; k++)
      if (dram[k] != d.s->dram[k])
        fail_msg("%s: byte %zu is %02x, the model has %02x", what, k, dram[k], d.s->dram[k]);
  }
};

weft_insn any_store(const Device &d) {
  weft_insn insn = smallest(WEFT_OP_CODE_STORE);
  weft_insn_STORE &in = insn.STORE;
  int w = (int)d.w;
  shape(in, chance(80) ? 3 * w : 700);
  int rows = (int)in.rows, pixels = (int)in.pixels, bytes = (int)in.pix_bytes;
  int stride = chance(60) ? bytes : chance(50) ? pick(0, 3 * bytes) : bytes + pick(0, 300);
  int run = (pixels - 1) * stride + bytes;
  in.d_pix_stride = (uint32_t)stride;
  in.d_row_stride = (uint32_t)(chance(50) ? run : pick(0, 2 * run));
  place(d, in, (uint64_t)(rows - 1) * in.d_row_stride + (uint64_t)run);
  in.byte_off = (uint32_t)(chance(50) ? pick(0, chance(80) ? 2 * w : 255) : 0);
  in.flip = chance(50);
  int words = ((int)in.byte_off + bytes + w - 1) / w;
  weft_operand a = operand(d, rows, pixels, words);
  WEFT_SET_OPERAND(in, a, a);
  return insn;
}

void exact_one(void **) {
  try_exact<Bench>(150, 1, any_store);
}
void exact_many(void **) {
  try_exact<Bench>(150, 40, any_store);
}
void random_memory(void **) {
  try_random_memory<Bench>(150, any_store);
}
void stops(void **) {
  try_stops<Bench>(40, any_store);
}

void faults(void **) {
  Device d;
  rng.seed(99);
  for (int k = 0; k < 6; k++) {
    d.randomize();
    d.s->base[0] = 1000;
    d.s->limit[0] = 2000;
    weft_insn good = smallest(WEFT_OP_CODE_STORE);
    good.STORE.rows = 2;
    good.STORE.pixels = 4;
    good.STORE.pix_bytes = good.STORE.d_pix_stride = 20;
    good.STORE.d_row_stride = 80;
    good.STORE.a_pix_stride = (20 + d.w - 1) / d.w;
    good.STORE.a_row_stride = 4 * good.STORE.a_pix_stride;
    good.STORE.a_ring_rows = 2;
    Program program(5, good);
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
      assert_int_equal(verdict(d.s, program[3]), cause);
    }
    b.expect_fault(program, cause, 3, addr);
    for (uint64_t a : b.asked) // nothing beyond the region went out
      assert_true(a < 3000);
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
