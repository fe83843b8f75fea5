/* See device_compare.h. */
#include "device_compare.h"
#include "device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- opening ---------------------------------------------------------------------------------- */
static weft_status open_named(void *user, const weft_config *cfg, size_t dram_bytes,
                              weft_device **out, weft_err *err) {
  return weft_device_open(user, cfg, dram_bytes, out, err);
}

const device_kind device_model = {"model", open_named, "model"};
const device_kind device_rtl = {"RTL", open_named, "rtl"};

bool device_rtl_exists(const weft_config *cfg, char *why, size_t size) {
  weft_device *dev = NULL;
  weft_err err = {""};
  const bool found = weft_device_open("rtl", cfg, 4096, &dev, &err) == WEFT_OK;
  (void)snprintf(why, size, "%s", err.text);
  weft_device_close(dev);
  return found;
}

uint32_t device_region_skew(uint32_t region) {
  static const uint32_t skew[WEFT_REGIONS] = {0, 0, 0, 37, 64, 255, 1, 1020};
  return skew[region];
}

/* --- running ---------------------------------------------------------------------------------- */
static void put64(weft_device *dev, uint32_t offset, uint64_t value) {
  dev->ops.write32(dev->self, offset, (uint32_t)value);
  dev->ops.write32(dev->self, offset + 4, (uint32_t)(value >> 32));
}

static weft_status load(weft_device *dev, const device_job *job, device_result *out) {
  weft_loaded image;
  weft_device_reset_memory(dev);
  weft_status status = weft_device_load(dev, job->code, job->code_bytes, job->constants,
                                        job->constant_bytes, job->arena_bytes, &image, &out->err);
  if (!status)
    status = weft_device_write(dev, image.addr[2], job->arena, job->arena_bytes, &out->err);
  if (status) return status;
  for (uint32_t r = 3; r < WEFT_REGIONS; r++) {
    put64(dev, WEFT_REG_BASE + 16 * r, image.addr[2] + device_region_skew(r));
    put64(dev, WEFT_REG_BASE + 16 * r + 8, job->arena_bytes - device_region_skew(r));
  }
  out->constant_addr = image.addr[1];
  out->arena_addr = image.addr[2];
  return WEFT_OK;
}

static uint8_t *copy_memory(weft_device *dev, int memory, size_t *bytes) {
  const uint8_t *from = weft_device_memory(dev, memory, bytes);
  uint8_t *to = malloc(*bytes + 1);
  if (!to) abort();
  if (from) memcpy(to, from, *bytes);
  return to;
}

static void keep(weft_device *dev, const device_job *job, device_result *out) {
  out->cause = dev->ops.read32(dev->self, WEFT_REG_ERROR_CAUSE);
  out->insn = dev->ops.read32(dev->self, WEFT_REG_ERROR_INSN);
  out->addr = dev->ops.read32(dev->self, WEFT_REG_ERROR_ADDR_LO) |
              (uint64_t)dev->ops.read32(dev->self, WEFT_REG_ERROR_ADDR_HI) << 32;
  weft_device_read_counters(dev, &out->counters);
  out->n_times = out->status ? 0 : weft_device_n_times(dev);
  if (out->n_times > job->count) out->n_times = job->count;
  out->time = calloc(out->n_times + 1, sizeof *out->time);
  if (!out->time) abort();
  for (size_t i = 0; i < out->n_times; i++) out->time[i] = weft_device_time_of(dev, i);
  out->dram = copy_memory(dev, WEFT_DEVICE_DRAM, &out->dram_bytes);
  out->spad = copy_memory(dev, WEFT_MEM_SPAD, &out->spad_bytes);
}

static void watch(void *user, size_t index) {
  (void)user;
  (void)index;
}

void device_run_on(weft_device *dev, const device_job *job, device_result *out) {
  *out = (device_result){.status = WEFT_OK};
  weft_device_set_options(dev,
                          &(weft_device_options){.check_races = job->check_races, .record = true});
  weft_device_set_timeout(dev, job->watchdog);
  weft_device_set_poll_limit(dev, 4);
  (void)weft_device_observe(dev, watch, NULL); /* the RTL keeps its scratchpad for observers */
  weft_status status = load(dev, job, out);
  if (!status && dev->ops.read32 == weft_rtl_ops.read32)
    weft_rtl_fail_read(dev->self, job->fails_read ? out->constant_addr + job->fail_at : UINT64_MAX);
  if (!status) status = weft_device_submit(dev, job->offset, job->count, &out->err);
  if (status) {
    (void)snprintf(out->opened, sizeof out->opened, "%.250s", out->err.text);
    return;
  }
  out->status = weft_device_wait(dev, &out->err);
  keep(dev, job, out);
}

void device_run(const device_kind *kind, const device_job *job, device_result *out) {
  weft_device *dev = NULL;
  const size_t bytes =
      (size_t)weft_device_load_bytes(job->code_bytes, job->constant_bytes, job->arena_bytes) + 64;
  *out = (device_result){.status = WEFT_OK};
  if (kind->open(kind->user, job->cfg, bytes, &dev, &out->err)) {
    (void)snprintf(out->opened, sizeof out->opened, "%.250s", out->err.text);
    return;
  }
  device_run_on(dev, job, out);
  weft_device_close(dev);
}

