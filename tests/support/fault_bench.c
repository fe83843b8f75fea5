/* Runs of fault_bench.h: the clean one with its log, and those with a fault. */
#include "fault_bench.h"

#include "state.h"

#include <stdlib.h>
#include <string.h>

static void *room(size_t n) {
  void *p = calloc(n + 1, 1);
  if (!p) abort();
  return p;
}

/* --- the log --------------------------------------------------------------------------------- */
static void log_change(fault_bench *b, uint64_t at, uint8_t value) {
  if (b->n_change == b->size_change) {
    b->size_change = b->size_change ? 2 * b->size_change : 4096;
    b->change = realloc(b->change, b->size_change * sizeof *b->change);
    if (!b->change) abort();
  }
  b->change[b->n_change++] = (fault_change){at, value};
}

/* What differs from the mirror in `n` bytes at `base` of its address space. */
static void log_memory(fault_bench *b, const uint8_t *now, uint64_t base, size_t n) {
  enum { PAGE = 512 };
  for (size_t page = 0; page < n; page += PAGE) {
    size_t end = page + PAGE < n ? page + PAGE : n;
    if (!memcmp(now + page, b->mirror + base + page, end - page)) continue;
    for (size_t i = page; i < end; i++)
      if (now[i] != b->mirror[base + i]) {
        log_change(b, base + i, now[i]);
        b->mirror[base + i] = now[i];
      }
  }
}

static void log_instruction(void *user, weft_sim *sim, size_t index, int phase) {
  fault_bench *b = user;
  (void)sim;
  if (phase != WEFT_HOOK_AFTER) return;
  log_memory(b, b->spad, 0, b->spad_bytes);
  if (b->insn[index].opcode == WEFT_OP_CODE_STORE)
    log_memory(b, b->dram, b->spad_bytes, b->dram_bytes);
  b->first[index + 1] = b->n_change;
}

/* --- comparing with it ----------------------------------------------------------------------- */
static void differs(fault_bench *b, size_t index, const char *what) {
  if (!b->outcome->visible)
    (void)snprintf(b->outcome->text, sizeof b->outcome->text, "instruction %zu: %s differs", index,
                   what);
  b->outcome->visible = true;
}

static void compare_spad(fault_bench *b, size_t index, weft_operand o, size_t skip) {
  const weft_result *r = &b->program->result[index];
  const size_t w = weft_word_bytes(&b->program->config);
  for (uint32_t y = 0; y < r->h; y++)
    for (uint32_t x = 0; x < r->w; x++) {
      size_t row = o.base + (size_t)((o.ring_start + y) % o.ring_rows) * o.row_stride;
      size_t at = (row + (size_t)x * o.pix_stride) * w + skip;
      if (memcmp(b->spad + at, b->mirror + at, r->n)) differs(b, index, "a result");
    }
}

/* What the instruction is there for: its declared result, and every byte that a STORE stores. */
static void compare_products(fault_bench *b, size_t index) {
  const weft_insn *in = &b->insn[index];
  if (in->opcode == WEFT_OP_CODE_STORE) {
    const weft_insn_STORE *s = &in->STORE;
    for (uint32_t y = 0; y < s->rows; y++)
      for (uint32_t x = 0; x < s->pixels; x++) {
        size_t at = b->image.addr[s->region] + s->offset + (size_t)y * s->d_row_stride +
                    (size_t)x * s->d_pix_stride;
        if (memcmp(b->dram + at, b->mirror + b->spad_bytes + at, s->pix_bytes))
          differs(b, index, "what is stored");
      }
    return;
  }
  if (b->program->result[index].tensor < 0) return;
  switch (in->opcode) {
  case WEFT_OP_CODE_GEMM:
    compare_spad(b, index, WEFT_OPERAND_OF(in->GEMM, o),
                 (size_t)in->GEMM.o_block * b->program->config.cols);
    break;
  case WEFT_OP_CODE_DW: compare_spad(b, index, WEFT_OPERAND_OF(in->DW, o), 0); break;
  case WEFT_OP_CODE_VEW: compare_spad(b, index, WEFT_OPERAND_OF(in->VEW, o), 0); break;
  case WEFT_OP_CODE_VPOOL: compare_spad(b, index, WEFT_OPERAND_OF(in->VPOOL, o), 0); break;
  case WEFT_OP_CODE_VROW: compare_spad(b, index, WEFT_OPERAND_OF(in->VROW, o), 0); break;
  default: break;
  }
}

static void on_instruction(void *user, weft_sim *sim, size_t index, int phase) {
  fault_bench *b = user;
  if (phase == WEFT_HOOK_BEFORE) {
    if (b->fault->kind == FAULT_IN_SPAD && index == b->fault->insn) {
      b->spad[b->fault->at] ^= b->fault->flip;
      b->copy[b->n_copies++] = (fault_copy){WEFT_MEM_SPAD, b->fault->at};
    }
    if (b->fault->kind != FAULT_IN_CODE) fault_follow(b, (uint32_t)index);
  }
  if (b->checker) b->checker(b->checker_user, sim, index, phase);
  if (phase == WEFT_HOOK_BEFORE) return;
  for (size_t i = b->first[index]; i < b->first[index + 1]; i++)
    b->mirror[b->change[i].at] = b->change[i].value;
  compare_products(b, index);
}

