// weft_frontend between a host, a memory and five units that only take time.
//
// Random instruction streams run on the RTL and, cycle by cycle, on a reference written here from
// docs/microarchitecture.md; every start, every counter and the run's length must be the same, with
// a memory of fixed latency and with random ARREADY and gaps between beats. Programs of GEMM, DW
// and VEC instructions are compared with the C model, too. Then the register map, every error, and
// soft resets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deque>
#include <functional>
#include <memory>
#include <vector>
extern "C" {
#include <cmocka.h>

#include "config.h"
#include "isa.h"
#include "occupancy.h"
#include "regs.h"
#include "sim.h"
}
#include "Vtb.h"
#include "verilated.h"

namespace {
enum { U = WEFT_UNITS, T_END = 4, STARTED = 64 };
constexpr uint64_t NEVER = UINT64_MAX;

uint64_t seed = 88172645463325252u;
uint32_t random32() {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (uint32_t)(seed >> 16);
}
uint32_t below(uint32_t n) { return random32() % n; }
// A number that depends on its arguments alone: the bench and the reference draw the same.
uint32_t hash(uint64_t a, uint64_t b) {
  uint64_t h = (a + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u ^ (b + 1) * 0x94d049bb133111ebu;
  h ^= h >> 29;
  h *= 0xbf58476d1ce4e5b9u;
  return (uint32_t)(h >> 32);
}

weft_config config;
int repeat = 1;

// --- programs ------------------------------------------------------------------------------------
struct Insn {
  weft_insn insn;
  uint8_t code[WEFT_INSN_BYTES];
  int unit;
  uint32_t release = 1, length = 4, active = 1;  // the unit's: next start, end, activity
};

struct Program {
  std::vector<Insn> insn;
  uint32_t pace = 0;     // seeds what the memory and `moved` do
  uint32_t ready = 16;   // of 16 cycles, in how many ARREADY is high
  uint32_t beats = 16;   // of 16 cycles, in how many a beat that is there may come
  uint32_t latency = 100;
  bool model = false;    // the units take as long as the C model says, not release, length, active
  bool ar_ready(uint64_t t) const { return hash(t, pace) % 16 < ready; }
  bool beat(uint64_t t) const { return hash(t, pace + 1) % 16 < beats; }
  bool moved(uint64_t t, int u) const { return hash(t, pace + 2 + (uint32_t)u) & 1; }
};

void encode(Insn *i) {
  weft_err err = {""};
  if (weft_encode(&i->insn, i->code, &err) != WEFT_OK) fail_msg("%s", err.text);
  i->unit = weft_insn_unit(i->insn.opcode);
}

Insn smallest(int opcode) {
  Insn i;
  memset(&i.insn, 0, sizeof i.insn);
  const weft_insn_info *info = weft_insn_lookup((uint32_t)opcode);
  for (int f = 0; f < info->n_fields; f++)
    if (!info->field[f].is_signed)
      memcpy((char *)&i.insn + info->field[f].offset, &info->field[f].min, 4);
  i.insn.opcode = (uint32_t)opcode;
  i.insn.wait = i.insn.post = 0;
  return i;
}

// Every field anything that is legal.
Insn any(int opcode) {
  Insn i = smallest(opcode);
  const weft_insn_info *info = weft_insn_lookup((uint32_t)opcode);
  for (int f = 3; f < info->n_fields; f++) {  // behind the header
    const weft_field *d = &info->field[f];
    int64_t low = d->is_signed ? -((int64_t)1 << (d->bits - 1)) : (int64_t)d->min;
    int64_t high = d->is_signed ? ((int64_t)1 << (d->bits - 1)) - 1 : (int64_t)d->max;
    uint32_t v = (uint32_t)(low + (int64_t)(random32() % (uint64_t)(high - low + 1)));
    memcpy((char *)&i.insn + d->offset, &v, 4);
  }
  return i;
}

void add(Program *p, Insn i) {
  encode(&i);
  p->insn.push_back(i);
}
void add_end(Program *p) { add(p, smallest(WEFT_OP_CODE_END)); }

const int opcode_of[U][3] = {{WEFT_OP_CODE_LOAD, WEFT_OP_CODE_LOAD, WEFT_OP_CODE_LOAD},
                             {WEFT_OP_CODE_GEMM, WEFT_OP_CODE_GEMM, WEFT_OP_CODE_GEMM},
                             {WEFT_OP_CODE_DW, WEFT_OP_CODE_DW, WEFT_OP_CODE_DW},
                             {WEFT_OP_CODE_VEW, WEFT_OP_CODE_VPOOL, WEFT_OP_CODE_VROW},
                             {WEFT_OP_CODE_STORE, WEFT_OP_CODE_STORE, WEFT_OP_CODE_STORE}};

// A program without deadlock: an instruction waits for tokens that earlier ones post. `make` gives
// an instruction of a unit; `units`: which are used.
Program random_program(size_t n, unsigned units, uint32_t tokens, uint32_t fences,
                       const std::function<Insn(int)> &make) {
  Program p;
  int balance[U][U] = {};
  for (size_t k = 0; k < n; k++) {
    if (fences && below(fences) == 0) {
      Insn f = smallest(WEFT_OP_CODE_FENCE);
      f.insn.wait = below(32);  // ignored
      f.insn.post = below(32);
      add(&p, f);
      continue;
    }
    int u;
    do u = (int)below(U);
    while (!(units >> u & 1));
    Insn i = make(u);
    for (int v = 0; v < U; v++) {
      if (balance[v][u] && below(2)) {
        i.insn.wait |= 1u << v;
        balance[v][u]--;
      }
    }
    for (int v = 0; v < U; v++)
      if (units >> v & 1 && below(16) < tokens && balance[u][v] < 6) {
        i.insn.post |= 1u << v;
        balance[u][v]++;
      }
    add(&p, i);
  }
  for (int u = 0; u < U; u++) {  // takes what is left
    for (;;) {
      uint32_t wait = 0;
      for (int v = 0; v < U; v++)
        if (balance[v][u]) {
          wait |= 1u << v;
          balance[v][u]--;
        }
      if (!wait) break;
      Insn i = make(u);
      i.insn.wait = wait;
      add(&p, i);
    }
  }
  Insn e = smallest(WEFT_OP_CODE_END);
  e.insn.wait = below(32);
  e.insn.post = below(32);
  add(&p, e);
  return p;
}

// --- units: how long they take -------------------------------------------------------------------
struct UnitTime {
  uint64_t free = 0, stream_end = 0, last_end = 0, active_to = 0;
  // An instruction starts in cycle t; returns its end.
  uint64_t start(const Program &p, const Insn &i, uint64_t t) {
    if (p.model) {
      weft_occupancy o = weft_insn_occupancy(&config, &i.insn);
      uint64_t stream = std::max(t + o.prepare, stream_end);
      free = stream + o.release;
      stream_end = stream + o.stream;
      active_to = stream_end;
      last_end = std::max(last_end, stream_end + o.drain);
    } else {
      free = t + i.release;
      active_to = std::max(active_to, t + i.active);
      last_end = std::max(t + i.length, last_end + 1);
    }
    return last_end;
  }
};

// --- the reference -------------------------------------------------------------------------------
struct Result {
  std::vector<uint64_t> start, dispatch;
  uint64_t cycles = 0, read_beats = 0;
  uint64_t counter[U + 1][4] = {};
};

struct Reference {
  const Program &p;
  Result r;
  size_t n;
  std::vector<uint64_t> available, end;
  std::vector<size_t> of_unit[U];  // dispatched, in order
  size_t started[U] = {};
  std::deque<uint64_t> token[U][U];  // [poster][waiter]: from when it can be taken
  UnitTime time[U];
  struct Burst {
    uint64_t ready;
    size_t insn, bytes, sent;
  };
  std::deque<Burst> memory;
  std::vector<uint64_t> slot_released;  // by burst: cycle of its last dispatch
  size_t asked = 0, bursts = 0, next = 0;
  uint64_t dispatch_free = 0;

  explicit Reference(const Program &program) : p(program), n(program.insn.size()) {
    r.start.assign(n, NEVER);
    r.dispatch.assign(n, NEVER);
    available.assign(n, NEVER);
    end.assign(n, NEVER);
    slot_released.assign(n / 4 + 2, NEVER);
  }

  void fetch(uint64_t t) {
    if (!memory.empty() && memory.front().ready <= t && p.beat(t)) {
      Burst &b = memory.front();
      b.sent += config.dram_bytes;
      r.read_beats++;
      if (b.sent % WEFT_INSN_BYTES == 0) available[b.insn + b.sent / WEFT_INSN_BYTES - 1] = t + 1;
      if (b.sent == b.bytes) memory.pop_front();
    }
    if (asked == n) return;
    if (bursts >= config.fetch_slots && slot_released[bursts - config.fetch_slots] >= t) return;
    if (!p.ar_ready(t)) return;
    size_t count = std::min<size_t>(4, n - asked);
    memory.push_back({t + p.latency, asked, count * WEFT_INSN_BYTES, 0});
    asked += count;
    bursts++;
  }

  bool all_ended(uint64_t t) const {
    for (size_t i = 0; i < next; i++)
      if (p.insn[i].unit < U && (end[i] == NEVER || end[i] > t)) return false;
    return true;
  }

  size_t waiting(int u, uint64_t t) const {  // in its queue, places being free a cycle later
    size_t count = 0;
    for (size_t k = of_unit[u].size(); k-- > 0;) {
      if (r.start[of_unit[u][k]] < t) break;
      count++;
    }
    return count;
  }

  // Returns true if a full queue holds up the dispatcher.
  bool dispatch(uint64_t t) {
    if (t < dispatch_free) return false;
    uint64_t *c = r.counter[U];
    if (available[next] > t) {
      c[2]++;
      return false;
    }
    int u = p.insn[next].unit;
    if (u == U) {
      if (!all_ended(t)) return false;
      end[next] = t + T_END;
      dispatch_free = t + T_END;
    } else if (waiting(u, t) == config.queue_depth) {
      c[3]++;
      return true;
    } else {
      of_unit[u].push_back(next);
    }
    r.dispatch[next] = t;
    c[0]++;
    if (next % 4 == 3) slot_released[next / 4] = t;
    next++;
    return false;
  }

  void start(int u, uint64_t t) {
    if (started[u] == of_unit[u].size()) return;
    size_t k = of_unit[u][started[u]];
    if (r.dispatch[k] >= t || time[u].free > t) return;
    const weft_insn &i = p.insn[k].insn;
    for (int v = 0; v < U; v++)
      if (i.wait >> v & 1 && (token[v][u].empty() || token[v][u].front() > t)) return;
    if (started[u] >= STARTED && end[of_unit[u][started[u] - STARTED]] >= t) return;
    for (int v = 0; v < U; v++)
      if (i.wait >> v & 1) token[v][u].pop_front();
    r.start[k] = t;
    started[u]++;
    end[k] = time[u].start(p, p.insn[k], t);
    for (int v = 0; v < U; v++)
      if (i.post >> v & 1) token[u][v].push_back(end[k] + 1);
  }

  Result run() {
    for (uint64_t t = 0;; t++) {
      for (int u = 0; u < U; u++) start(u, t);
      bool queued[U];
      for (int u = 0; u < U; u++) {  // seen in t: dispatched before t, not started before t
        size_t k = of_unit[u].size();
        queued[u] = k && r.start[of_unit[u][k - 1]] >= t;
      }
      bool ending = next == n;
      if (ending && t == end[n - 1]) break;
      bool blocked = !ending && dispatch(t);
      fetch(t);
      for (int u = 0; u < U; u++) {
        uint64_t *c = r.counter[u];
        bool dma = u == WEFT_UNIT_LOAD || u == WEFT_UNIT_STORE;
        if (t < time[u].active_to)
          c[dma && !p.moved(t, u) ? 2 : 0]++;
        else if (queued[u])
          c[1]++;
        else if (blocked)
          c[3]++;
      }
      assert_true(t < 10000000);
    }
    r.cycles = end[n - 1];
    return r;
  }
};

// --- the bench -----------------------------------------------------------------------------------
void put(IData &d, const uint8_t *p) { memcpy(&d, p, 4); }
void put(QData &d, const uint8_t *p) { memcpy(&d, p, 8); }
template <size_t N> void put(VlWide<N> &d, const uint8_t *p) { memcpy(d.data(), p, 4 * N); }

constexpr uint64_t BASE = 0x123456700, OFFSET = 0x300;

struct Bench {
  std::unique_ptr<Vtb> top = std::make_unique<Vtb>();
  Program program;
  Result seen;
  uint64_t t = 0;         // cycle of the run
  bool was_running = false;
  int resets = 0;         // cycles of core_rst
  bool wants_reset = false;
  uint64_t now = 0;
  // memory
  struct Burst {
    uint64_t ready, addr;
    size_t beats, sent;
  };
  std::deque<Burst> memory;
  uint64_t bad_addr = 0;  // beats from here on come with an error
  bool stalled = false;   // AR was not taken in the last cycle
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
  size_t sync_at = 0;     // END and FENCE dispatched
  std::vector<uint64_t> syncs, sync_ends;
  uint64_t fault_at[U];
  uint32_t fault_cause = 0;
  uint64_t quiet_at = 0;  // bench cycle from which LOAD and STORE are quiet
  bool finished_irq = false;

  Bench() {
    for (auto &f : fault_at) f = NEVER;
    top->clk = 0;
    top->rst = 1;
    top->s_awvalid = top->s_wvalid = top->s_arvalid = 0;
    top->s_bready = top->s_rready = 1;
    top->s_wstrb = 15;
    for (int i = 0; i < 3; i++) tick();
    top->rst = 0;
    tick();
    resets = 0;
  }

  void load(const Program &p) {
    program = p;
    rewind();
  }
  void rewind() {
    seen = Result();
    seen.start.assign(program.insn.size(), NEVER);
    t = 0;
    sync_at = 0;
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
    top->ar_ready = !never_ready && (top->trace_running ? program.ar_ready(t) : below(2));
    top->r_valid = top->r_last = 0;
    top->r_resp = (uint8_t)(random32() & 1);
    if (memory.empty() || memory.front().ready > now) return;
    if (top->trace_running ? !program.beat(t) : below(2)) return;
    Burst &b = memory.front();
    uint64_t addr = b.addr + b.sent * config.dram_bytes;
    top->r_valid = 1;
    put(top->r_data, bytes(addr));
    if (bad_addr && addr >= bad_addr) top->r_resp |= 2;
    top->r_last = ++b.sent == b.beats;
    if (top->r_last) memory.pop_front();
  }

  void watch_memory() {
    if (stalled) {  // AXI: what was presented stays
      assert_true(top->ar_valid);
      assert_true(top->ar_addr == stalled_addr && top->ar_len == stalled_len);
    }
    stalled = top->ar_valid && !top->ar_ready && !top->rst;
    stalled_addr = top->ar_addr;
    stalled_len = top->ar_len;
    if (top->ar_valid && top->ar_ready) {
      memory.push_back({now + program.latency, top->ar_addr, top->ar_len + 1u, 0});
      ars++;
    }
  }

  void drive_units() {
    top->issue_ready = top->unit_done = top->unit_fault = 0;
    for (int u = 0; u < U; u++) {
      Unit &x = unit[u];
      if (t >= x.free) top->issue_ready |= (uint8_t)(1u << u);
      if (!x.ends.empty() && x.ends.front() == t && top->trace_running) {
        top->unit_done |= (uint8_t)(1u << u);
        x.ends.pop_front();
      }
      if (top->trace_running && !top->stop && fault_at[u] == t) {
        top->unit_fault |= (uint8_t)(1u << u);
        top->unit_fault_index[u] = 1000 + (uint32_t)u;
        top->unit_fault_addr[2 * u] = 0x77 + (uint32_t)u;
        top->unit_fault_addr[2 * u + 1] = 0x5;
        uint32_t mask = 15u << (4 * u);
        top->unit_fault_cause = (top->unit_fault_cause & ~mask) | fault_cause << (4 * u);
      }
    }
    top->quiet = top->stop && now >= quiet_at ? 3 : (uint8_t)(now & 3 ? 1 : 2);
  }

  void watch_units() {
    unsigned started = top->issue_valid & top->issue_ready;
    if (top->stop) assert_int_equal(top->issue_valid, 0);
    if (!top->trace_running) assert_int_equal(top->issue_valid, 0);
    top->unit_active = top->unit_moved = 0;
    for (int u = 0; u < U; u++) {
      Unit &x = unit[u];
      if (started >> u & 1) {
        assert_true(x.next < x.order.size());
        size_t k = x.order[x.next++];
        const Insn &i = program.insn[k];
        assert_int_equal(top->issue_index[u], k);
        assert_memory_equal(&top->issue_insn[16 * u], i.code, WEFT_INSN_BYTES);
        seen.start[k] = t;
        x.ends.push_back(x.start(program, i, t));
      }
      if (t < x.active_to && top->trace_running) {
        top->unit_active |= (uint8_t)(1u << u);
        if (program.moved(t, u)) top->unit_moved |= (uint8_t)(1u << u);
      }
    }
  }

  void tick() {
    top->clk = 0;
    top->eval();
    t = top->trace_running ? top->trace_cycle : t;
    drive_memory();
    drive_units();
    top->rd_beat = top->r_valid;
    top->wr_beat = program.moved(t, 9);
    top->eval();
    watch_units();
    top->eval();
    watch_memory();
    if (top->trace_dispatch) syncs.push_back(top->trace_cycle);
    if (top->trace_end) sync_ends.push_back(top->trace_cycle);
    if (top->core_rst && !top->rst) {
      resets++;
      assert_true(memory.empty());  // everything was waited for
      assert_false(top->ar_valid);
      assert_true(now >= quiet_at);
      for (auto &x : unit) {
        x.ends.clear();
        x.free = x.active_to = 0;
      }
    }
    was_running = top->trace_running;
    top->clk = 1;
    top->eval();
    now++;
  }

  void write(uint32_t at, uint32_t value, unsigned strobe = 15) {
    bool addr = false, data = false;
    unsigned late_addr = below(3), late_data = below(3), late_answer = below(3);
    top->s_bready = 0;
    for (unsigned c = 0;; c++) {
      top->s_awvalid = !addr && c >= late_addr;
      top->s_wvalid = !data && c >= late_data;
      top->s_awaddr = (uint16_t)at;
      top->s_wdata = value;
      top->s_wstrb = (uint8_t)strobe;
      bool aw = top->s_awvalid && top->s_awready, w = top->s_wvalid && top->s_wready;
      tick();
      addr |= aw;
      data |= w;
      if (top->s_bvalid) {
        assert_true(addr && data);
        assert_int_equal(top->s_bresp, 0);
        while (late_answer--) {
          tick();
          assert_true(top->s_bvalid);
        }
        top->s_bready = 1;
        tick();
        top->s_bready = 0;
        assert_false(top->s_bvalid);
        return;
      }
      assert_true(c < 20);
    }
  }
  uint32_t read(uint32_t at) {
    top->s_arvalid = 1;
    top->s_araddr = (uint16_t)at;
    top->s_rready = 0;
    while (!top->s_arready) tick();
    tick();
    top->s_arvalid = 0;
    for (int c = 0; !top->s_rvalid; c++) {
      tick();
      assert_true(c < 10);
    }
    for (unsigned c = below(3); c--;) tick();
    uint32_t v = top->s_rdata;
    assert_true(top->s_rvalid);
    assert_int_equal(top->s_rresp, 0);
    top->s_rready = 1;
    tick();
    top->s_rready = 0;
    assert_false(top->s_rvalid);
    return v;
  }
  uint64_t read64(uint32_t at) {
    uint64_t low = read(at);
    return low | (uint64_t)read(at + 4) << 32;
  }

  void set_program(size_t count) {
    write(WEFT_REG_BASE, (uint32_t)BASE);
    write(WEFT_REG_BASE + 4, (uint32_t)(BASE >> 32));
    write(WEFT_REG_BASE + 8, (uint32_t)(OFFSET + count * WEFT_INSN_BYTES));
    write(WEFT_REG_BASE + 12, 0);
    write(WEFT_REG_PROGRAM_OFFSET, OFFSET);
    write(WEFT_REG_PROGRAM_COUNT, (uint32_t)count);
    write(WEFT_REG_CONTROL, WEFT_CONTROL_IRQ_ENABLE);
  }
  void ring() {
    write(WEFT_REG_DOORBELL, 1);
    assert_int_equal(top->irq, 0);
  }
  // Until the interrupt, which comes in the cycle after the last running one.
  void wait_irq(uint64_t limit = 2000000) {
    for (uint64_t c = 0; !top->irq; c++) {
      tick();
      assert_true(c < limit);
    }
    assert_true(was_running);
    top->clk = 0;
    top->eval();
    assert_false(top->trace_running);
  }
  // A run without error; compares everything with `expected`.
  void run_and_compare(const Result &expected, uint64_t model_queue_slack = 0) {
    ring();
    wait_irq();
    assert_int_equal(top->trace_end, 1);
    assert_int_equal(top->trace_cycle, expected.cycles);
    tick();
    assert_int_equal(top->trace_end, 0);
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
        fail_msg("instruction %zu (%s) starts in %lld, expected %lld", k,
                 weft_unit_name(program.insn[k].unit), (long long)seen.start[k],
                 (long long)expected.start[k]);
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
          fail_msg("%s counter %d is %lld, expected %lld", weft_unit_name(u), c, (long long)v,
                   (long long)expected.counter[u][c]);
      }
    assert_int_equal(read64(WEFT_REG_READ_BYTES_LO), expected.read_beats * config.dram_bytes);
    uint64_t writes = 0;
    for (uint64_t c = 0; c < expected.cycles; c++) writes += program.moved(c, 9);
    assert_int_equal(read64(WEFT_REG_WRITE_BYTES_LO), writes * config.dram_bytes);
    assert_int_equal(resets, 0);
  }
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
    assert_int_equal(top->irq, 0);
  }
  // What was wrong before must not be felt: a good program, exactly.
  void expect_good(const Program &p) {
    bad_addr = 0;
    never_ready = false;
    for (auto &f : fault_at) f = NEVER;
    load(p);
    set_program(p.insn.size());
    write(WEFT_REG_WATCHDOG, 0);
    rewind();
    run_and_compare(Reference(program).run());
  }
};

