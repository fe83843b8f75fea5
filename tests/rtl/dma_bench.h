// weft_load and weft_store beside the C model's DMA engines (dma_model.h): what both tests try, and
// the half of the bench that is the same. A bench adds the module's side of the DRAM port.
#ifndef WEFT_TESTS_RTL_DMA_BENCH_H
#define WEFT_TESTS_RTL_DMA_BENCH_H

#include "dma_model.h"

namespace bench {

// How the memory behaves.
struct Memory {
  bool exact;  // the configuration's times, always ready
  int refuse;  // percent of cycles in which it takes no address
  int pause;   // percent of cycles without a beat
  int latency; // at most
};

struct Fault {
  int cause = 0;
  uint32_t index = 0;
  uint64_t addr = 0;
  int pulses = 0;
};

struct Dma {
  Device &d;
  Memory m;
  Vtb top;
  uint64_t now = 0;
  uint64_t waiting = NEVER; // an address that was not taken
  DmaTimes got;             // `address` are the cycles of those that were
  Fault fault;
  bool stop = false, quiet = false;

  Dma(Device &device, Memory memory) : d(device), m(memory) {
    put(top.region_base, d.s->base, sizeof d.s->base);
    put(top.region_size, d.s->limit, sizeof d.s->limit);
    top.insn_valid = top.stop = 0;
  }
  virtual ~Dma() { top.final(); }
  // The module's ports to memories in one cycle: inputs, settle(), what it does.
  virtual void memories() = 0;
  virtual bool idle() const = 0; // no burst is on its way
  virtual void execute(const weft_insn &insn) = 0;
  virtual void check_bytes(const char *what) = 0;

  // An address at the port; true if it is taken.
  bool address(bool valid, bool ready, uint64_t addr, uint32_t beats) {
    if (waiting != NEVER && (!valid || addr != waiting)) fail_msg("an address moves");
    waiting = valid && !ready ? addr : NEVER;
    if (!valid || !ready) return false;
    if ((addr & 255) / d.bus + beats > 256 / d.bus) fail_msg("crosses 256");
    got.address.push_back(now);
    return true;
  }

  // One cycle; true if the instruction was taken.
  bool cycle(const weft_insn *insn, uint32_t index) {
    offer(top, insn, index);
    top.stop = stop;
    memories();
    bool taken = insn && top.insn_ready;
    if (top.done) got.end.push_back(now);
    got.moved += top.moved;
    got.active += top.active;
    if (top.fault) fault = {top.fault_cause, top.fault_index, top.fault_addr, fault.pulses + 1};
    quiet = top.quiet;
    if (taken) got.start.push_back(now);
    edge(top);
    now++;
    return taken;
  }
  void cycles(int n) {
    while (n-- > 0) cycle(nullptr, 0);
  }
  // One cycle with the next instruction of the program at the port.
  void feed(const Program &program, size_t &next, uint32_t first_index = 0) {
    next += cycle(next < program.size() ? &program[next] : nullptr, first_index + (uint32_t)next);
  }

  void run(const Program &program, const std::vector<uint64_t> &arrive) {
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
    cycles(5);
    assert_int_equal(got.start.size(), program.size());
    assert_true(idle());
  }
  // Both have run the program.
  void compare(const Program &program, const char *what) {
    for (auto &insn : program) execute(insn);
    check_bytes(what);
  }

  // As the frontend does it: from now on the unit starts nothing, and tells when it is quiet.
  void stop_it() {
    stop = true;
    for (int i = 0; i < 20000 && !quiet; i++) cycle(nullptr, 0);
    assert_true(quiet);
    assert_true(idle());
    size_t asked = got.address.size();
    cycles(50);
    assert_int_equal(got.address.size(), asked);
  }
  void expect_fault(const Program &program, int cause, uint32_t index, uint64_t addr) {
    size_t next = 0;
    for (int i = 0; i < 20000 && !fault.pulses; i++) feed(program, next, 100);
    assert_int_equal(fault.cause, cause);
    assert_int_equal(fault.index, index + 100);
    stop_it();
    assert_int_equal(fault.pulses, 1);
    assert_int_equal(fault.addr, addr);
  }
};

inline void same(const std::vector<uint64_t> &got, const std::vector<uint64_t> &want,
                 const char *what, const Program &program) {
  for (size_t i = 0; i < std::min(got.size(), want.size()); i++)
    if (got[i] != want[i]) {
      describe(program, i);
      fail_msg("%s %zu in cycle %llu, the model has %llu", what, i, (ull)got[i], (ull)want[i]);
    }
  if (got.size() != want.size())
    fail_msg("%zu times %s, the model has %zu", got.size(), what, want.size());
}

// --- what both tests try: Bench is made of a Device and a Memory, make(device) an instruction
// -----
template <class Make> Program random_program(const Device &d, int n, Make make) {
  Program program;
  bool tiny = chance(25);
  while ((int)program.size() < n) {
    weft_insn insn = make(d);
    if (tiny && bytes_of(insn) > 40) continue;
    if (verdict(d.s, insn) == WEFT_ERROR_NONE) program.push_back(insn);
  }
  return program;
}

// Programs of up to `most` instructions with the exact memory: every time and byte is the model's.
template <class Bench, class Make> void try_exact(int rounds, int most, Make make) {
  Device d;
  for (int r = 0; r < rounds * count(); r++) {
    rng.seed((uint64_t)(r * 131 + most * 7));
    d.randomize();
    Program program = random_program(d, pick(1, most), make);
    auto arrive = arrivals(program.size());
    DmaTimes want = run_model(d.s, program, arrive);
    Bench b(d, {true, 0, 0, 0});
    b.run(program, arrive);
    same(b.got.start, want.start, "start", program);
    if (program[0].opcode == WEFT_OP_CODE_LOAD) // when STORE asks is not the model's business
      same(b.got.address, want.address, "address", program);
    same(b.got.end, want.end, "end", program);
    assert_int_equal(b.got.moved, want.moved);
    assert_int_equal(b.got.active, want.active);
    b.compare(program, "exact memory");
  }
}

// With a memory of random delays: every byte.
template <class Bench, class Make> void try_random_memory(int rounds, Make make) {
  Device d;
  for (int r = 0; r < rounds * count(); r++) {
    rng.seed((uint64_t)(r + 5000));
    d.randomize();
    Program program = random_program(d, pick(1, 30), make);
    int latency = chance(50) ? pick(1, 30) : pick(1, 300);
    Bench b(d, {false, pick(0, 3) ? pick(0, 95) : 0, pick(0, 3) ? pick(0, 95) : 0, latency});
    b.run(program, arrivals(program.size()));
    b.compare(program, "random memory");
  }
}

// Another unit's error: stops between any two cycles.
template <class Bench, class Make> void try_stops(int rounds, Make make) {
  Device d;
  for (int r = 0; r < rounds * count(); r++) {
    rng.seed((uint64_t)(r + 9000));
    d.randomize();
    Program program = random_program(d, 20, make);
    Bench b(d, {false, pick(0, 80), pick(0, 80), pick(1, 150)});
    size_t next = 0;
    for (int i = pick(0, 800); i > 0; i--) b.feed(program, next);
    b.stop_it();
  }
}

} // namespace bench

#endif
