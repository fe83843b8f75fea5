/* The C model as a device: registers and DRAM of a weft_sim, run to its interrupt by each poll. */
#include "device.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  weft_sim *sim;
  weft_device_observer observer;
  void *user;
} model;

static weft_sim *sim_of(void *self) {
  return ((model *)self)->sim;
}

static uint32_t model_read32(void *self, uint32_t offset) {
  return weft_sim_read_reg(sim_of(self), offset);
}

static void model_write32(void *self, uint32_t offset, uint32_t value) {
  weft_sim_write_reg(sim_of(self), offset, value);
}

/* The host's view of n bytes of DRAM, or NULL when they are not all there. */
static uint8_t *range(void *self, uint64_t addr, size_t n) {
  size_t size;
  uint8_t *dram = weft_sim_dram(sim_of(self), &size);
  return addr <= size && n <= size - addr ? dram + addr : NULL;
}

static bool model_mem_read(void *self, uint64_t addr, void *dst, size_t n) {
  const uint8_t *from = range(self, addr, n);
  if (from) memcpy(dst, from, n);
  return from != NULL;
}

static bool model_mem_write(void *self, uint64_t addr, const void *src, size_t n) {
  uint8_t *to = range(self, addr, n);
  if (to) memcpy(to, src, n);
  return to != NULL;
}

static uint64_t model_mem_size(void *self) {
  size_t size;
  (void)weft_sim_dram(sim_of(self), &size);
  return size;
}

static void model_poll(void *self) {
  (void)weft_sim_step(sim_of(self));
}

static const char *model_error_text(void *self) {
  return weft_sim_error(sim_of(self));
}

static void model_close(void *self) {
  weft_sim_free(sim_of(self));
  free(self);
}

static void model_set_options(void *self, const weft_device_options *o) {
  weft_sim_set_options(sim_of(self), &(weft_sim_options){.no_function = o->timing_only,
                                                         .no_timing = o->no_timing,
                                                         .check_races = o->check_races,
                                                         .record = o->record,
                                                         .portable = o->portable});
}

static struct weft_sim *model_sim(void *self) {
  return sim_of(self);
}

static size_t model_n_times(void *self) {
  size_t n;
  (void)weft_sim_times(sim_of(self), &n);
  return n;
}

static weft_device_time model_time(void *self, size_t index) {
  size_t n;
  const weft_insn_time *t = &weft_sim_times(sim_of(self), &n)[index];
  return (weft_device_time){t->arrive, t->start, t->busy, t->end};
}

static const uint8_t *model_memory(void *self, int mem, size_t *bytes) {
  return mem == WEFT_DEVICE_DRAM ? weft_sim_dram(sim_of(self), bytes)
                                 : weft_sim_memory(sim_of(self), mem, bytes);
}

static void on_instruction(void *user, weft_sim *sim, size_t index, int phase) {
  const model *m = user;
  (void)sim;
  if (phase == WEFT_HOOK_AFTER) m->observer(m->user, index);
}

static void model_observe(void *self, weft_device_observer observer, void *user) {
  model *m = self;
  m->observer = observer;
  m->user = user;
  weft_sim_set_hook(m->sim, observer ? on_instruction : NULL, m);
}

const weft_device_ops weft_model_ops = {
    .read32 = model_read32,
    .write32 = model_write32,
    .mem_read = model_mem_read,
    .mem_write = model_mem_write,
    .mem_size = model_mem_size,
    .poll = model_poll,
    .error_text = model_error_text,
    .close = model_close,
    .n_times = model_n_times,
    .time = model_time,
    .memory = model_memory,
    .observe = model_observe,
    .set_options = model_set_options,
    .model = model_sim,
};

weft_status weft_model_open(const weft_config *config, size_t dram_bytes, void **self,
                            weft_err *err) {
  weft_status status = weft_config_check(config, err);
  if (status) return status;
  model *m = calloc(1, sizeof *m);
  if (!m) return weft_fail(err, WEFT_ENOMEM, "model: out of memory");
  m->sim = weft_sim_new(config, dram_bytes, err);
  if (!m->sim) {
    free(m);
    return WEFT_ENOMEM;
  }
  *self = m;
  return WEFT_OK;
}