Insn fake(int u) {
  Insn i = any(opcode_of[u][below(3)]);
  switch (below(4)) {
  case 0: i.release = 1, i.length = 3 + below(4); break;
  case 1: i.release = 1 + below(8), i.length = i.release + below(40); break;
  case 2: i.release = 1 + below(60), i.length = i.release + 3 + below(10); break;
  default: i.release = 1 + below(3), i.length = 60 + below(60); break;
  }
  if (i.length < 3) i.length = 3;
  i.active = 1 + below(i.length);
  return i;
}

Program some_program(size_t n) {
  unsigned units = 1 + below(31);
  Program p = random_program(n, units, below(8), below(3) ? 0 : 2 + below(40), fake);
  p.latency = 1 + below(120);
  return p;
}

int setup(void **) {
  weft_err err = {""};
  const char *more = getenv("WEFT_RTL_COUNT");
  if (more) repeat = atoi(more);
  return weft_config_preset(&config, PRESET, &err) != WEFT_OK;
}

// --- tests ---------------------------------------------------------------------------------------
void fixed_latency(void **) {
  Bench b;
  for (int i = 0; i < 150 * repeat; i++) {
    Program p = some_program(below(8) ? below(60) : below(600));
    b.load(p);
    b.set_program(p.insn.size());
    b.rewind();
    b.run_and_compare(Reference(b.program).run());
  }
}

