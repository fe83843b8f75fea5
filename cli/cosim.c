/* Comparing the two devices. Start at weft_cosim(). */
#include "cosim.h"

#include <stdlib.h>
#include <string.h>

/* The result of one instruction, as the model left it. */
typedef struct {
  uint8_t *bytes;
  size_t n;
} kept;

typedef struct {
  const weft_program *program;
  weft_runner *runner; /* the one that runs */
  weft_loaded image;
  kept *kept; /* per instruction */
  uint8_t *buffer;
  size_t buffer_bytes;
  bool comparing;
  size_t first; /* lowest instruction with a difference so far */
  weft_cosim_result *result;
} cosim;

/* --- results -----------------------------------------------------------------------------------
 */
/* Where an instruction's result lies: `rows` x `pixels` runs of `bytes` bytes. */
typedef struct {
  int memory; /* WEFT_MEM_SPAD or WEFT_DEVICE_DRAM */
  uint64_t base, row, pixel, bytes;
  uint32_t rows, pixels, ring_rows, ring_start;
} region;

static region spad_region(const weft_config *c, const weft_operand *o, uint32_t rows,
                          uint32_t pixels, uint64_t byte, uint64_t bytes) {
  const uint64_t w = weft_word_bytes(c);
  return (region){.memory = WEFT_MEM_SPAD,
                  .base = o->base * w + byte,
                  .row = o->row_stride * w,
                  .pixel = o->pix_stride * w,
                  .bytes = bytes,
                  .rows = rows,
                  .pixels = pixels,
                  .ring_rows = o->ring_rows,
                  .ring_start = o->ring_start};
}

/* False for an instruction whose result is not seen from outside (weights, accumulators). */
static bool region_of(const cosim *x, const weft_insn *insn, region *out) {
  const weft_config *c = &x->program->config;
  const uint64_t w = weft_word_bytes(c);
  switch (insn->opcode) {
  case WEFT_OP_CODE_LOAD: {
    const weft_insn_LOAD *in = &insn->LOAD;
    weft_operand o = WEFT_OPERAND_OF(*in, o);
    uint64_t bytes =
        in->fill ? (in->byte_off + in->pix_bytes + w - 1) / w * w - in->byte_off : in->pix_bytes;
    if (in->dst != WEFT_MEM_SPAD) return false;
    *out = spad_region(c, &o, in->rows, in->pixels, in->byte_off, bytes);
    return true;
  }
  case WEFT_OP_CODE_STORE: {
    const weft_insn_STORE *in = &insn->STORE;
    if (in->region > WEFT_REGION_ARENA) return false;
    *out = (region){.memory = WEFT_DEVICE_DRAM,
                    .base = x->image.addr[in->region] + in->offset,
                    .row = in->d_row_stride,
                    .pixel = in->d_pix_stride,
                    .bytes = in->pix_bytes,
                    .rows = in->rows,
                    .pixels = in->pixels,
                    .ring_rows = UINT32_MAX};
    return true;
  }
  case WEFT_OP_CODE_GEMM: {
    const weft_insn_GEMM *in = &insn->GEMM;
    weft_operand o = WEFT_OPERAND_OF(*in, o);
    if (in->acc_out) return false;
    *out = spad_region(c, &o, in->out_h, in->out_w, (uint64_t)in->o_block * c->cols,
                       (uint64_t)in->n_blocks * c->cols);
    return true;
  }
#define WORDS_RESULT(NAME, words)                                                                  \
  case WEFT_OP_CODE_##NAME: {                                                                      \
    weft_operand o = WEFT_OPERAND_OF(insn->NAME, o);                                               \
    *out = spad_region(c, &o, insn->NAME.out_h, insn->NAME.out_w, 0, (words)*w);                   \
    return true;                                                                                   \
  }
    WORDS_RESULT(DW, insn->DW.c_words)
    WORDS_RESULT(VEW, insn->VEW.c_words)
    WORDS_RESULT(VPOOL, insn->VPOOL.c_words)
    WORDS_RESULT(VROW, (insn->VROW.channels + w - 1) / w)
#undef WORDS_RESULT
  default: return false;
  }
}

/* Copies the result out of the device that runs; 0 bytes when it lies outside (a broken program).
 * The copy lives in x->buffer. */