/* --- runs ------------------------------------------------------------------------------------ */
static weft_status submit(fault_bench *b, weft_err *err) {
  weft_status status = weft_device_submit(b->dev, 0, b->program->step[0].count, err);
  return status ? status : weft_device_wait(b->dev, err);
}

static void begin(fault_bench *b) {
  weft_device_reset(b->dev);
  memcpy(b->dram, b->fresh, b->dram_bytes);
  memcpy(b->mirror, b->spad, b->spad_bytes);
  memcpy(b->mirror + b->spad_bytes, b->dram, b->dram_bytes);
  b->n_copies = 0;
}

void fault_run(fault_bench *b, const fault *f, fault_outcome *out) {
  const weft_graph *g = b->graph;
  weft_checker *check;
  weft_err err = {""};
  weft_run_result r = {0};
  *out = (fault_outcome){.text = ""};
  b->fault = f;
  b->outcome = out;
  begin(b);
  const bool code = f->kind == FAULT_IN_CODE; /* the only kind that time and order can see */
  weft_device_set_options(b->dev, &(weft_device_options){.check_races = code, .no_timing = !code});
  weft_device_set_timeout(b->dev, (uint32_t)(4 * b->cycles + 100000));
  if (f->kind == FAULT_IN_CONSTANTS) b->dram[b->image.addr[1] + f->at] ^= f->flip;
  if (code) b->dram[b->image.addr[0] + f->at] ^= f->flip;
  if (weft_checker_new(g, b->program, b->input, &check, &err)) abort();
  weft_checker_watch(check, b->dev, &b->image);
  b->checker = b->sim->hook; /* the check's own, called from ours */
  b->checker_user = b->sim->hook_user;
  weft_sim_set_hook(b->sim, on_instruction, b);
  weft_checker_segment(check, 0);
  if (submit(b, &err)) {
    out->stopped = true;
    (void)snprintf(out->text, sizeof out->text, "%.250s", err.text);
  }
  for (int i = 0; i < g->n_outputs && !out->stopped; i++) {
    size_t at = b->image.addr[2] + b->program->place[g->output[i]].offset;
    weft_checker_tensor(check, g->output[i], b->dram + at, "in the output");
    if (memcmp(b->dram + at, b->mirror + b->spad_bytes + at,
               weft_tensor_bytes(&g->tensor[g->output[i]])))
      differs(b, b->program->n_insns, "an output");
  }
  weft_checker_finish(check, &r);
  out->reported = r.check.mismatches > 0;
  weft_checker_free(check);
}

/* The program alone: code, constants, inputs; everything else as the model poisons it. */
static weft_status load(fault_bench *b, weft_err *err) {
  const weft_program *p = b->program;
  const size_t code = (size_t)p->n_insns * WEFT_INSN_BYTES;
  uint64_t bytes = weft_device_load_bytes(code, p->constant_bytes, p->arena_bytes);
  weft_status status = weft_device_open("model", &p->config, (size_t)bytes, &b->dev, err);
  if (!status)
    status = weft_device_load(b->dev, p->code, code, p->constants, p->constant_bytes,
                              p->arena_bytes, &b->image, err);
  if (status) return status;
  b->sim = weft_device_model(b->dev);
  b->spad = weft_sim_memory(b->sim, WEFT_MEM_SPAD, &b->spad_bytes);
  b->dram = weft_sim_dram(b->sim, &b->dram_bytes);
  for (int i = 0; i < b->graph->n_inputs; i++) {
    int t = b->graph->input[i];
    memcpy(b->dram + b->image.addr[2] + p->place[t].offset, b->input[i],
           weft_tensor_bytes(&b->graph->tensor[t]));
  }
  b->fresh = room(b->dram_bytes);
  memcpy(b->fresh, b->dram, b->dram_bytes);
  b->mirror = room(b->spad_bytes + b->dram_bytes);
  b->first = room((p->n_insns + 1) * sizeof *b->first);
  b->insn = room((p->n_insns + 1) * sizeof *b->insn);
  for (uint32_t i = 0; i < p->n_insns && !status; i++)
    status = weft_decode(p->code + (size_t)i * WEFT_INSN_BYTES, &b->insn[i], err);
  return status;
}

bool fault_bench_open(fault_bench *b, const weft_graph *g, void **input, const weft_config *config,
                      weft_err *err) {
  memset(b, 0, sizeof *b);
  b->graph = g;
  b->input = input;
  weft_status status = weft_compile(g, config, &(weft_compile_options){0}, &b->program, err);
  if (!status && (b->program->n_steps != 1 || b->program->step[0].host))
    status = weft_fail(err, WEFT_EUNSUPP, "%s: not one device segment", g->name);
  if (!status) status = load(b, err);
  if (!status) {
    begin(b);
    weft_device_set_options(b->dev, &(weft_device_options){.check_races = true});
    weft_sim_set_hook(b->sim, log_instruction, b);
    status = submit(b, err);
    weft_device_counters c;
    weft_device_read_counters(b->dev, &c);
    b->cycles = c.cycles;
    for (uint32_t i = b->program->step[0].count; i < b->program->n_insns; i++)
      b->first[i + 1] = b->n_change;
  }
  if (status) fault_bench_close(b);
  return status == WEFT_OK;
}

void fault_bench_close(fault_bench *b) {
  weft_device_close(b->dev);
  weft_program_free(b->program);
  free(b->insn);
  free(b->fresh);
  free(b->mirror);
  free(b->first);
  free(b->change);
  memset(b, 0, sizeof *b);
}