void random_gaps(void **) {
  Bench b;
  for (int i = 0; i < 150 * repeat; i++) {
    Program p = some_program(below(200));
    p.pace = random32();
    p.ready = 1 + below(16);
    p.beats = 1 + below(16);
    b.load(p);
    b.set_program(p.insn.size());
    b.rewind();
    b.run_and_compare(Reference(b.program).run());
  }
}

// One unit with instructions that stay in it for long: more than it may have started.
void many_started(void **) {
  Bench b;
  for (int u = 0; u < U; u++) {
    Program p = random_program(300, 1u << u, 0, 0, [](int v) {
      Insn i = any(opcode_of[v][below(3)]);
      i.release = 1;
      i.length = 2000 + below(60);  // 64 instructions come in 1024 cycles at most
      return i;
    });
    p.latency = 20;
    b.load(p);
    b.set_program(p.insn.size());
    b.rewind();
    b.run_and_compare(Reference(b.program).run());
  }
}

// Instructions that the C model accepts, of the units whose time has a closed form.
Insn real(int u) {
  uint32_t h = 1 + below(3), w = 1 + below(6), c = 1 + below(2);
  weft_operand o = {0, w * c, c, h, 0};
  Insn i = smallest(u == WEFT_UNIT_GEMM ? WEFT_OP_CODE_GEMM
                    : u == WEFT_UNIT_DW ? WEFT_OP_CODE_DW
                                        : WEFT_OP_CODE_VEW);
  switch (u) {
  case WEFT_UNIT_GEMM:
    WEFT_SET_OPERAND(i.insn.GEMM, a, o);
    WEFT_SET_OPERAND(i.insn.GEMM, o, o);
    i.insn.GEMM.in_h = i.insn.GEMM.out_h = h;
    i.insn.GEMM.in_w = i.insn.GEMM.out_w = w;
    i.insn.GEMM.k_blocks = c;
    break;
  case WEFT_UNIT_DW:
    WEFT_SET_OPERAND(i.insn.DW, a, o);
    WEFT_SET_OPERAND(i.insn.DW, o, o);
    i.insn.DW.in_h = i.insn.DW.out_h = h;
    i.insn.DW.in_w = i.insn.DW.out_w = w;
    i.insn.DW.c_words = c;
    break;
  default:
    WEFT_SET_OPERAND(i.insn.VEW, a, o);
    WEFT_SET_OPERAND(i.insn.VEW, b, o);
    WEFT_SET_OPERAND(i.insn.VEW, o, o);
    i.insn.VEW.op = below(2) ? WEFT_VEW_ADD : WEFT_VEW_COPY;
    i.insn.VEW.out_h = h;
    i.insn.VEW.out_w = w;
    i.insn.VEW.c_words = c;
    break;
  }
  return i;
}

