/* Times of the C model against docs/microarchitecture.md, with the sums of the document done step
 * by step here; and that runs are repeatable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "support/sim_bench.h"

static const char *const configs[][2] = {{"edge-256", ""},
                                         {"nano-16", ""},
                                         {"micro-64", "rows=4 output_lanes=2 dw_lanes=2"},
                                         {"edge-256", "cols=4 output_lanes=1 vec_lanes=4"},
                                         {"edge-1024", "cols=64 rows=8 dw_taps=2"}};
enum { CONFIGS = sizeof configs / sizeof *configs };
static const weft_sim_options only_time = {.no_function = true, .record = true};

static uint64_t max(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}
static uint64_t steps_of(uint64_t n, uint64_t each) {
  return n / each + (n % each != 0);
}

static const weft_insn_time *times(const bench *b) {
  size_t n;
  const weft_insn_time *t = weft_sim_times(b->sim, &n);
  assert_int_equal(n, b->n);
  return t;
}

static uint64_t cycles(bench *b) {
  return weft_sim_read_reg(b->sim, WEFT_REG_CYCLES_LO) |
         (uint64_t)weft_sim_read_reg(b->sim, WEFT_REG_CYCLES_HI) << 32;
}

/* What an instruction of an arithmetic unit takes. */
typedef struct {
  uint64_t prepare, release, stream, drain;
} cost;

static cost gemm_cost(const weft_config *c, const weft_insn_GEMM *in) {
  uint64_t m = in->out_h * in->out_w, now = 0, begin = 0, end = 0;
  for (uint32_t nb = 0; nb < in->n_blocks; nb++)
    for (uint32_t pass = 0; pass < in->kh * in->kw * in->k_blocks; pass++) {
      bool out = pass + 1 == in->kh * in->kw * in->k_blocks && !in->acc_out;
      uint64_t rows = out ? m * steps_of(c->cols, c->output_lanes) : m;
      begin = now;
      end = begin + rows;
      now = begin + max(rows, c->rows); /* the next tile needs R cycles to load */
    }
  return (cost){2 + c->rows, begin, end, 2 + c->rows + c->cols + 2 + (in->acc_out ? 0 : 6)};
}

static cost dw_cost(const weft_config *c, const weft_insn_DW *in) {
  uint64_t beats = max(c->rows, c->cols) / c->dw_lanes, block = 0, begin = 0, now = 0;
  uint64_t groups = steps_of(in->kw, c->dw_taps);
  int ahead = (int)in->kw - (int)in->pad_left - (int)in->stride_x;
  for (uint32_t y = 0; y < in->out_h; y++) {
    if (ahead > 0) block += (uint64_t)ahead * in->kh; /* columns of the first window */
    for (uint32_t x = 0; x < in->out_w; x++)
      block += in->kh * (max(groups, in->stride_x) + (beats - 1) * groups);
  }
  for (uint32_t k = 0; k < in->c_words; k++) {
    begin = now;
    now += max(block, 12 + in->kh * in->kw);
  }
  return (cost){2 + 12 + in->kh * in->kw, begin, begin + block, 2 + 3 + 6};
}

static cost vec_cost(const weft_config *c, const weft_insn *in) {
  uint64_t w = max(c->rows, c->cols), beats = w / c->vec_lanes, n, drain = 10;
  if (in->opcode == WEFT_OP_CODE_VEW) {
    bool one = in->VEW.op == WEFT_VEW_REQUANT || in->VEW.op == WEFT_VEW_COPY;
    n = (uint64_t)in->VEW.out_h * in->VEW.out_w * in->VEW.c_words * max(beats, one ? 1 : 2);
  } else if (in->opcode == WEFT_OP_CODE_VPOOL) {
    n = (uint64_t)in->VPOOL.out_h * in->VPOOL.out_w * in->VPOOL.c_words * in->VPOOL.kh *
        in->VPOOL.kw * beats;
  } else {
    n = (uint64_t)in->VROW.out_h * in->VROW.out_w *
        (3 * steps_of(in->VROW.channels, w) * beats + 36);
  }
  return (cost){2, n, n, 2 + drain};
}

