/* Times programs on the C model without computing anything. */
#include "cost.h"

#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { ALIGN = WEFT_BURST_BYTES };

struct weft_cost {
  weft_sim *sim; /* kept from program to program of one configuration */
  uint64_t hash;
  size_t bytes;
};

weft_cost *weft_cost_new(void) {
  return calloc(1, sizeof(weft_cost));
}

void weft_cost_free(weft_cost *c) {
  if (c) weft_sim_free(c->sim);
  free(c);
}

static size_t up(size_t n) {
  return (n + ALIGN) / ALIGN * ALIGN;
}

static void set_region(weft_sim *sim, uint32_t r, uint64_t base, uint64_t size) {
  uint32_t at = WEFT_REG_BASE + 16 * r;
  weft_sim_write_reg(sim, at, (uint32_t)base);
  weft_sim_write_reg(sim, at + 4, (uint32_t)(base >> 32));
  weft_sim_write_reg(sim, at + 8, (uint32_t)size);
  weft_sim_write_reg(sim, at + 12, (uint32_t)(size >> 32));
}

/* A device with room for the program; NULL when there is no memory. */
static weft_sim *device(weft_cost *c, const weft_program *p, size_t need) {
  if (c->sim && c->hash == p->config_hash && c->bytes >= need) return c->sim;
  weft_sim_free(c->sim);
  c->bytes = need + need / 4;
  c->hash = p->config_hash;
  c->sim = weft_sim_new(&p->config, c->bytes, NULL);
  if (c->sim) weft_sim_set_options(c->sim, &(weft_sim_options){.no_function = true});
  return c->sim;
}

uint64_t weft_cost_cycles(void *user, const weft_program *p) {
  size_t code = up((size_t)p->n_insns * WEFT_INSN_BYTES), constants = up(p->constant_bytes);
  weft_sim *sim = device(user, p, code + constants + up(p->arena_bytes));
  if (!sim) return UINT64_MAX;
  size_t n;
  memcpy(weft_sim_dram(sim, &n), p->code, (size_t)p->n_insns * WEFT_INSN_BYTES);
  set_region(sim, 0, 0, code);
  set_region(sim, 1, code, constants);
  set_region(sim, 2, code + constants, up(p->arena_bytes));
  uint64_t cycles = 0;
  for (int i = 0; i < p->n_steps; i++) {
    if (p->step[i].host) continue;
    weft_sim_write_reg(sim, WEFT_REG_PROGRAM_OFFSET, p->step[i].first * WEFT_INSN_BYTES);
    weft_sim_write_reg(sim, WEFT_REG_PROGRAM_COUNT, p->step[i].count);
    weft_sim_write_reg(sim, WEFT_REG_DOORBELL, 1);
    weft_sim_step(sim);
    if (weft_sim_read_reg(sim, WEFT_REG_STATUS) & WEFT_STATUS_ERROR) return UINT64_MAX;
    cycles += weft_sim_read_reg(sim, WEFT_REG_CYCLES_LO) |
              (uint64_t)weft_sim_read_reg(sim, WEFT_REG_CYCLES_HI) << 32;
  }
  return cycles;
}