void device_result_free(device_result *r) {
  free(r->time);
  free(r->dram);
  free(r->spad);
  *r = (device_result){.status = WEFT_OK};
}

/* --- comparing -------------------------------------------------------------------------------- */
typedef struct {
  char *text;
  size_t size, used;
} report;

static void say(report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(report *r, const char *fmt, ...) {
  va_list ap;
  if (r->used >= r->size) return;
  va_start(ap, fmt);
  const int n = vsnprintf(r->text + r->used, r->size - r->used, fmt, ap);
  va_end(ap);
  r->used += n > 0 ? (size_t)n : 0;
}

static void describe(report *r, const device_job *job, size_t index) {
  weft_insn insn;
  char line[600] = "?";
  if (weft_decode(job->code + job->offset + index * WEFT_INSN_BYTES, &insn, NULL) == WEFT_OK)
    (void)weft_disasm(&insn, line, sizeof line);
  say(r, "instruction %zu: %s\n", index, line);
}

#define DIFFERS(r, field)                                                                          \
  ((a->field) != (b->field) ? (say(r, #field ": %llu and %llu\n", (unsigned long long)(a->field),  \
                                   (unsigned long long)(b->field)),                                \
                               1)                                                                  \
                            : 0)

static void compare_end(report *r, const device_result *a, const device_result *b,
                        device_compare_what what) {
  if (strcmp(a->opened, b->opened) != 0)
    say(r, "opened and submitted: '%s' and '%s'\n", a->opened, b->opened);
  if (DIFFERS(r, status) | DIFFERS(r, cause))
    say(r, "texts: '%s' and '%s'\n", a->err.text, b->err.text);
  if (a->cause | b->cause) (void)DIFFERS(r, insn);
  if (what == COMPARE_ALL) (void)DIFFERS(r, addr);
}

static bool same_time(const weft_device_time *a, const weft_device_time *b) {
  return a->start == b->start && a->end == b->end;
}

/* The first that goes wrong in time is the cause, the first in the program perhaps a victim. */
static void compare_times(report *r, const device_job *job, const device_result *a,
                          const device_result *b) {
  size_t bad = SIZE_MAX, count = 0;
  (void)DIFFERS(r, n_times);
  for (size_t i = 0; i < a->n_times && i < b->n_times; i++) {
    if (same_time(&a->time[i], &b->time[i])) continue;
    count++;
    if (bad == SIZE_MAX || a->time[i].start < a->time[bad].start) bad = i;
  }
  if (bad == SIZE_MAX) return;
  say(r, "%zu instructions have other times; first ", count);
  describe(r, job, bad);
  say(r, "  starts %lld and %lld, ends %lld and %lld\n", (long long)a->time[bad].start,
      (long long)b->time[bad].start, (long long)a->time[bad].end, (long long)b->time[bad].end);
}

static void compare_bytes(report *r, const char *name, const uint8_t *a, const uint8_t *b, size_t n,
                          size_t m) {
  size_t count = 0, first = 0;
  if (n != m) say(r, "%s: %zu and %zu bytes\n", name, n, m);
  for (size_t i = 0; i < n && i < m; i++)
    if (a[i] != b[i] && !count++) first = i;
  if (!count) return;
  say(r, "%s: %zu bytes differ, from byte 0x%zx:", name, count, first);
  for (int which = 0; which < 2; which++) {
    for (size_t i = first; i < first + 8 && i < n && i < m; i++)
      say(r, " %02x", (which ? b : a)[i]);
    say(r, which ? "\n" : " and");
  }
}

static void compare_counters(report *r, const device_result *a, const device_result *b) {
  (void)DIFFERS(r, counters.cycles);
  (void)DIFFERS(r, counters.read_bytes);
  (void)DIFFERS(r, counters.write_bytes);
  for (int u = 0; u <= WEFT_UNITS; u++) {
    const size_t before = r->used;
    int bad = DIFFERS(r, counters.unit[u].busy) | DIFFERS(r, counters.unit[u].stall_operand) |
              DIFFERS(r, counters.unit[u].stall_dram) | DIFFERS(r, counters.unit[u].stall_queue);
    if (bad && r->used > before) say(r, "  (unit %s)\n", weft_unit_name(u));
  }
}

bool device_compare(const device_job *job, const device_result *a, const device_result *b,
                    device_compare_what what, char *text, size_t size) {
  report r = {text, size, 0};
  if (size) text[0] = '\0';
  compare_end(&r, a, b, what);
  if (r.used || what == COMPARE_CAUSE || a->opened[0]) return r.used == 0;
  if (a->cause) return true; /* what a stopped run left in memories and counters is its own */
  if (what == COMPARE_ALL) compare_times(&r, job, a, b);
  if (a->spad_bytes && b->spad_bytes) /* a netlist does not show it */
    compare_bytes(&r, "scratchpad", a->spad, b->spad, a->spad_bytes, b->spad_bytes);
  compare_bytes(&r, "DRAM", a->dram, b->dram, a->dram_bytes, b->dram_bytes);
  if (what == COMPARE_ALL) compare_counters(&r, a, b);
  return r.used == 0;
}
