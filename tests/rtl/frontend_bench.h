// weft_frontend between a host, a memory and five units that only take time.
#ifndef WEFT_TESTS_RTL_FRONTEND_BENCH_H
#define WEFT_TESTS_RTL_FRONTEND_BENCH_H

#include "frontend_rules.h"

namespace frontend {

constexpr uint64_t BASE = 0x123456700, OFFSET = 0x300;

struct Bench {
  Vtb top;
  Program program;
  Result seen;
  uint64_t t = 0; // cycle of the run
  bool was_running = false;
  int resets = 0; // cycles of core_rst
  uint64_t now = 0;
  // memory
  struct Burst {
    uint64_t ready, addr;
    size_t beats, sent;
  };
  std::deque<Burst> memory;
  uint64_t bad_addr = 0; // beats from here on come with an error
  bool stalled = false;  // AR was not taken in the last cycle
  uint64_t stalled_addr = 0;
  uint8_t stalled_len = 0;
  bool never_ready = false;
  size_t ars = 0;
  // units
  struct Unit : UnitTime {
    std::deque<uint64_t> ends;
    std::vector<size_t> order;
    size_t next = 0;
  } unit[U];
  std::vector<uint64_t> syncs, sync_ends;
  uint64_t fault_at[U];
  uint32_t fault_cause = 0;
  uint64_t quiet_at = 0; // bench cycle from which LOAD and STORE are quiet

  Bench() {
    for (auto &f : fault_at) f = NEVER;
    top.rst = 1;
    top.s_awvalid = top.s_wvalid = top.s_arvalid = 0;
    top.s_bready = top.s_rready = 1;
    top.s_wstrb = 15;
    for (int i = 0; i < 3; i++) tick();
    top.rst = 0;
    tick();
    resets = 0;
  }

  ~Bench() { top.final(); }

  void load(const Program &p) {
    program = p;
    rewind();
  }
  // The next run is of p: its first `count` instructions, or all.
  void prepare(const Program &p) { prepare(p, p.insn.size()); }
  void prepare(const Program &p, size_t count) {
    load(p);
    quiet_at = 0;
    write(WEFT_REG_BASE, (uint32_t)BASE);
    write(WEFT_REG_BASE + 4, (uint32_t)(BASE >> 32));
    write(WEFT_REG_BASE + 8, (uint32_t)(OFFSET + count * WEFT_INSN_BYTES));
    write(WEFT_REG_BASE + 12, 0);
    write(WEFT_REG_PROGRAM_OFFSET, OFFSET);
    write(WEFT_REG_PROGRAM_COUNT, (uint32_t)count);
    write(WEFT_REG_CONTROL, WEFT_CONTROL_IRQ_ENABLE);
  }
  void rewind() {
    seen = Result();
    seen.start.assign(program.insn.size(), NEVER);
    t = 0;
    syncs.clear();
    sync_ends.clear();
    ars = 0;
    resets = 0;
    for (int u = 0; u < U; u++) {
      unit[u] = Unit();
      for (size_t k = 0; k < program.insn.size(); k++)
        if (program.insn[k].unit == u) unit[u].order.push_back(k);
    }
  }

  const uint8_t *bytes(uint64_t addr) const {
    static const uint8_t other[64] = {0x5a, 0xff};
    uint64_t at = addr - BASE - OFFSET;
    if (at / WEFT_INSN_BYTES >= program.insn.size()) return other;
    return program.insn[at / WEFT_INSN_BYTES].code + at % WEFT_INSN_BYTES;
  }

  void drive_memory() {
    top.ar_ready = !never_ready && (top.trace_running ? program.ar_ready(t) : below(2));
    top.r_valid = top.r_last = 0;
    top.r_resp = (uint8_t)(random32() & 1);
    if (memory.empty() || memory.front().ready > now) return;
    if (top.trace_running ? !program.beat(t) : below(2)) return;
    Burst &b = memory.front();
    uint64_t addr = b.addr + b.sent * config.dram_bytes;
    top.r_valid = 1;
    put(top.r_data, bytes(addr), config.dram_bytes);
    if (bad_addr && addr >= bad_addr) top.r_resp |= 2;
    top.r_last = ++b.sent == b.beats;
    if (top.r_last) memory.pop_front();
  }

  void watch_memory() {
    if (stalled) { // AXI: what was presented stays
      assert_true(top.ar_valid);
      assert_true(top.ar_addr == stalled_addr && top.ar_len == stalled_len);
    }
    stalled = top.ar_valid && !top.ar_ready && !top.rst;
    stalled_addr = top.ar_addr;
    stalled_len = top.ar_len;
    if (top.ar_valid && top.ar_ready) {
      memory.push_back({now + program.latency, top.ar_addr, top.ar_len + 1u, 0});
      ars++;
    }
  }

