// A compute unit (weft_gemm, weft_dw, weft_vec) beside the C model: instructions, the memories that
// LOAD fills, a scratchpad, and in every cycle what insn_ready, active, done and fault must be.
//
// The scratchpad is an array here: what is read is on the port T_SPAD_READ cycles later, in that
// cycle alone and rubbish in all others; what is written is there in the next cycle.
#ifndef WEFT_TESTS_RTL_UNIT_BENCH_H
#define WEFT_TESTS_RTL_UNIT_BENCH_H

#include "bench.h"

namespace bench {

struct Flight {
  weft_insn insn;
  Times t;
};

struct Unit {
  weft_config cfg = configuration();
  weft_sim *sim = model(cfg, 4096);
  size_t w = weft_word_bytes(&cfg), words = weft_spad_words(&cfg), spad_bytes = w * words;
  uint8_t *theirs = sim->mem[WEFT_MEM_SPAD]; // the model's scratchpad
  std::vector<uint8_t> spad;                 // the unit's
  Vtb top;
  int foreign = WEFT_MEM_PARAM; // a memory that the unit does not have
  uint64_t now = 0, last_write = 0;
  uint64_t instructions = 0, reads = 0, writes = 0, dones = 0;
  Schedule schedule;
  std::deque<Flight> flight; // taken, not done

  Unit() : spad(spad_bytes) {
    for (auto &d : data) d.resize(w);
    top.ld_en = 0;
    reset();
  }
  virtual ~Unit() {
    top.final();
    weft_sim_free(sim);
  }

  // Memories stay.
  void reset() {
    offer(top, nullptr, 0);
    top.rst = 1;
    for (int i = 0; i < 3; i++) cycle();
    top.rst = 0;
    schedule = Schedule();
    flight.clear();
  }

  // The first half of a cycle, after which outputs are valid, and the second.
  void low() {
    put(top.rd_data, data[now % WEFT_T_SPAD_READ].data(), w);
    settle(top);
  }
  void high() {
    std::vector<uint8_t> &later = data[now % WEFT_T_SPAD_READ];
    randomize(later.data(), w);
    if (top.rd_en && !top.rst) {
      if (top.rd_addr >= words) fail_msg("reads word %u", (unsigned)top.rd_addr);
      memcpy(later.data(), &spad[top.rd_addr * w], w);
      reads++;
    }
    if (top.wr_en && !top.rst) {
      if (top.wr_addr >= words) fail_msg("writes word %u", (unsigned)top.wr_addr);
      uint8_t be[8], word[64];
      get(top.wr_be, be, (w + 7) / 8);
      get(top.wr_data, word, w);
      for (size_t i = 0; i < w; i++)
        if (be[i / 8] >> i % 8 & 1) spad[top.wr_addr * w + i] = word[i];
      last_write = now;
      writes++;
    }
    dones += top.done && !top.rst;
    edge(top);
    now++;
  }
  void cycle() {
    low();
    high();
  }

  // --- memories
  // A word of LOAD's write bus; `enable`: which of its n bytes.
  void load_word(int mem, size_t addr, const uint8_t *from, size_t n, uint64_t enable = NEVER) {
    uint8_t word[64];
    randomize(word, sizeof word);
    memcpy(word, from, n);
    if (n < 64) enable &= ((uint64_t)1 << n) - 1;
    top.ld_en = 1;
    top.ld_mem = (uint8_t)mem;
    top.ld_addr = (uint32_t)addr;
    put(top.ld_be, &enable, sizeof enable);
    put(top.ld_data, word, sizeof top.ld_data);
    cycle();
    top.ld_en = 0;
  }
  // n words, of `unit` bytes each, of a memory of the model; between them words for a memory that
  // the unit does not have, and some words in two parts.
  void load(int mem, size_t n, size_t unit) {
    const uint8_t *from = sim->mem[mem];
    for (size_t a = 0; a < n; a++) {
      const uint8_t *word = from + a * unit;
      if (one_in(8)) load_word(foreign, a, spad.data(), unit);
      if (one_in(8)) {
        uint64_t part = rng();
        load_word(mem, a, word, unit, part);
        load_word(mem, a, word, unit, ~part);
      } else {
        load_word(mem, a, word, unit);
      }
    }
  }
  void load(int mem) { load(mem, sim->size[mem] / w, w); }
  // The scratchpad's bytes are now the model's, too.
  void adopt() { memcpy(theirs, spad.data(), spad_bytes); }
  void randomize_spad() {
    randomize(spad.data(), spad_bytes);
    adopt();
  }
  void compare(const std::string &what) {
    for (size_t i = 0; i < spad_bytes; i++)
      if (spad[i] != theirs[i])
        fail_msg("%s: byte %zu of word %zu is %d, the model has %d\n%s", PRESET, i % w, i / w,
                 (int8_t)spad[i], (int8_t)theirs[i], what.c_str());
  }

