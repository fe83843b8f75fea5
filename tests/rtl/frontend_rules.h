// The rules that weft_frontend follows, written in C++ from docs/microarchitecture.md: random
// programs, units that only take time, and in which cycle everything is fetched, dispatched and
// started, with every counter.
#ifndef WEFT_TESTS_RTL_FRONTEND_RULES_H
#define WEFT_TESTS_RTL_FRONTEND_RULES_H

#include <functional>

#include "bench.h"
extern "C" {
#include "regs.h"
#include "sim.h"
}

namespace frontend {
using namespace bench;

enum { U = WEFT_UNITS, T_END = WEFT_T_END, STARTED = 64 };

inline weft_config config;

// A number that depends on its arguments alone: the bench and the reference draw the same.
inline uint32_t hash(uint64_t a, uint64_t b) {
  uint64_t h = (a + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u ^ (b + 1) * 0x94d049bb133111ebu;
  h ^= h >> 29;
  h *= 0xbf58476d1ce4e5b9u;
  return (uint32_t)(h >> 32);
}

// --- programs ------------------------------------------------------------------------------------
struct Insn {
  weft_insn insn;
  uint8_t code[WEFT_INSN_BYTES];
  int unit;
  uint32_t release = 1, length = 4, active = 1; // the unit's: next start, end, activity
};

struct Program {
  std::vector<Insn> insn;
  uint32_t pace = 0;   // seeds what the memory and `moved` do
  uint32_t ready = 16; // of 16 cycles, in how many ARREADY is high
  uint32_t beats = 16; // of 16 cycles, in how many a beat that is there may come
  uint32_t latency = 100;
  bool model = false; // the units take as long as the C model says, not release, length, active
  bool ar_ready(uint64_t t) const { return hash(t, pace) % 16 < ready; }
  bool beat(uint64_t t) const { return hash(t, pace + 1) % 16 < beats; }
  bool moved(uint64_t t, int u) const { return hash(t, pace + 2 + (uint32_t)u) & 1; }
};

inline void encode(Insn *i) {
  bench::encode(i->insn, i->code);
  i->unit = weft_insn_unit(i->insn.opcode);
}

inline Insn plain(int opcode) {
  Insn i;
  i.insn = smallest(opcode);
  return i;
}

// Every field anything that is legal.
inline Insn any(int opcode) {
  Insn i = plain(opcode);
  const weft_insn_info *info = weft_insn_lookup((uint32_t)opcode);
  for (int f = 3; f < info->n_fields; f++) { // behind the header
    const weft_field *d = &info->field[f];
    int64_t low = d->is_signed ? -((int64_t)1 << (d->bits - 1)) : (int64_t)d->min;
    int64_t high = d->is_signed ? ((int64_t)1 << (d->bits - 1)) - 1 : (int64_t)d->max;
    uint32_t v = (uint32_t)(low + (int64_t)(random32() % (uint64_t)(high - low + 1)));
    memcpy((char *)&i.insn + d->offset, &v, 4);
  }
  return i;
}

inline void add(Program *p, Insn i) {
  encode(&i);
  p->insn.push_back(i);
}
inline void add_end(Program *p) {
  add(p, plain(WEFT_OP_CODE_END));
}

const int opcode_of[U][3] = {{WEFT_OP_CODE_LOAD, WEFT_OP_CODE_LOAD, WEFT_OP_CODE_LOAD},
                             {WEFT_OP_CODE_GEMM, WEFT_OP_CODE_GEMM, WEFT_OP_CODE_GEMM},
                             {WEFT_OP_CODE_DW, WEFT_OP_CODE_DW, WEFT_OP_CODE_DW},
                             {WEFT_OP_CODE_VEW, WEFT_OP_CODE_VPOOL, WEFT_OP_CODE_VROW},
                             {WEFT_OP_CODE_STORE, WEFT_OP_CODE_STORE, WEFT_OP_CODE_STORE}};

// A program without deadlock: an instruction waits for tokens that earlier ones post. `make` gives
// an instruction of a unit; `units`: which are used.
inline Program random_program(size_t n, unsigned units, uint32_t tokens, uint32_t fences,
                              const std::function<Insn(int)> &make) {
  Program p;
  int balance[U][U] = {};
  for (size_t k = 0; k < n; k++) {
    if (fences && below(fences) == 0) {
      Insn f = plain(WEFT_OP_CODE_FENCE);
      f.insn.wait = below(32); // ignored
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
  for (int u = 0; u < U; u++) { // takes what is left
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
  Insn e = plain(WEFT_OP_CODE_END);
  e.insn.wait = below(32);
  e.insn.post = below(32);
  add(&p, e);
  return p;
}

inline Insn fake(int u) {
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

inline Program some_program(size_t n) {
  unsigned units = 1 + below(31);
  Program p = random_program(n, units, below(8), below(3) ? 0 : 2 + below(40), fake);
  p.latency = 1 + below(120);
  return p;
}

// A memory that is often not ready.
inline void disturb(Program *p) {
  p->pace = random32();
  p->ready = 1 + below(16);
  p->beats = 1 + below(16);
}

// --- units: how long they take -------------------------------------------------------------------
struct UnitTime {
  uint64_t free = 0, last_end = 0, active_to = 0;
  Schedule schedule;
  // An instruction starts in cycle t; returns its end.
  uint64_t start(const Program &p, const Insn &i, uint64_t t) {
    if (p.model) {
      Times x = schedule.start(weft_insn_occupancy(&config, &i.insn), t);
      free = schedule.free;
      active_to = x.stream_end;
      last_end = x.end;
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
  std::vector<size_t> of_unit[U]; // dispatched, in order
  size_t started[U] = {};
  std::deque<uint64_t> token[U][U]; // [poster][waiter]: from when it can be taken
  UnitTime time[U];
  struct Burst {
    uint64_t ready;
    size_t insn, bytes, sent;
  };
  std::deque<Burst> memory;
  std::vector<uint64_t> slot_released; // by burst: cycle of its last dispatch
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

  size_t waiting(int u, uint64_t t) const { // in its queue, places being free a cycle later
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
      for (int u = 0; u < U; u++) { // seen in t: dispatched before t, not started before t
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

} // namespace frontend

#endif