void c_model(void **) {
  Bench b;
  weft_err err = {""};
  weft_sim *s = weft_sim_new(&config, 1 << 20, &err);
  assert_non_null(s);
  weft_sim_options options = {};
  options.no_function = options.record = true;
  weft_sim_set_options(s, &options);
  size_t bytes;
  uint8_t *dram = weft_sim_dram(s, &bytes);
  const unsigned all = 1u << WEFT_UNIT_GEMM | 1u << WEFT_UNIT_DW | 1u << WEFT_UNIT_VEC;
  for (int i = 0; i < 60 * repeat; i++) {
    unsigned units;
    do units = all & random32();
    while (!units);
    Program p = random_program(below(150), units, below(6), below(2) ? 0 : 2 + below(30), real);
    p.model = true;
    p.latency = config.dram_latency;
    for (size_t k = 0; k < p.insn.size(); k++)
      memcpy(dram + OFFSET + k * WEFT_INSN_BYTES, p.insn[k].code, WEFT_INSN_BYTES);
    weft_sim_write_reg(s, WEFT_REG_BASE + 8, (uint32_t)bytes);
    weft_sim_write_reg(s, WEFT_REG_PROGRAM_OFFSET, OFFSET);
    weft_sim_write_reg(s, WEFT_REG_PROGRAM_COUNT, (uint32_t)p.insn.size());
    weft_sim_write_reg(s, WEFT_REG_DOORBELL, 1);
    weft_sim_step(s);
    if (weft_sim_read_reg(s, WEFT_REG_ERROR_CAUSE)) fail_msg("%s", weft_sim_error(s));
    b.load(p);
    Result model;
    size_t n;
    const weft_insn_time *time = weft_sim_times(s, &n);
    assert_int_equal(n, p.insn.size());
    for (size_t k = 0; k < n; k++) {
      model.start.push_back(time[k].start);
      model.dispatch.push_back(time[k].arrive - 1);
    }
    model.cycles = time[n - 1].end;
    model.read_beats = p.insn.size() * WEFT_INSN_BYTES / config.dram_bytes;
    for (int u = 0; u <= U; u++) {
      weft_unit_counters c = weft_sim_counters(s, u);
      const uint64_t v[] = {c.busy, c.stall_operand, c.stall_dram, c.stall_queue};
      memcpy(model.counter[u], v, sizeof v);
    }
    Result reference = Reference(b.program).run();
    assert_int_equal(reference.cycles, model.cycles);
    b.set_program(p.insn.size());
    b.rewind();
    // The model counts stall_queue only until a unit's last instruction starts.
    b.run_and_compare(model, 1);
    for (int u = 0; u < U; u++)
      assert_int_equal(b.read64((uint32_t)(WEFT_REG_COUNTER + 32 * u + 24)),
                       reference.counter[u][3]);
  }
  weft_sim_free(s);
}