static size_t collect(cosim *x, const region *g) {
  size_t size;
  const uint8_t *memory = weft_device_memory(weft_runner_device(x->runner), g->memory, &size);
  const uint64_t n = (uint64_t)g->rows * g->pixels * g->bytes;
  if (!memory || n > size) return 0;
  if (n > x->buffer_bytes) {
    free(x->buffer);
    x->buffer = malloc(n);
    if (!x->buffer) abort();
    x->buffer_bytes = n;
  }
  size_t at = 0;
  for (uint32_t y = 0; y < g->rows; y++)
    for (uint32_t p = 0; p < g->pixels; p++) {
      uint64_t from =
          g->base + ((uint64_t)g->ring_start + y) % g->ring_rows * g->row + p * g->pixel;
      if (from > size || g->bytes > size - from) return 0;
      memcpy(x->buffer + at, memory + from, g->bytes);
      at += g->bytes;
    }
  return at;
}

static void describe(const cosim *x, size_t index, char *out, size_t size) {
  weft_insn insn;
  int n = snprintf(out, size, "instruction %zu: ", index);
  if (weft_decode(x->program->code + index * WEFT_INSN_BYTES, &insn, NULL) == WEFT_OK)
    (void)weft_disasm(&insn, out + n, size - (size_t)n);
}

static void compare(cosim *x, size_t index, const region *g, size_t n) {
  const kept *k = &x->kept[index];
  uint64_t differ = 0;
  size_t at = 0;
  for (size_t i = 0; i < n && i < k->n; i++)
    if (x->buffer[i] != k->bytes[i] && !differ++) at = i;
  if (n != k->n) differ++;
  x->result->compared_bytes += n;
  x->result->memory_mismatches += differ;
  if (!differ || index >= x->first) return;
  x->first = index;
  char *text = x->result->first_memory;
  const size_t size = sizeof x->result->first_memory;
  describe(x, index, text, size - 200);
  size_t used = strlen(text);
  used += (size_t)snprintf(text + used, size - used,
                           "; %llu of %zu bytes differ, first row %zu, pixel %zu, byte %zu: model",
                           (unsigned long long)differ, n, at / g->bytes / g->pixels,
                           at / g->bytes % g->pixels, at % g->bytes);
  for (int which = 0; which < 2; which++) {
    const uint8_t *bytes = which ? x->buffer : k->bytes;
    for (size_t i = at; i < at + 8 && i < n && i < k->n; i++)
      used += (size_t)snprintf(text + used, size - used, " %02x", bytes[i]);
    if (!which) used += (size_t)snprintf(text + used, size - used, ", RTL");
  }
}

static void on_instruction(void *user, size_t index) {
  cosim *x = user;
  weft_insn insn;
  region g;
  if (index >= x->program->n_insns ||
      weft_decode(x->program->code + index * WEFT_INSN_BYTES, &insn, NULL) != WEFT_OK ||
      !region_of(x, &insn, &g))
    return;
  /* channels beyond the tensor's own are computed from whatever memory held: not to be compared */
  const weft_result *r = &x->program->result[index];
  if (r->tensor >= 0 && r->n < g.bytes) g.bytes = r->n;
  size_t n = collect(x, &g);
  if (x->comparing) {
    compare(x, index, &g, n);
    return;
  }
  free(x->kept[index].bytes);
  x->kept[index] = (kept){malloc(n + 1), n};
  if (!x->kept[index].bytes) abort();
  memcpy(x->kept[index].bytes, x->buffer, n);
}

/* --- times -------------------------------------------------------------------------------------
 */
static uint64_t apart(uint64_t a, uint64_t b) {
  return a > b ? a - b : b - a;
}

