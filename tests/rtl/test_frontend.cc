// weft_frontend between a host, a memory and five units that only take time (frontend_bench.h).
//
// Random instruction streams run on the RTL and, cycle by cycle, on a reference written from
// docs/microarchitecture.md (frontend_rules.h); every start, every counter and the run's length
// must be the same, with a memory of fixed latency and with random ARREADY and gaps between beats.
// Programs of GEMM, DW and VEC instructions are compared with the C model, too. Then the register
// map, every error, and soft resets.
#include "frontend_bench.h"

namespace {
using namespace frontend;

void fixed_latency(void **) {
  Bench b;
  for (int i = 0; i < 150 * count(); i++) {
    Program p = some_program(below(8) ? below(60) : below(600));
    b.prepare(p);
    b.run_and_compare();
  }
}

void random_gaps(void **) {
  Bench b;
  for (int i = 0; i < 150 * count(); i++) {
    Program p = some_program(below(200));
    disturb(&p);
    b.prepare(p);
    b.run_and_compare();
  }
}

// One unit with instructions that stay in it for long: more than it may have started.
void many_started(void **) {
  Bench b;
  for (int u = 0; u < U; u++) {
    Program p = random_program(300, 1u << u, 0, 0, [](int v) {
      Insn i = any(opcode_of[v][below(3)]);
      i.release = 1;
      i.length = 2000 + below(60); // 64 instructions come in 1024 cycles at most
      return i;
    });
    p.latency = 20;
    b.prepare(p);
    b.run_and_compare();
  }
}

// Instructions that the C model accepts, of the units whose time has a closed form.
Insn real(int u) {
  uint32_t h = 1 + below(3), w = 1 + below(6), c = 1 + below(2);
  weft_operand o = {0, w * c, c, h, 0};
  Insn i = plain(u == WEFT_UNIT_GEMM ? WEFT_OP_CODE_GEMM
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
  weft_sim *s = model(config, 1 << 20);
  weft_sim_options options = {};
  options.no_function = options.record = true;
  weft_sim_set_options(s, &options);
  size_t bytes;
  uint8_t *dram = weft_sim_dram(s, &bytes);
  const unsigned all = 1u << WEFT_UNIT_GEMM | 1u << WEFT_UNIT_DW | 1u << WEFT_UNIT_VEC;
  for (int i = 0; i < 60 * count(); i++) {
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
    Result reference = Reference(p).run();
    assert_int_equal(reference.cycles, model.cycles);
    b.prepare(p);
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
  weft_sim *s = model(config, 1 << 16);
  b.load(Program());
  int keys;
  (void)weft_config_keys(&keys);
  assert_true(WEFT_REG_CONFIG + 4 * keys <= WEFT_REG_BASE);
  for (uint32_t at = 0; at < 0x1000; at += 4)
    assert_int_equal(b.read(at), weft_sim_read_reg(s, at));
  for (int i = 0; i < 2000 * count(); i++) {
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
    assert_int_equal(b.top.region_base[2 * r], 0x100 * r);
    assert_int_equal(b.top.region_size[2 * r + 1], 0x7000 + r);
  }
  weft_sim_free(s);
}

// Interrupt enable, clearing, doorbells while a program runs.
void status(void **) {
  Bench b;
  Program p = some_program(30);
  Result r = Reference(p).run();
  b.prepare(p);
  b.write(WEFT_REG_CONTROL, 0);
  b.write(WEFT_REG_DOORBELL, 1);
  assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_RUNNING);
  b.write(WEFT_REG_IRQ_CLEAR, 1);
  b.write(WEFT_REG_DOORBELL, 1); // ignored
  assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_RUNNING);
  while (b.read(WEFT_REG_STATUS) == WEFT_STATUS_RUNNING) assert_int_equal(b.top.irq, 0);
  assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_DONE);
  b.write(WEFT_REG_CONTROL, WEFT_CONTROL_IRQ_ENABLE); // too late for this run
  for (int i = 0; i < 100; i++) b.tick();
  assert_int_equal(b.top.irq, 0);
  assert_int_equal(b.read64(WEFT_REG_CYCLES_LO), r.cycles);
  b.write(WEFT_REG_IRQ_CLEAR, 0);
  assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_DONE);
  b.ring(); // clears it
  assert_int_equal(b.read(WEFT_REG_STATUS) & (WEFT_STATUS_DONE | WEFT_STATUS_IRQ), 0);
  b.wait_irq();
  assert_int_equal(b.read(WEFT_REG_STATUS), WEFT_STATUS_DONE | WEFT_STATUS_IRQ);
  b.write(WEFT_REG_IRQ_CLEAR, 1);
  assert_int_equal(b.top.irq, 0);
  assert_int_equal(b.read(WEFT_REG_STATUS), 0);
}