void registers(void **) {
  Bench b;
  weft_err err = {""};
  weft_sim *s = weft_sim_new(&config, 1 << 16, &err);
  assert_non_null(s);
  b.load(Program());
  int keys;
  (void)weft_config_keys(&keys);
  assert_true(WEFT_REG_CONFIG + 4 * keys <= WEFT_REG_BASE);
  for (uint32_t at = 0; at < 0x1000; at += 4)
    assert_int_equal(b.read(at), weft_sim_read_reg(s, at));
  for (int i = 0; i < 2000 * repeat; i++) {
    uint32_t at = 4 * below(1024);
    if (below(3)) at = below(2) ? 0x10 + 4 * below(8) : 0x180 + 4 * below(32);
    uint32_t v = random32() & (below(2) ? 0xffffffffu : 3u);
    if (at == WEFT_REG_DOORBELL) continue;
    if (at == WEFT_REG_CONTROL) v &= ~1u;
    b.write(at, v);
    weft_sim_write_reg(s, at, v);
    for (int k = 0; k < 3; k++) {
      uint32_t from = k ? 4 * below(192) : at;
      assert_int_equal(b.read(from), weft_sim_read_reg(s, from));
    }
  }
  // byte strobes
  b.write(WEFT_REG_WATCHDOG, 0x11223344);
  b.write(WEFT_REG_WATCHDOG, 0xaabbccdd, 5);
  assert_int_equal(b.read(WEFT_REG_WATCHDOG), 0x11bb33dd);
  b.write(WEFT_REG_BASE + 0x34, 0x01020304);
  b.write(WEFT_REG_BASE + 0x34, 0xffffffff, 8);
  assert_int_equal(b.read(WEFT_REG_BASE + 0x34), 0xff020304);
  b.write(WEFT_REG_DOORBELL, 1, 14);
  assert_int_equal(b.read(WEFT_REG_STATUS), 0);
  for (uint32_t r = 0; r < 8; r++) {
    b.write(WEFT_REG_BASE + 16 * r, 0x100 * r);
    b.write(WEFT_REG_BASE + 16 * r + 12, 0x7000 + r);
    assert_int_equal(b.top->region_base[2 * r], 0x100 * r);
    assert_int_equal(b.top->region_size[2 * r + 1], 0x7000 + r);
  }
  weft_sim_free(s);
}