static cost cost_of(const weft_config *c, const weft_insn *in) {
  if (in->opcode == WEFT_OP_CODE_GEMM) return gemm_cost(c, &in->GEMM);
  if (in->opcode == WEFT_OP_CODE_DW) return dw_cost(c, &in->DW);
  return vec_cost(c, in);
}

#define RANDOM(field, lo, hi) ((field) = (uint32_t)bench_range(lo, hi))
#define RANDOM_SIZE(in)                                                                            \
  (RANDOM((in)->in_h, 1, 6), RANDOM((in)->in_w, 1, 6), RANDOM((in)->out_h, 1, 6),                  \
   RANDOM((in)->out_w, 1, 12))
/* Results lie apart, operands at word 0: times do not look at addresses of the scratchpad. */
static void add_random(bench *b, int opcode) {
  weft_insn *i = bench_add(b, opcode);
  if (opcode == WEFT_OP_CODE_GEMM) {
    RANDOM_SIZE(&i->GEMM);
    RANDOM(i->GEMM.kh, 1, 2);
    RANDOM(i->GEMM.kw, 1, 2);
    RANDOM(i->GEMM.k_blocks, 1, 2);
    RANDOM(i->GEMM.n_blocks, 1, 2);
    RANDOM(i->GEMM.acc_out, 0, 1);
    i->GEMM.o_pix_stride = 2;
    int most = (int)weft_acc_rows(&b->cfg) / (int)i->GEMM.n_blocks;
    if ((int)(i->GEMM.out_h * i->GEMM.out_w) > most) i->GEMM.out_h = i->GEMM.out_w = 1;
  } else if (opcode == WEFT_OP_CODE_DW) {
    RANDOM_SIZE(&i->DW);
    RANDOM(i->DW.kh, 1, 7);
    RANDOM(i->DW.kw, 1, 7);
    RANDOM(i->DW.pad_left, 0, 3);
    RANDOM(i->DW.stride_x, 1, 4);
    RANDOM(i->DW.c_words, 1, 2);
    i->DW.o_pix_stride = 2;
  } else if (opcode == WEFT_OP_CODE_VEW) {
    RANDOM(i->VEW.op, 0, 6);
    RANDOM(i->VEW.out_h, 1, 6);
    RANDOM(i->VEW.out_w, 1, 6);
    RANDOM(i->VEW.c_words, 1, 3);
    i->VEW.o_pix_stride = 3;
  } else if (opcode == WEFT_OP_CODE_VPOOL) {
    RANDOM_SIZE(&i->VPOOL);
    RANDOM(i->VPOOL.kh, 1, 7);
    RANDOM(i->VPOOL.kw, 1, 7);
    RANDOM(i->VPOOL.c_words, 1, 3);
    i->VPOOL.o_pix_stride = 3;
  } else {
    RANDOM(i->VROW.out_h, 1, 3);
    RANDOM(i->VROW.out_w, 1, 3);
    RANDOM(i->VROW.channels, 1, 100);
    i->VROW.o_pix_stride = 25;
  }
}