  // --- instructions
  virtual void execute(const weft_insn &insn) = 0; // in the model
  virtual void watch() {}                          // further rules, outputs being valid

  // One cycle with an instruction at the port, or none; true if it is taken.
  bool step(const weft_insn *insn, uint32_t index = 0) {
    offer(top, insn, index);
    low();
    bool ready = now >= schedule.free;
    if (ready != (bool)top.insn_ready) wrong("insn_ready", top.insn_ready);
    if (insn && ready) {
      flight.push_back({*insn, schedule.start(weft_insn_occupancy(&cfg, insn), now)});
      execute(*insn);
      instructions++;
    }
    if ((now < schedule.last.stream_end) != (bool)top.active) wrong("active", top.active);
    bool done = !flight.empty() && flight.front().t.end == now;
    if (done != (bool)top.done) wrong("done", top.done);
    if (top.fault) wrong("fault", 1);
    watch();
    if (done) flight.pop_front();
    high();
    return insn && ready;
  }
  void drain() {
    while (!flight.empty()) step(nullptr);
    for (int i = 0; i < 3; i++) step(nullptr);
  }
  // Instructions that come at most `gap` cycles after the one before was taken; then compares.
  void run(const std::vector<weft_insn> &program, int gap) {
    uint64_t there = now + (uint64_t)pick(0, gap);
    std::string all;
    for (size_t i = 0; i < program.size();) {
      if (!step(now >= there ? &program[i] : nullptr, (uint32_t)i)) continue;
      there = now + (one_in(2) ? 0 : (uint64_t)pick(0, gap));
      all += text(program[i++]) + "\n";
    }
    drain();
    compare(all);
  }
  // An instruction that the unit must refuse: one fault, at most so many cycles away, and behind it
  // no further instruction (if the unit is there). Returns how many times `done` came without an
  // instruction before it.
  uint64_t refuse(const weft_insn &insn, uint32_t index, uint64_t cycles, bool there = true) {
    offer(top, &insn, index);
    uint64_t faults = 0, before = dones;
    bool taken = false;
    for (uint64_t i = 0; i < cycles; i++) {
      low();
      if (top.fault) cycles = i + 60;
      if (there && faults && top.insn_ready)
        fail_msg("ready behind a fault: %s", text(insn).c_str());
      if (top.fault) {
        faults++;
        assert_int_equal(top.fault_cause, WEFT_ERROR_ILLEGAL);
        assert_int_equal(top.fault_index, index);
        assert_int_equal(top.fault_addr, 0);
      }
      taken = taken || top.insn_ready;
      high();
      if (taken) offer(top, nullptr, 0);
    }
    if (faults != 1) fail_msg("%llu faults: %s", (ull)faults, text(insn).c_str());
    return dones - std::min(dones, before + flight.size());
  }
  void report() const {
    print_message("%s: %llu instructions, %llu cycles, %llu reads, %llu writes\n", PRESET,
                  (ull)instructions, (ull)now, (ull)reads, (ull)writes);
  }

private:
  std::vector<uint8_t> data[WEFT_T_SPAD_READ]; // on their way to the port

  void wrong(const char *what, int value) const {
    const Times &t = flight.empty() ? schedule.last : flight.back().t;
    fail_msg("cycle %llu: %s is %d; last start %llu, stream from %llu to %llu, end %llu, next "
             "start %llu: %s",
             (ull)now, what, value, (ull)t.start, (ull)t.begin, (ull)t.stream_end, (ull)t.end,
             (ull)schedule.free, flight.empty() ? "" : text(flight.back().insn).c_str());
  }
};

} // namespace bench

#endif