// Interrupt enable, clearing, doorbells while a program runs.
void status(void **) {
  Bench b;
  Program p = some_program(30);
  Result r = Reference(p).run();
  b.load(p);
  b.set_program(p.insn.size());
  b.write(WEFT_REG_CONTROL, 0);
  b.rewind();
  b.write(WEFT_REG_DOORBELL, 1);
  assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_RUNNING);
  b.write(WEFT_REG_IRQ_CLEAR, 1);
  b.write(WEFT_REG_DOORBELL, 1);  // ignored
  assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_RUNNING);
  while (b.read(WEFT_REG_STATUS) == WEFT_STATUS_RUNNING) assert_int_equal(b.top->irq, 0);
  assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_DONE);
  b.write(WEFT_REG_CONTROL, WEFT_CONTROL_IRQ_ENABLE);  // too late for this run
  for (int i = 0; i < 100; i++) b.tick();
  assert_int_equal(b.top->irq, 0);
  assert_int_equal(b.read64(WEFT_REG_CYCLES_LO), r.cycles);
  b.write(WEFT_REG_IRQ_CLEAR, 0);
  assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_DONE);
  b.rewind();
  b.ring();  // clears it
  assert_int_equal(b.read(WEFT_REG_STATUS) & (WEFT_STATUS_DONE | WEFT_STATUS_IRQ), 0);
  b.wait_irq();
  assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_DONE | WEFT_STATUS_IRQ);
  b.write(WEFT_REG_IRQ_CLEAR, 1);
  assert_int_equal(b.top->irq, 0);
  assert_int_equal(b.read(WEFT_REG_STATUS), 0);
}

void start_bad(Bench *b, const Program &p, size_t count) {
  b->load(p);
  b->set_program(count);
  b->quiet_at = 0;
  b->rewind();
}

void illegal(void **) {
  Bench b;
  for (int i = 0; i < 60 * repeat; i++) {
    Program good = some_program(40), p = good;
    size_t k = below((uint32_t)p.insn.size());
    Insn &x = p.insn[k];
    weft_insn out;
    weft_err err = {""};
    do {  // a bit somewhere, until it matters
      encode(&x);
      switch (below(3)) {
      case 0: x.code[0] = (uint8_t)((x.code[0] & 0xc0) | below(64)); break;
      case 1: x.code[63] |= (uint8_t)(1u << below(8)); break;
      default: x.code[below(64)] ^= (uint8_t)(1u << below(8)); break;
      }
    } while (weft_decode(x.code, &out, &err) == WEFT_OK);
    p.pace = random32();
    p.ready = 1 + below(16);
    start_bad(&b, p, p.insn.size());
    b.ring();
    b.quiet_at = b.now + below(3000);
    b.expect_error(WEFT_ERROR_ILLEGAL, (uint32_t)k, 0);
    assert_true(x.unit == U || b.seen.start[k] == NEVER);
    b.expect_good(good);
  }
}