/* Sequences on one unit: start, begin of the stream and end of each, one after the other. */
static void arithmetic_units(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    for (int i = 0; i < 200; i++) {
      bench_seed((uint64_t)(c * 1000 + i));
      bench_clear(b);
      int unit = bench_range(0, 2), n = bench_range(1, 12);
      for (int k = 0; k < n; k++)
        add_random(b, unit == 0   ? WEFT_OP_CODE_GEMM
                      : unit == 1 ? WEFT_OP_CODE_DW
                                  : bench_range(WEFT_OP_CODE_VEW, WEFT_OP_CODE_VROW));
      unsigned cause = bench_run(b, only_time);
      if (cause) bench_fail("%s", weft_sim_error(b->sim));
      const weft_insn_time *t = times(b);
      uint64_t may_start = 0, stream_end = 0, end = 0, busy = 0;
      for (int k = 0; k < n; k++) {
        cost x = cost_of(&b->cfg, &b->insn[k]);
        uint64_t start = max(t[k].arrive, may_start), stream = max(start + x.prepare, stream_end);
        end = max(end + 1, stream + x.stream + x.drain);
        if (t[k].start != start || t[k].busy != stream || t[k].end != end)
          bench_fail("instruction %d: %llu, %llu, %llu, expected %llu, %llu, %llu", k,
                     (unsigned long long)t[k].start, (unsigned long long)t[k].busy,
                     (unsigned long long)t[k].end, (unsigned long long)start,
                     (unsigned long long)stream, (unsigned long long)end);
        busy += stream + x.stream - max(start, stream_end);
        may_start = stream + x.release;
        stream_end = stream + x.stream;
      }
      int u = unit == 0 ? WEFT_UNIT_GEMM : unit == 1 ? WEFT_UNIT_DW : WEFT_UNIT_VEC;
      assert_int_equal(weft_sim_counters(b->sim, u).busy, busy);
    }
    bench_free(b);
  }
}

/* A flat LOAD alone on the bus: bursts one after the other, the last word after its last beat. */
static void one_load(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    const weft_config *g = &b->cfg;
    for (uint32_t bursts = 1; bursts <= g->dma_slots && bursts <= 8; bursts++) {
      bench_clear(b);
      weft_insn_LOAD *in = &bench_add(b, WEFT_OP_CODE_LOAD)->LOAD;
      in->dst = WEFT_MEM_DWBUF;
      in->region = 1;
      in->offset = 256 - BENCH_DATA % 256; /* aligned */
      in->pix_bytes = in->row_bytes = 256 * bursts;
      assert_int_equal(bench_run(b, only_time), WEFT_ERROR_NONE);
      const weft_insn_time *t = times(b);
      uint64_t beats = 256 / g->dram_bytes, bus = 0, words = 0, next = 0;
      for (uint32_t k = 0; k < bursts; k++) { /* issue 2, address 2, a burst's address each cycle */
        uint64_t first = max(t[0].start + 4 + k + g->dram_latency, bus);
        bus = first + beats;
        for (uint64_t at = b->w; at <= 256; at += b->w, words++)
          next = max(next, first + (at - 1) / g->dram_bytes + 1) + 1;
      }
      assert_int_equal(t[0].end, next + 2);
      assert_int_equal(weft_sim_counters(b->sim, WEFT_UNIT_LOAD).busy, words);
      assert_int_equal(t[1].start, t[0].end);
      assert_int_equal(cycles(b), t[0].end + 4);
      /* and two instructions of 64 bytes that the fetch unit read */
      assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_READ_BYTES_LO), 256 * bursts + 128);
    }
    bench_free(b);
  }
}

/* A STORE alone: a word each cycle into 256-byte slots, a slot's burst when it is full. */
static void one_store(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    const weft_config *g = &b->cfg;
    for (uint32_t bursts = 1; bursts <= 12; bursts++) {
      bench_clear(b);
      weft_insn_STORE *in = &bench_add(b, WEFT_OP_CODE_STORE)->STORE;
      in->region = 1;
      in->offset = 256 - BENCH_DATA % 256;
      in->pix_bytes = in->d_pix_stride = 256 * bursts;
      assert_int_equal(bench_run(b, only_time), WEFT_ERROR_NONE);
      const weft_insn_time *t = times(b);
      uint64_t beats = 256 / g->dram_bytes, bus = 0, pack = t[0].start + 4, served[16];
      for (uint32_t k = 0; k < bursts; k++) {
        if (k >= g->store_slots) pack = max(pack, served[k - g->store_slots]);
        pack += 256 / b->w;
        uint64_t begin = max(pack - 1 + 2, bus);
        if (k == 0) begin += g->dram_turnaround; /* the fetch unit was the last on the bus */
        bus = served[k] = begin + beats;
      }
      assert_int_equal(t[0].end, bus + 20);
      assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_WRITE_BYTES_LO), 256 * bursts);
      assert_int_equal(weft_sim_counters(b->sim, WEFT_UNIT_STORE).busy, 256 * bursts / b->w);
    }
    bench_free(b);
  }
}