  void drive_units() {
    top.issue_ready = top.unit_done = top.unit_fault = 0;
    for (int u = 0; u < U; u++) {
      Unit &x = unit[u];
      if (t >= x.free) top.issue_ready |= (uint8_t)(1u << u);
      if (!x.ends.empty() && x.ends.front() == t && top.trace_running) {
        top.unit_done |= (uint8_t)(1u << u);
        x.ends.pop_front();
      }
      if (top.trace_running && !top.stop && fault_at[u] == t) {
        top.unit_fault |= (uint8_t)(1u << u);
        top.unit_fault_index[u] = 1000 + (uint32_t)u;
        top.unit_fault_addr[2 * u] = 0x77 + (uint32_t)u;
        top.unit_fault_addr[2 * u + 1] = 0x5;
        uint32_t mask = 15u << (4 * u);
        top.unit_fault_cause = (top.unit_fault_cause & ~mask) | fault_cause << (4 * u);
      }
    }
    top.quiet = top.stop && now >= quiet_at ? 3 : (uint8_t)(now & 3 ? 1 : 2);
  }

  void watch_units() {
    unsigned started = top.issue_valid & top.issue_ready;
    if (top.stop) assert_int_equal(top.issue_valid, 0);
    if (!top.trace_running) assert_int_equal(top.issue_valid, 0);
    top.unit_active = top.unit_moved = 0;
    for (int u = 0; u < U; u++) {
      Unit &x = unit[u];
      if (started >> u & 1) {
        assert_true(x.next < x.order.size());
        size_t k = x.order[x.next++];
        const Insn &i = program.insn[k];
        assert_int_equal(top.issue_index[u], k);
        assert_memory_equal(&top.issue_insn[16 * u], i.code, WEFT_INSN_BYTES);
        seen.start[k] = t;
        x.ends.push_back(x.start(program, i, t));
      }
      if (t < x.active_to && top.trace_running) {
        top.unit_active |= (uint8_t)(1u << u);
        if (program.moved(t, u)) top.unit_moved |= (uint8_t)(1u << u);
      }
    }
  }

  void tick() {
    settle(top);
    t = top.trace_running ? top.trace_cycle : t;
    drive_memory();
    drive_units();
    top.rd_beat = top.r_valid;
    top.wr_beat = program.moved(t, 9);
    top.eval();
    watch_units();
    top.eval();
    watch_memory();
    if (top.trace_dispatch) syncs.push_back(top.trace_cycle);
    if (top.trace_end) sync_ends.push_back(top.trace_cycle);
    if (top.core_rst && !top.rst) {
      resets++;
      assert_true(memory.empty()); // everything was waited for
      assert_false(top.ar_valid);
      assert_true(now >= quiet_at);
      for (auto &x : unit) {
        x.ends.clear();
        x.free = x.active_to = 0;
      }
    }
    was_running = top.trace_running;
    edge(top);
    now++;
  }

  void write(uint32_t at, uint32_t value, unsigned strobe = 15) {
    bool addr = false, data = false;
    unsigned late_addr = below(3), late_data = below(3), late_answer = below(3);
    top.s_bready = 0;
    for (unsigned c = 0;; c++) {
      top.s_awvalid = !addr && c >= late_addr;
      top.s_wvalid = !data && c >= late_data;
      top.s_awaddr = (uint16_t)at;
      top.s_wdata = value;
      top.s_wstrb = (uint8_t)strobe;
      bool aw = top.s_awvalid && top.s_awready, w = top.s_wvalid && top.s_wready;
      tick();
      addr |= aw;
      data |= w;
      if (top.s_bvalid) {
        assert_true(addr && data);
        assert_int_equal(top.s_bresp, 0);
        while (late_answer--) {
          tick();
          assert_true(top.s_bvalid);
        }
        top.s_bready = 1;
        tick();
        top.s_bready = 0;
        assert_false(top.s_bvalid);
        return;
      }
      assert_true(c < 20);
    }
  }
  uint32_t read(uint32_t at) {
    top.s_arvalid = 1;
    top.s_araddr = (uint16_t)at;
    top.s_rready = 0;
    while (!top.s_arready) tick();
    tick();
    top.s_arvalid = 0;
    for (int c = 0; !top.s_rvalid; c++) {
      tick();
      assert_true(c < 10);
    }
    for (unsigned c = below(3); c--;) tick();
    uint32_t v = top.s_rdata;
    assert_true(top.s_rvalid);
    assert_int_equal(top.s_rresp, 0);
    top.s_rready = 1;
    tick();
    top.s_rready = 0;
    assert_false(top.s_rvalid);
    return v;
  }
  uint64_t read64(uint32_t at) {
    uint64_t low = read(at);
    return low | (uint64_t)read(at + 4) << 32;
  }