/* Slices are in program order in both, one for each instruction that a unit executed. */
static void compare_times(cosim *x, const weft_run_result *sim, const weft_run_result *rtl) {
  weft_cosim_result *r = x->result;
  r->max_instruction_delta = apart(sim->cycles, rtl->cycles);
  for (size_t i = 0; i < sim->n_slices && i < rtl->n_slices; i++) {
    const weft_slice *a = &sim->slice[i], *b = &rtl->slice[i];
    uint64_t start = apart(a->start, b->start), end = apart(a->end, b->end);
    if (start > r->max_instruction_delta) r->max_instruction_delta = start;
    if (end > r->max_instruction_delta) r->max_instruction_delta = end;
    if ((!start && !end) || r->first_time[0]) continue;
    describe(x, a->index, r->first_time, sizeof r->first_time - 160);
    size_t used = strlen(r->first_time);
    (void)snprintf(r->first_time + used, sizeof r->first_time - used,
                   "; model starts %llu, ends %llu; RTL starts %llu, ends %llu",
                   (unsigned long long)a->start, (unsigned long long)a->end,
                   (unsigned long long)b->start, (unsigned long long)b->end);
  }
  if (sim->n_slices != rtl->n_slices) r->max_instruction_delta = UINT64_MAX;
  for (int u = 0; u < sim->n_units; u++)
    r->counters_differ |= sim->unit[u].busy != rtl->unit[u].busy ||
                          sim->unit[u].stall_operand != rtl->unit[u].stall_operand ||
                          sim->unit[u].stall_dram != rtl->unit[u].stall_dram ||
                          sim->unit[u].stall_queue != rtl->unit[u].stall_queue;
  r->counters_differ |= sim->dram_read_bytes != rtl->dram_read_bytes ||
                        sim->dram_write_bytes != rtl->dram_write_bytes;
}

static void compare_dram(cosim *x, weft_runner *sim, weft_runner *rtl) {
  size_t n, m;
  const uint8_t *a = weft_device_memory(weft_runner_device(sim), WEFT_DEVICE_DRAM, &n);
  const uint8_t *b = weft_device_memory(weft_runner_device(rtl), WEFT_DEVICE_DRAM, &m);
  if (n != m) {
    x->result->memory_mismatches++;
    return;
  }
  x->result->compared_bytes += n;
  for (size_t i = 0; i < n; i++) {
    if (a[i] == b[i]) continue;
    if (!x->result->memory_mismatches++)
      (void)snprintf(x->result->first_memory, sizeof x->result->first_memory,
                     "DRAM byte 0x%zx: model %02x, RTL %02x; no instruction's result differs", i,
                     a[i], b[i]);
  }
}

/* --- the whole ---------------------------------------------------------------------------------
 */
static weft_status run_one(cosim *x, const weft_graph *g, weft_backend backend, void *const *input,
                           const weft_waves *waves, weft_runner **out, weft_err *err) {
  const weft_runner_options options = {.backend = backend,
                                       .slices = true,
                                       .observer = on_instruction,
                                       .observer_user = x,
                                       .waves = waves ? waves->path : NULL,
                                       .waves_from = waves ? waves->from : 0,
                                       .waves_to = waves ? waves->to : 0};
  weft_status status = weft_runner_new(g, x->program, &options, out, err);
  if (status) return status;
  x->runner = *out;
  x->image = weft_runner_image(*out);
  return weft_runner_run(*out, input, err);
}

weft_status weft_cosim(const weft_graph *graph, const weft_program *program, void *const *input,
                       const weft_waves *waves, weft_cosim_result *out, weft_err *err) {
  *out = (weft_cosim_result){.instructions = program->n_insns};
  cosim x = {.program = program, .result = out, .first = SIZE_MAX};
  weft_runner *sim = NULL, *rtl = NULL;
  x.kept = calloc((size_t)program->n_insns + 1, sizeof *x.kept);
  weft_status status =
      x.kept ? WEFT_OK : weft_fail(err, WEFT_ENOMEM, "%s: out of memory", graph->name);
  if (!status) status = run_one(&x, graph, WEFT_BACKEND_SIM, input, NULL, &sim, err);
  x.comparing = true;
  if (!status) status = run_one(&x, graph, WEFT_BACKEND_RTL, input, waves, &rtl, err);
  if (!status) {
    const weft_run_result *a = weft_runner_result(sim), *b = weft_runner_result(rtl);
    out->sim_cycles = a->cycles;
    out->rtl_cycles = b->cycles;
    out->sim_seconds = a->wall_seconds;
    out->rtl_seconds = b->wall_seconds;
    compare_times(&x, a, b);
    compare_dram(&x, sim, rtl);
  }
  weft_runner_free(sim);
  weft_runner_free(rtl);
  for (uint32_t i = 0; x.kept && i < program->n_insns; i++) free(x.kept[i].bytes);
  free(x.kept);
  free(x.buffer);
  return status;
}

bool weft_cosim_differs(const weft_cosim_result *r) {
  return r->memory_mismatches || r->max_instruction_delta || r->counters_differ;
}