void every_encoding(void **) {  // what the C decoder says of random bits, the device says too
  Bench b;
  for (int i = 0; i < 150 * repeat; i++) {
    int n, opcode;
    const weft_insn_info *table = weft_insn_table(&n);
    opcode = table[below((uint32_t)n)].opcode;
    if (opcode == WEFT_OP_CODE_END) continue;
    Program p;
    Insn x = any(opcode);
    encode(&x);
    if (below(4))
      for (uint32_t c = 1 + below(3); c--;) {
        uint32_t bit = 16 + below(496);
        const weft_insn_info *info = weft_insn_lookup((uint32_t)opcode);
        const weft_field *f = &info->field[below((uint32_t)info->n_fields)];
        if (below(2)) {
          x.code[bit / 8] ^= (uint8_t)(1u << bit % 8);
        } else if (f->lsb >= 16) {
          for (int k = f->lsb; k < f->lsb + f->bits; k++) x.code[k / 8] &= (uint8_t)~(1u << k % 8);
        }
      }
    p.insn.push_back(x);
    add_end(&p);
    p.latency = 3;
    weft_insn out;
    weft_err err = {""};
    bool ok = weft_decode(x.code, &out, &err) == WEFT_OK;
    start_bad(&b, p, 2);
    b.ring();
    if (!ok) {
      b.expect_error(WEFT_ERROR_ILLEGAL, 0, 0);
      continue;
    }
    b.wait_irq();
    assert_int_equal(b.read(WEFT_REG_ERROR_CAUSE), 0);
  }
}

void window(void **) {
  Bench b;
  Program p = some_program(20);
  p.latency = 10;
  size_t n = p.insn.size();
  for (int i = 0; i < 6; i++) {
    start_bad(&b, p, n);
    switch (i) {
    case 0: b.write(WEFT_REG_BASE + 8, (uint32_t)(OFFSET + n * 64 - 1)); break;
    case 1: b.write(WEFT_REG_PROGRAM_COUNT, (uint32_t)n + 1); break;
    case 2: b.write(WEFT_REG_PROGRAM_OFFSET, OFFSET + 64); break;
    case 3: b.write(WEFT_REG_BASE, (uint32_t)BASE + 128); break;
    case 4: b.write(WEFT_REG_PROGRAM_COUNT, 0xffffffff); break;
    default: b.write(WEFT_REG_PROGRAM_OFFSET, 0xffffff00); break;
    }
    b.rewind();
    b.ring();
    b.expect_error(WEFT_ERROR_WINDOW, 0, 0);
    assert_int_equal(b.ars, 0);
    b.expect_good(p);
  }
  start_bad(&b, p, n);  // a size of more than 32 bits
  b.write(WEFT_REG_BASE + 8, 0);
  b.write(WEFT_REG_BASE + 12, 1);
  b.rewind();
  b.run_and_compare(Reference(p).run());
}

void no_end(void **) {
  Bench b;
  for (int i = 0; i < 20 * repeat; i++) {
    Program good = some_program(below(30)), p = good;
    size_t n = below((uint32_t)p.insn.size());  // without END; 0: nothing at all
    start_bad(&b, p, n);
    b.ring();
    b.expect_error(WEFT_ERROR_NO_END, (uint32_t)n, 0);
    b.expect_good(good);
  }
}

void axi_error(void **) {
  Bench b;
  for (int i = 0; i < 60 * repeat; i++) {
    Program good = some_program(60), p = good;
    p.pace = random32();
    p.beats = 1 + below(16);
    start_bad(&b, p, p.insn.size());
    uint64_t beat = below((uint32_t)(p.insn.size() * 64 / config.dram_bytes));
    b.bad_addr = BASE + OFFSET + beat * config.dram_bytes;
    b.ring();
    b.quiet_at = b.now + below(2000);
    b.expect_error(WEFT_ERROR_AXI, (uint32_t)(beat * config.dram_bytes / 64), b.bad_addr);
    b.expect_good(good);
  }
}

void watchdog(void **) {
  Bench b;
  for (int i = 0; i < 40 * repeat; i++) {
    Program p = some_program(1 + below(60));
    Result r = Reference(p).run();
    uint64_t last = r.cycles - T_END;  // END is dispatched
    uint32_t limit = i % 4 == 0   ? (uint32_t)last
                     : i % 4 == 1 ? (uint32_t)last - 1
                                  : 1 + below((uint32_t)r.cycles);
    start_bad(&b, p, p.insn.size());
    b.write(WEFT_REG_WATCHDOG, limit);
    b.rewind();
    if (limit >= last) {
      b.run_and_compare(r);
      continue;
    }
    uint32_t next = 0;
    while (r.dispatch[next] <= limit) next++;
    b.ring();
    b.expect_error(WEFT_ERROR_WATCHDOG, next, 0);
    b.expect_good(p);
  }
}

void deadlock(void **) {  // waits for a token that nobody posts
  Bench b;
  Program p;
  Insn x = fake(WEFT_UNIT_VEC);
  x.insn.wait = 1u << WEFT_UNIT_DW;
  add(&p, x);
  add_end(&p);
  start_bad(&b, p, 2);
  b.write(WEFT_REG_WATCHDOG, 1000);
  b.rewind();
  b.ring();
  b.expect_error(WEFT_ERROR_WATCHDOG, 1, 0);
  assert_in_range(b.read(WEFT_REG_CYCLES_LO), 1001, 1020);
  b.expect_good(some_program(20));
}