/* Bursts do not cross 256-byte boundaries, beats count whole: bytes over the bus. */
static void unaligned_bytes(void **state) {
  (void)state;
  bench *b = bench_new("edge-256", "");
  for (int i = 0; i < 300; i++) {
    bench_seed((uint64_t)i);
    bench_clear(b);
    weft_insn_LOAD *in = &bench_add(b, WEFT_OP_CODE_LOAD)->LOAD;
    in->dst = WEFT_MEM_DWBUF;
    in->region = 1;
    RANDOM(in->offset, 0, 9000);
    RANDOM(in->pix_bytes, 1, 3000);
    in->row_bytes = in->pix_bytes;
    assert_int_equal(bench_run(b, only_time), WEFT_ERROR_NONE);
    uint64_t first = BENCH_DATA + in->offset, last = first + in->pix_bytes - 1;
    assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_READ_BYTES_LO),
                     8 * (last / 8 - first / 8 + 1) + 128);
  }
  bench_free(b);
}

static void fences_and_tokens(void **state) {
  (void)state;
  bench *b = bench_new("edge-256", "");
  weft_insn *i = bench_add(b, WEFT_OP_CODE_VPOOL);
  i->VPOOL.out_h = 50;
  i->post = 1 << WEFT_UNIT_DW | 1 << WEFT_UNIT_VEC;
  i = bench_add(b, WEFT_OP_CODE_DW);
  i->wait = 1 << WEFT_UNIT_VEC;
  i = bench_add(b, WEFT_OP_CODE_VEW);
  i->wait = 1 << WEFT_UNIT_VEC;
  (void)bench_add(b, WEFT_OP_CODE_FENCE);
  (void)bench_add(b, WEFT_OP_CODE_VEW);
  assert_int_equal(bench_run(b, only_time), WEFT_ERROR_NONE);
  const weft_insn_time *t = times(b);
  assert_int_equal(t[1].start, t[0].end + 1);
  assert_int_equal(t[2].start, t[0].end + 1);
  uint64_t idle = max(t[1].end, t[2].end);
  assert_int_equal(t[3].start, idle);
  assert_int_equal(t[3].end, idle + 4);
  assert_int_equal(t[4].arrive, t[3].end + 1);
  assert_int_equal(t[5].start, t[4].end);
  assert_int_equal(cycles(b), t[5].end);
  weft_unit_counters dw = weft_sim_counters(b->sim, WEFT_UNIT_DW);
  assert_int_equal(dw.stall_operand, t[1].start - t[1].arrive);
  bench_free(b);
}

/* Queues: the dispatcher stops at a full one, which holds up the others. */
static void full_queues(void **state) {
  (void)state;
  bench *b = bench_new("edge-256", "queue_depth=2");
  for (int k = 0; k < 4; k++) bench_add(b, WEFT_OP_CODE_VPOOL)->VPOOL.out_h = 400;
  (void)bench_add(b, WEFT_OP_CODE_DW);
  assert_int_equal(bench_run(b, only_time), WEFT_ERROR_NONE);
  const weft_insn_time *t = times(b);
  assert_int_equal(t[3].arrive, t[1].start + 1 + 1); /* a place is free a cycle after the start */
  assert_int_equal(t[4].arrive, t[3].arrive + 1);
  assert_true(weft_sim_counters(b->sim, WEFT_UNIT_DW).stall_queue > 0);
  assert_true(weft_sim_counters(b->sim, WEFT_UNIT_FETCH).stall_queue > 0);
  bench_free(b);
}