void illegal(void **) {
  Bench b;
  for (int i = 0; i < 60 * count(); i++) {
    Program good = some_program(40), p = good;
    size_t k = below((uint32_t)p.insn.size());
    Insn &x = p.insn[k];
    weft_insn out;
    weft_err err = {""};
    do { // a bit somewhere, until it matters
      encode(&x);
      switch (below(3)) {
      case 0: x.code[0] = (uint8_t)((x.code[0] & 0xc0) | below(64)); break;
      case 1: x.code[63] |= (uint8_t)(1u << below(8)); break;
      default: x.code[below(64)] ^= (uint8_t)(1u << below(8)); break;
      }
    } while (weft_decode(x.code, &out, &err) == WEFT_OK);
    disturb(&p);
    b.prepare(p);
    b.ring();
    b.quiet_at = b.now + below(3000);
    b.expect_error(WEFT_ERROR_ILLEGAL, (uint32_t)k, 0);
    assert_true(x.unit == U || b.seen.start[k] == NEVER);
    b.expect_good(good);
  }
}

void every_encoding(void **) { // what the C decoder says of random bits, the device says too
  Bench b;
  for (int i = 0; i < 150 * count(); i++) {
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
          for (int k = f->lsb; k < f->lsb + f->bits; k++) x.code[k / 8] &= (uint8_t) ~(1u << k % 8);
        }
      }
    p.insn.push_back(x);
    add_end(&p);
    p.latency = 3;
    weft_insn out;
    weft_err err = {""};
    bool ok = weft_decode(x.code, &out, &err) == WEFT_OK;
    b.prepare(p, 2);
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
    b.prepare(p, n);
    switch (i) {
    case 0: b.write(WEFT_REG_BASE + 8, (uint32_t)(OFFSET + n * 64 - 1)); break;
    case 1: b.write(WEFT_REG_PROGRAM_COUNT, (uint32_t)n + 1); break;
    case 2: b.write(WEFT_REG_PROGRAM_OFFSET, OFFSET + 64); break;
    case 3: b.write(WEFT_REG_BASE, (uint32_t)BASE + 128); break;
    case 4: b.write(WEFT_REG_PROGRAM_COUNT, 0xffffffff); break;
    default: b.write(WEFT_REG_PROGRAM_OFFSET, 0xffffff00); break;
    }
    b.ring();
    b.expect_error(WEFT_ERROR_WINDOW, 0, 0);
    assert_int_equal(b.ars, 0);
    b.expect_good(p);
  }
  b.prepare(p, n); // a size of more than 32 bits
  b.write(WEFT_REG_BASE + 8, 0);
  b.write(WEFT_REG_BASE + 12, 1);
  b.run_and_compare(Reference(p).run());
}

void no_end(void **) {
  Bench b;
  for (int i = 0; i < 20 * count(); i++) {
    Program good = some_program(below(30)), p = good;
    size_t n = below((uint32_t)p.insn.size()); // without END; 0: nothing at all
    b.prepare(p, n);
    b.ring();
    b.expect_error(WEFT_ERROR_NO_END, (uint32_t)n, 0);
    b.expect_good(good);
  }
}