  void ring() {
    rewind();
    write(WEFT_REG_DOORBELL, 1);
    assert_int_equal(top.irq, 0);
  }
  // Until the interrupt, which comes in the cycle after the last running one.
  void wait_irq(uint64_t limit = 2000000) {
    for (uint64_t c = 0; !top.irq; c++) {
      tick();
      assert_true(c < limit);
    }
    assert_true(was_running);
    settle(top);
    assert_false(top.trace_running);
  }
  // A run without error; compares everything with `expected`.
  void run_and_compare(const Result &expected, uint64_t model_queue_slack = 0) {
    ring();
    wait_irq();
    assert_int_equal(top.trace_end, 1);
    assert_int_equal(top.trace_cycle, expected.cycles);
    tick();
    assert_int_equal(top.trace_end, 0);
    assert_int_equal(read(WEFT_REG_STATUS), WEFT_STATUS_DONE | WEFT_STATUS_IRQ);
    assert_int_equal(read(WEFT_REG_ERROR_CAUSE), 0);
    assert_int_equal(read64(WEFT_REG_CYCLES_LO), expected.cycles);
    std::vector<uint64_t> want_sync;
    for (size_t k = 0; k < program.insn.size(); k++) {
      if (program.insn[k].unit == U) {
        want_sync.push_back(expected.dispatch[k]);
        continue;
      }
      if (seen.start[k] != expected.start[k])
        fail_msg("instruction %zu (%s) starts in %llu, expected %llu", k,
                 weft_unit_name(program.insn[k].unit), (ull)seen.start[k], (ull)expected.start[k]);
    }
    assert_int_equal(syncs.size(), want_sync.size());
    assert_int_equal(sync_ends.size(), want_sync.size());
    for (size_t k = 0; k < syncs.size(); k++) {
      assert_int_equal(syncs[k], want_sync[k]);
      assert_int_equal(sync_ends[k], want_sync[k] + T_END);
    }
    for (int u = 0; u <= U; u++)
      for (int c = 0; c < 4; c++) {
        uint64_t v = read64((uint32_t)(WEFT_REG_COUNTER + 32 * u + 8 * c));
        bool tail = model_queue_slack && c == 3 && u < U;
        if (tail ? v < expected.counter[u][c] : v != expected.counter[u][c])
          fail_msg("%s counter %d is %llu, expected %llu", weft_unit_name(u), c, (ull)v,
                   (ull)expected.counter[u][c]);
      }
    assert_int_equal(read64(WEFT_REG_READ_BYTES_LO), expected.read_beats * config.dram_bytes);
    uint64_t writes = 0;
    for (uint64_t c = 0; c < expected.cycles; c++) writes += program.moved(c, 9);
    assert_int_equal(read64(WEFT_REG_WRITE_BYTES_LO), writes * config.dram_bytes);
    assert_int_equal(resets, 0);
  }
  void run_and_compare() { run_and_compare(Reference(program).run()); }
  // An error: cause, instruction, address; STATUS, interrupt, one reset of the units.
  void expect_error(unsigned cause, uint32_t insn, uint64_t addr) {
    wait_irq();
    assert_int_equal(resets, 1);
    assert_int_equal(read(WEFT_REG_STATUS), WEFT_STATUS_DONE | WEFT_STATUS_ERROR | WEFT_STATUS_IRQ);
    assert_int_equal(read(WEFT_REG_ERROR_CAUSE), cause);
    assert_int_equal(read(WEFT_REG_ERROR_INSN), insn);
    assert_int_equal(read64(WEFT_REG_ERROR_ADDR_LO), addr);
    write(WEFT_REG_IRQ_CLEAR, 1);
    assert_int_equal(read(WEFT_REG_STATUS), 0);
    assert_int_equal(top.irq, 0);
  }
  // What was wrong before must not be felt: a good program, exactly.
  void expect_good(const Program &p) {
    bad_addr = 0;
    never_ready = false;
    for (auto &f : fault_at) f = NEVER;
    prepare(p);
    write(WEFT_REG_WATCHDOG, 0);
    run_and_compare();
  }
};

} // namespace frontend

#endif