/* A LOAD or a STORE of some size, at word 0. */
static void add_dma(bench *b, bool store) {
  int rows = bench_range(1, 5), bytes = bench_range(1, 300);
  if (store) {
    weft_insn_STORE *in = &bench_add(b, WEFT_OP_CODE_STORE)->STORE;
    in->region = 1;
    in->rows = (uint32_t)rows;
    in->pix_bytes = (uint32_t)bytes;
    RANDOM(in->offset, 0, 5000);
    RANDOM(in->d_row_stride, bytes, 2 * bytes);
    return;
  }
  weft_insn_LOAD *in = &bench_add(b, WEFT_OP_CODE_LOAD)->LOAD;
  in->region = 1;
  in->rows = (uint32_t)rows;
  in->pix_bytes = in->row_bytes = in->d_pix_stride = (uint32_t)bytes;
  RANDOM(in->offset, 0, 5000);
  RANDOM(in->d_row_stride, bytes, 2 * bytes);
}

/* Random programs on all units with random tokens: they end, and all that bench_run() checks holds
 * whatever the memory's latency and the depths of queues and buffers. */
static void all_units(void **state) {
  (void)state;
  for (int i = 0; i < 150; i++) {
    char keys[160];
    bench_seed((uint64_t)(100000 + i));
    (void)snprintf(keys, sizeof keys,
                   "queue_depth=%d dram_latency=%d dma_slots=%d store_slots=%d fetch_slots=%d "
                   "dram_turnaround=%d",
                   1 << bench_range(1, 4), bench_range(1, 300), bench_range(2, 20),
                   bench_range(2, 6), bench_range(2, 6), bench_range(0, 9));
    bench *b = bench_new(configs[i % CONFIGS][0], keys);
    int n = bench_range(2, 300);
    for (int k = 0; k < n; k++)
      if (bench_range(0, 2))
        add_random(b, bench_range(WEFT_OP_CODE_GEMM, WEFT_OP_CODE_VROW));
      else
        add_dma(b, bench_range(0, 1));
    for (int k = 0; k < n; k++) { /* an earlier instruction posts, a later one waits */
      int from = bench_range(0, n - 2), to = bench_range(from + 1, n - 1);
      uint32_t to_bit = 1u << weft_insn_unit(b->insn[to].opcode);
      uint32_t from_bit = 1u << weft_insn_unit(b->insn[from].opcode);
      if (b->insn[from].post & to_bit || b->insn[to].wait & from_bit) continue;
      b->insn[from].post |= to_bit;
      b->insn[to].wait |= from_bit;
    }
    if (bench_run(b, only_time)) bench_fail("%s: %s", keys, weft_sim_error(b->sim));
    bench_free(b);
  }
}

/* The same program gives the same times: again, on another device, with and without function. */
static void repeatable(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++) {
    bench *b[2] = {bench_new("edge-256", ""), bench_new("edge-256", "")};
    weft_insn_time *kept = NULL;
    size_t n = 0;
    for (int round = 0; round < 4; round++) {
      bench *x = b[round % 2];
      bench_seed((uint64_t)i);
      bench_clear(x);
      for (int k = 0; k < 100; k++)
        add_random(x, bench_range(WEFT_OP_CODE_GEMM, WEFT_OP_CODE_VROW));
      weft_sim_options options = {.no_function = round < 2, .record = true};
      assert_int_equal(bench_run(x, options), WEFT_ERROR_NONE);
      const weft_insn_time *t = times(x);
      if (!kept) {
        n = (size_t)x->n;
        kept = malloc(n * sizeof *kept);
        memcpy(kept, t, n * sizeof *kept);
      }
      assert_memory_equal(kept, t, n * sizeof *kept);
    }
    assert_int_equal(bench_run(b[0], (weft_sim_options){.no_timing = true}), WEFT_ERROR_NONE);
    assert_int_equal(cycles(b[0]), 0);
    free(kept);
    bench_free(b[0]);
    bench_free(b[1]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arithmetic_units),  cmocka_unit_test(one_load),
      cmocka_unit_test(one_store),         cmocka_unit_test(unaligned_bytes),
      cmocka_unit_test(fences_and_tokens), cmocka_unit_test(full_queues),
      cmocka_unit_test(all_units),         cmocka_unit_test(repeatable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
