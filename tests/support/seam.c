/* The recording seam. */
#include "seam.h"

#include <stdlib.h>
#include <string.h>

static uint32_t seam_read32(void *self, uint32_t offset) {
  return ((seam *)self)->reg[offset / 4 % (SEAM_REGISTERS / 4)];
}

static void seam_write32(void *self, uint32_t offset, uint32_t value) {
  seam *s = self;
  if (s->n_writes < SEAM_LOG) s->write[s->n_writes++] = (seam_write){offset, value};
  if (offset == WEFT_REG_DOORBELL)
    s->reg[WEFT_REG_STATUS / 4] = s->polls_left ? WEFT_STATUS_RUNNING : s->final_status;
  else if (offset == WEFT_REG_IRQ_CLEAR)
    s->reg[WEFT_REG_STATUS / 4] = 0;
  else
    s->reg[offset / 4 % (SEAM_REGISTERS / 4)] = value;
}

static bool inside(const seam *s, uint64_t addr, size_t n) {
  return !s->broken_memory && addr <= SEAM_MEMORY && n <= SEAM_MEMORY - addr;
}

static bool seam_mem_read(void *self, uint64_t addr, void *dst, size_t n) {
  seam *s = self;
  if (!inside(s, addr, n)) return false;
  memcpy(dst, s->memory + addr, n);
  return true;
}

static bool seam_mem_write(void *self, uint64_t addr, const void *src, size_t n) {
  seam *s = self;
  if (!inside(s, addr, n)) return false;
  memcpy(s->memory + addr, src, n);
  return true;
}

static uint64_t seam_mem_size(void *self) {
  (void)self;
  return SEAM_MEMORY;
}

static void seam_poll(void *self) {
  seam *s = self;
  if (s->polls_left > 0 && --s->polls_left == 0) s->reg[WEFT_REG_STATUS / 4] = s->final_status;
}

static const char *seam_error_text(void *self) {
  return ((seam *)self)->error;
}

static void seam_close(void *self) {
  seam *s = self;
  if (s->closed) ++*s->closed;
  free(s);
}

const weft_device_ops seam_ops = {
    .read32 = seam_read32,
    .write32 = seam_write32,
    .mem_read = seam_mem_read,
    .mem_write = seam_mem_write,
    .mem_size = seam_mem_size,
    .poll = seam_poll,
    .error_text = seam_error_text,
    .close = seam_close,
};

seam *seam_new(const weft_config *config) {
  seam *s = calloc(1, sizeof *s);
  if (!s) abort();
  uint64_t hash = weft_config_hash(config);
  int n;
  const weft_key *key = weft_config_keys(&n);
  s->reg[WEFT_REG_ID / 4] = 0x57454654;
  s->reg[WEFT_REG_VERSION / 4] = WEFT_ISA_VERSION;
  s->reg[WEFT_REG_CONFIG_HASH_LO / 4] = (uint32_t)hash;
  s->reg[WEFT_REG_CONFIG_HASH_HI / 4] = (uint32_t)(hash >> 32);
  for (int i = 0; i < n; i++)
    s->reg[WEFT_REG_CONFIG / 4 + i] = *(const uint32_t *)((const char *)config + key[i].offset);
  s->final_status = WEFT_STATUS_DONE | WEFT_STATUS_IRQ;
  return s;
}