void axi_error(void **) {
  Bench b;
  for (int i = 0; i < 60 * count(); i++) {
    Program good = some_program(60), p = good;
    disturb(&p);
    b.prepare(p);
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
  for (int i = 0; i < 40 * count(); i++) {
    Program p = some_program(1 + below(60));
    Result r = Reference(p).run();
    uint64_t last = r.cycles - T_END; // END is dispatched
    uint32_t limit = i % 4 == 0   ? (uint32_t)last
                     : i % 4 == 1 ? (uint32_t)last - 1
                                  : 1 + below((uint32_t)r.cycles);
    b.prepare(p);
    b.write(WEFT_REG_WATCHDOG, limit);
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

void deadlock(void **) { // waits for a token that nobody posts
  Bench b;
  Program p;
  Insn x = fake(WEFT_UNIT_VEC);
  x.insn.wait = 1u << WEFT_UNIT_DW;
  add(&p, x);
  add_end(&p);
  b.prepare(p, 2);
  b.write(WEFT_REG_WATCHDOG, 1000);
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
      Program p; // left at END
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
      b.prepare(p, 5);
      b.ring();
      b.expect_error(WEFT_ERROR_TOKEN, 4, 0);
    }
  b.expect_good(good);
  for (int extra = 0; extra < 2; extra++) { // TOKEN_MAX and one more
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
    b.prepare(p);
    b.ring();
    b.expect_error(WEFT_ERROR_TOKEN, WEFT_TOKEN_MAX, 0); // END's index, or the last poster's
    b.expect_good(good);
  }
}

void unit_faults(void **) {
  Bench b;
  for (int i = 0; i < 60 * count(); i++) {
    Program good = some_program(40), p = good;
    Result r = Reference(p).run();
    b.prepare(p);
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
  for (int i = 0; i < 80 * count(); i++) {
    Program good = some_program(60), p = good;
    disturb(&p);
    Result r = Reference(p).run();
    b.prepare(p);
    b.ring();
    uint64_t wait = below((uint32_t)r.cycles + 20);
    bool stuck = below(4) == 0; // memory takes no address for a while
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
    assert_int_equal(b.top.irq, 0);
    assert_int_equal(b.read(WEFT_REG_PROGRAM_COUNT), p.insn.size());
    assert_int_equal(b.read(WEFT_REG_BASE), (uint32_t)BASE);
    b.expect_good(good);
    // a doorbell right behind the reset waits for its end
    b.load(good);
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
  for (int i = 0; i < 40 * count(); i++) {
    Program p = some_program(below(20));
    size_t n = p.insn.size();
    p.latency = 100;
    disturb(&p);
    b.prepare(p, n + below(40));
    b.ring();
    b.wait_irq();
    assert_int_equal(b.read(WEFT_REG_ERROR_CAUSE), 0);
    b.ring();
    b.wait_irq();
    assert_int_equal(b.read(WEFT_REG_ERROR_CAUSE), 0);
    b.expect_good(p);
  }
}
int setup(void **) {
  config = configuration();
  return 0;
}
} // namespace

int main() {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(registers),        cmocka_unit_test(status),
      cmocka_unit_test(fixed_latency),    cmocka_unit_test(random_gaps),
      cmocka_unit_test(many_started),     cmocka_unit_test(c_model),
      cmocka_unit_test(illegal),          cmocka_unit_test(every_encoding),
      cmocka_unit_test(window),           cmocka_unit_test(no_end),
      cmocka_unit_test(axi_error),        cmocka_unit_test(watchdog),
      cmocka_unit_test(deadlock),         cmocka_unit_test(tokens),
      cmocka_unit_test(unit_faults),      cmocka_unit_test(soft_reset),
      cmocka_unit_test(fetched_too_much),
  };
  return cmocka_run_group_tests_name("rtl frontend " PRESET, tests, setup, nullptr);
}