void tokens(void **) {
  Bench b;
  Program good = some_program(20);
  for (int from = 0; from < U; from++)
    for (int to = 0; to < U; to++) {
      Program p;  // left at END
      for (int k = 0; k < 3; k++) {
        Insn x = fake(from);
        x.insn.post = 1u << to;
        add(&p, x);
      }
      Insn y = fake(to);
      y.insn.wait = 1u << from;
      add(&p, y);
      add_end(&p);
      p.latency = 5;
      start_bad(&b, p, 5);
      b.ring();
      b.expect_error(WEFT_ERROR_TOKEN, 4, 0);
    }
  b.expect_good(good);
  for (int extra = 0; extra < 2; extra++) {  // TOKEN_MAX and one more
    Program p;
    for (int k = 0; k < WEFT_TOKEN_MAX + extra; k++) {
      Insn x = fake(WEFT_UNIT_STORE);
      x.release = 1;
      x.length = 5;
      x.active = 1;
      x.insn.post = 1u << WEFT_UNIT_LOAD;
      add(&p, x);
    }
    add_end(&p);
    p.latency = 5;
    start_bad(&b, p, p.insn.size());
    b.ring();
    b.expect_error(WEFT_ERROR_TOKEN, WEFT_TOKEN_MAX, 0);  // END's index, or the last poster's
    b.expect_good(good);
  }
}

void unit_faults(void **) {
  Bench b;
  for (int i = 0; i < 60 * repeat; i++) {
    Program good = some_program(40), p = good;
    Result r = Reference(p).run();
    start_bad(&b, p, p.insn.size());
    unsigned u = below(U), v = below(U);
    uint64_t at = i % 5 ? below((uint32_t)r.cycles) : r.cycles - 1;
    b.fault_at[u] = b.fault_at[v] = at;
    b.fault_cause = 1 + below(3);
    b.ring();
    b.quiet_at = b.now + at + below(500);
    b.expect_error(b.fault_cause, 1000 + std::min(u, v), 0x500000077 + std::min(u, v));
    b.expect_good(good);
  }
}

void soft_reset(void **) {
  Bench b;
  for (int i = 0; i < 80 * repeat; i++) {
    Program good = some_program(60), p = good;
    p.pace = random32();
    p.ready = 1 + below(16);
    p.beats = 1 + below(16);
    Result r = Reference(p).run();
    start_bad(&b, p, p.insn.size());
    b.ring();
    uint64_t wait = below((uint32_t)r.cycles + 20);
    bool stuck = below(4) == 0;  // memory takes no address for a while
    for (uint64_t c = 0; c < wait; c++) {
      if (stuck && c > wait / 2) b.never_ready = true;
      b.tick();
    }
    b.quiet_at = b.now + below(300);
    b.write(WEFT_REG_CONTROL, WEFT_CONTROL_RESET | WEFT_CONTROL_IRQ_ENABLE);
    assert_int_equal(b.read(WEFT_REG_STATUS), 0);
    for (int c = 0; c < 50; c++) b.tick();
    b.never_ready = false;
    for (int c = 0; b.read(WEFT_REG_CONTROL) & WEFT_CONTROL_RESET; c++) assert_true(c < 2000);
    assert_int_equal(b.resets, 1);
    assert_int_equal(b.read(WEFT_REG_CONTROL), WEFT_CONTROL_IRQ_ENABLE);
    assert_int_equal(b.read(WEFT_REG_STATUS), 0);
    assert_int_equal(b.top->irq, 0);
    assert_int_equal(b.read(WEFT_REG_PROGRAM_COUNT), p.insn.size());
    assert_int_equal(b.read(WEFT_REG_BASE), (uint32_t)BASE);
    b.expect_good(good);
    // a doorbell right behind the reset waits for its end
    b.load(good);
    b.rewind();
    b.quiet_at = b.now + 200;
    b.write(WEFT_REG_CONTROL, WEFT_CONTROL_RESET | WEFT_CONTROL_IRQ_ENABLE);
    b.write(WEFT_REG_DOORBELL, 1);
    assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_RUNNING);
    b.wait_irq();
    assert_int_equal(b.read64(WEFT_REG_CYCLES_LO), Reference(good).run().cycles);
    assert_int_equal(b.resets, 1);
  }
}

// PROGRAM_COUNT larger than the program: what was fetched beyond END comes while nothing runs and
// must not get into the next run.
void fetched_too_much(void **) {
  Bench b;
  for (int i = 0; i < 40 * repeat; i++) {
    Program p = some_program(below(20));
    size_t n = p.insn.size();
    p.latency = 100;
    p.pace = random32();
    p.ready = 1 + below(16);
    b.load(p);
    b.set_program(n + below(40));
    b.rewind();
    b.ring();
    b.wait_irq();
    assert_int_equal(b.read(WEFT_REG_ERROR_CAUSE), 0);
    b.rewind();
    b.ring();
    b.wait_irq();
    assert_int_equal(b.read(WEFT_REG_ERROR_CAUSE), 0);
    b.expect_good(p);
  }
}
}  // namespace

int main() {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(registers),   cmocka_unit_test(status),
      cmocka_unit_test(fixed_latency), cmocka_unit_test(random_gaps),
      cmocka_unit_test(many_started), cmocka_unit_test(c_model),
      cmocka_unit_test(illegal),     cmocka_unit_test(every_encoding),
      cmocka_unit_test(window),      cmocka_unit_test(no_end),
      cmocka_unit_test(axi_error),   cmocka_unit_test(watchdog),
      cmocka_unit_test(deadlock),    cmocka_unit_test(tokens),
      cmocka_unit_test(unit_faults), cmocka_unit_test(soft_reset),
      cmocka_unit_test(fetched_too_much),
  };
  return cmocka_run_group_tests_name("rtl frontend " PRESET, tests, setup, nullptr);
}
